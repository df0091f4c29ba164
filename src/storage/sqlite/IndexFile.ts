import { Effect, Schedule } from "effect"
import { readFileSync } from "node:fs"
import { StorageError } from "../StorageError.js"

/**
 * The index of the log (`-shm`) that this process has open. Two processes see each other's commits only if they have
 * the same index open.
 */
export interface IndexFile {
  /** Device and inode. */
  readonly identity: string
  /** The processes that have the database open with another index. Undefined if the system does not tell. */
  readonly strangers: () => ReadonlyArray<number> | undefined
}

/**
 * The processes that hold a lock on the database but none on the index. SQLite holds a lock on both as long as it has
 * them open. `locks` is the text of Linux's /proc/locks. The answer is undefined if our own locks are missing in it,
 * because then those of others may be missing too.
 */
export const strangersIn = (
  locks: string,
  own: { readonly pid: number; readonly database: bigint; readonly index: bigint }
): ReadonlyArray<number> | undefined => {
  const held = locks.split("\n").flatMap((line) => {
    const [, pid, device, inode] = /^\d+: POSIX +\S+ +\S+ +(\d+) ([0-9a-f]+:[0-9a-f]+):(\d+) /.exec(line) ?? []
    return inode === undefined ? [] : [{ pid: Number(pid), device, inode: BigInt(inode) }]
  })
  const holders = (inode: bigint) => {
    // The kernel's notation of the device is not always what stat says, so it is taken from our own lock.
    const mine = held.find((lock) => lock.pid === own.pid && lock.inode === inode)
    return mine === undefined
      ? undefined
      : held.filter((lock) => lock.device === mine.device && lock.inode === inode).map(({ pid }) => pid)
  }
  const ofDatabase = holders(own.database)
  const ofIndex = holders(own.index)
  return ofDatabase === undefined || ofIndex === undefined
    ? undefined
    : Array.from(new Set(ofDatabase.filter((pid) => !ofIndex.includes(pid))))
}

/** `strangersIn` for this process and this moment, by the inodes of the database and the index. */
export const strangersNow = (database: bigint, index: bigint): ReadonlyArray<number> | undefined => {
  try {
    return strangersIn(readFileSync("/proc/locks", "utf8"), { pid: process.pid, database, index })
  } catch {
    return undefined
  }
}

/** Another process has another index open. Neither of the two sees what the other commits, and each writes over it. */
export const otherIndexError = (where: string, process: string): StorageError =>
  new StorageError({
    reason: "Moved",
    where,
    words: `${process} still has an index (-shm) open that was removed: restart that process`
  })

/** Fails when another process has the database open with another index. */
export const refuseStrangers = (where: string, { strangers }: IndexFile): Effect.Effect<void, StorageError> =>
  Effect.suspend(() => {
    const [pid] = strangers() ?? []
    return pid === undefined ? Effect.void : otherIndexError(where, `process ${pid}`)
  }).pipe(
    // A process that is just opening the file locks the database first, and the index a moment later.
    Effect.retry({ schedule: Schedule.spaced("50 millis"), times: 5 })
  )
