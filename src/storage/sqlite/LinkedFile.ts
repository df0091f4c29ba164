import { Effect } from "effect"
import { readFileSync, realpathSync, statSync } from "node:fs"
import { dirname } from "node:path"
import { StorageError, storageError } from "../StorageError.js"

// The kernel escapes blanks and backslashes as octal numbers, and nothing else of UTF-8.
const unescape = (field: string) =>
  field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)))

/** Whether something is mounted at `path` itself. `mountinfo` is the text of Linux's /proc/self/mountinfo. */
export const isMountPoint = (mountinfo: string, path: string): boolean =>
  mountinfo.split("\n").some((line) => unescape(line.split(" ")[4] ?? "") === path)

/**
 * The file has several names. SQLite keeps a log beside each name, so two programs would not see each other's writes.
 */
export const hardLinkError = (where: string, names: bigint): StorageError =>
  new StorageError({ reason: "Linked", where, words: `a hard link: the file has ${names} names` })

const readMountinfo = (): string | undefined => {
  try {
    return readFileSync("/proc/self/mountinfo", "utf8")
  } catch {
    return undefined
  }
}

/**
 * Fails when the file at `where` has more than one path, because it is a hard link or is mounted by itself. Call it
 * before SQLite opens the file, because opening may already write. A file that does not exist yet is fine: it will have
 * one path.
 */
export const refuseLinked = (where: string): Effect.Effect<void, StorageError> =>
  Effect.try({
    try: () => {
      const found = statSync(where, { bigint: true, throwIfNoEntry: false })
      if (found === undefined || !found.isFile()) return undefined
      if (found.nlink > 1n) return hardLinkError(where, found.nlink)
      const path = realpathSync(where)
      const mountinfo = readMountinfo()
      const isMounted = mountinfo === undefined
        ? found.dev !== statSync(dirname(path), { bigint: true }).dev
        : isMountPoint(mountinfo, path)
      return isMounted
        ? new StorageError({ reason: "Linked", where, words: "something is mounted at the file itself" })
        : undefined
    },
    catch: storageError(where)
  }).pipe(Effect.flatMap((refused) => refused ?? Effect.void))
