import { Effect, Schedule } from "effect"
import { readFileSync } from "node:fs"
import { StorageError } from "../StorageError.js"

/**
 * The index of the log (`-shm`) that this process has open. Only those who have the same one open see each other's commits.
 */
export interface IndexFile {
  /** Its device and inode. */
  readonly identity: string
  /** The processes that have the database open, and another index; undefined where the system does not tell. */
  readonly strangers: () => ReadonlyArray<number> | undefined
}

/**
 * The processes that hold a lock on the database and none on the index, by the text of Linux's /proc/locks. SQLite holds one
 * on both for as long as it has them open. Undefined where this process's own are not in it: then the others' may not be.
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
    // The device as the kernel writes it, which is not always what a stat says.
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

/** The same of this process and this moment. */
export const strangers = (database: bigint, index: bigint): ReadonlyArray<number> | undefined => {
  try {
    return strangersIn(readFileSync("/proc/locks", "utf8"), { pid: process.pid, database, index })
  } catch {
    return undefined
  }
}

/** Another process has another index open: what one of the two commits, the other does not see, and writes over. */
export const otherIndex = (where: string, process: string): StorageError =>
  new StorageError({
    reason: "Moved",
    where,
    words: `${process} still has an index (-shm) open that was removed: restart that process`
  })

/** Fails where a process has the database open by another index. */
export const refuseStrangers = (where: string, { strangers }: IndexFile): Effect.Effect<void, StorageError> =>
  Effect.suspend(() => {
    const [pid] = strangers() ?? []
    return pid === undefined ? Effect.void : otherIndex(where, `process ${pid}`)
  }).pipe(
    // One that is just opening the file has a lock on it, and on the index a moment later.
    Effect.retry({ schedule: Schedule.spaced("50 millis"), times: 5 })
  )
