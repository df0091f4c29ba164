import { openSync, readSync } from "node:fs"
import { endianness } from "node:os"

/** How far the log reaches. */
export interface LogEnd {
  /** Changes when the log begins anew. */
  readonly log: string
  /** How many pages are committed in it. */
  readonly frames: number
}

/** What the index of the log says: how far the log reaches, and how far SQLite has copied it into the database file. */
export interface WalIndex extends LogEnd {
  /** Changes with each checkpoint. */
  readonly mark: string
  /** A checkpoint was begun and has not ended. It may also have ended with its process. */
  readonly isUnderWay: boolean
}

// By the identity of the index. They are never closed: closing a descriptor of the index would release the locks that
// SQLite holds on it in this process, those of other connections too.
const descriptors = new Map<string, number>()

const descriptorOf = (path: string, identity: string) => {
  const known = descriptors.get(identity)
  if (known !== undefined) return known
  const descriptor = openSync(path, "r")
  descriptors.set(identity, descriptor)
  return descriptor
}

// See "WAL-Index File Format" of https://sqlite.org/walformat.html: two copies of a header, and how far the log was
// copied.
const headerSize = 48
const isInitialized = 12
const committed = 16
const salts = [32, 40] as const
const backfilled = 2 * headerSize
const attempted = 128
const size = 136

/** Reads the index, whose path and identity are given. The answer is undefined if it cannot be told. */
export const walIndexNow = (path: string, identity: string): WalIndex | undefined => {
  try {
    const index = Buffer.alloc(size)
    const isRead = readSync(descriptorOf(path, identity), index, 0, size, 0) === size
    const isWhole = index.subarray(0, headerSize).equals(index.subarray(headerSize, 2 * headerSize))
    if (!isRead || !isWhole || index[isInitialized] !== 1) return undefined
    const numberAt = (offset: number) => endianness() === "LE" ? index.readUInt32LE(offset) : index.readUInt32BE(offset)
    const log = index.toString("hex", ...salts)
    return {
      log,
      frames: numberAt(committed),
      mark: `${log}:${numberAt(backfilled)}`,
      isUnderWay: numberAt(attempted) !== numberAt(backfilled)
    }
  } catch {
    return undefined
  }
}
