import { Effect } from "effect"
import { closeSync, fsyncSync, openSync, statSync, unlinkSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import { hasCode } from "../../base/ErrorCode.js"
import { StorageError, storageError } from "../StorageError.js"

/**
 * The one page of a SQLite database without tables, in WAL mode: see https://sqlite.org/fileformat.html. What is not
 * set here is 0.
 */
const emptyDatabase = (): Buffer => {
  const page = Buffer.alloc(4096)
  page.write("SQLite format 3\0", "latin1")
  page.writeUInt16BE(page.length, 16)
  // Written and read by WAL.
  page.set([2, 2], 18)
  // Constants of the format.
  page.set([64, 32, 32], 21)
  // The change counter, the number of pages, and the counter for which this number is right.
  for (const offset of [24, 28, 92]) page.writeUInt32BE(1, offset)
  // UTF-8.
  page.writeUInt32BE(1, 56)
  // The root of the schema: a leaf without rows, whose content begins at the end of the page.
  page.writeUInt8(13, 100)
  page.writeUInt16BE(page.length, 105)
  return page
}

const syncFolder = (folder: string) => {
  // Windows cannot open a folder, and needs no sync of it.
  if (process.platform === "win32") return
  const descriptor = openSync(folder, "r")
  fsyncSync(descriptor)
  closeSync(descriptor)
}

/** Syncs a file that nobody else has open, and its folder. */
export const syncFile = (file: string): void => {
  const descriptor = openSync(file, "r+")
  fsyncSync(descriptor)
  closeSync(descriptor)
  syncFolder(dirname(file))
}

/**
 * Makes a file that only this user can read; SQLite gives its log and its index the same mode. False if there is one.
 */
export const createOwn = (file: string, content: Uint8Array): boolean => {
  try {
    const descriptor = openSync(file, "wx", 0o600)
    try {
      if (content.length > 0) writeSync(descriptor, content)
    } catch (error) {
      // Of a full disk an empty file would remain, which is refused later.
      unlinkSync(file)
      throw error
    } finally {
      closeSync(descriptor)
    }
    syncFile(file)
    return true
  } catch (error) {
    if (hasCode(error) && error.code === "EEXIST") return false
    throw error
  }
}

/**
 * Makes the file, as a database without tables, if there is none. Refuses what is there and cannot be a database. An
 * empty file is refused, too, because it may be what is left of a database: SQLite would begin a new one, and delete
 * the log beside it. It is not left by us: a new file has its first page, on disk, before SQLite opens it.
 */
export const prepareFile = (where: string): Effect.Effect<void, StorageError> =>
  Effect.try({
    try: () => {
      if (createOwn(where, emptyDatabase())) return undefined
      const found = statSync(where)
      if (found.isDirectory()) {
        return new StorageError({ reason: "NotAFile", where, words: "it is a folder" })
      }
      if (!found.isFile()) return new StorageError({ reason: "NotAFile", where, words: "it is a device or a pipe" })
      return found.size > 0 ? undefined : new StorageError({
        reason: "NotADatabase",
        where,
        words: "the file is empty: if it was never used, remove it, and a new one is made"
      })
    },
    catch: storageError(where)
  }).pipe(Effect.flatMap((refused) => refused ?? Effect.void))
