import { Effect } from "effect"
import type { BigIntStats } from "node:fs"
import { realpathSync, statSync } from "node:fs"
import { resolve } from "node:path"
import { StorageError, storageError } from "../StorageError.js"
import type { IndexFile } from "./IndexFile.js"
import { strangersNow } from "./IndexFile.js"
import { hardLinkError } from "./LinkedFile.js"
import type { LogEnd, WalIndex } from "./WalIndex.js"
import { walIndexNow } from "./WalIndex.js"

/** Which file is open, as it was when it was opened. */
export interface OpenedFile {
  /**
   * Fails while the open file, its log or its index is no longer the one at its path. What we write to a removed file
   * is lost when it is closed, and another process that opens the path gets a database, and becomes a leader, of its
   * own. The log and the index count as much as the file: without the same index, another process neither sees our
   * commits nor spares them. Fails also while the file has a second name, and from the moment on at which another
   * program than SQLite has written into it.
   */
  readonly refuseMoved: Effect.Effect<void, StorageError>
  /** Makes `refuseMoved` fail from now on, because nothing that is read from the file can be relied on. */
  readonly refuseFromNow: (error: StorageError) => Effect.Effect<void>
  /** Undefined for a database in memory. */
  readonly index: IndexFile | undefined
  /** The log beside it. Undefined for a database in memory. */
  readonly log: { readonly path: string; readonly end: () => LogEnd | undefined } | undefined
}

const parts = ["the file", "its log (-wal)", "its index (-shm)"] as const

const identityOf = (found: BigIntStats | undefined) => found === undefined ? "none" : `${found.dev}:${found.ino}`

const timeAndSize = ({ mtimeNs, size }: BigIntStats) => `${mtimeNs}:${size}`

/**
 * Whether something else than a checkpoint has written into the database file, as when a backup is copied over it. With
 * a log, SQLite writes into the file only in checkpoints, and the index tells of each. While one is under way nothing
 * is known. A write goes unnoticed if another process begins the log anew between the same two looks.
 *
 * The index is read before the file is looked at (`before`). So what a checkpoint writes in between is found, the next
 * time, to be its own.
 */
const overwrittenSince = (found: BigIntStats, before: WalIndex | undefined, copiedNow: () => WalIndex | undefined) => {
  let known = { file: timeAndSize(found), copied: before }
  return (found: BigIntStats, before: WalIndex | undefined): boolean => {
    const last = known
    known = { file: timeAndSize(found), copied: before }
    if (known.file === last.file) return false
    const now = copiedNow()
    return last.copied !== undefined && now !== undefined && !last.copied.isUnderWay && !now.isUnderWay &&
      last.copied.mark === now.mark
  }
}

/** Remembers which file is open. SQLite must have read from it before, so that its log and its index exist. */
export const makeOpenedFile = (where: string): Effect.Effect<OpenedFile, StorageError> => {
  if (where === ":memory:") {
    return Effect.succeed({
      refuseMoved: Effect.void,
      refuseFromNow: () => Effect.void,
      index: undefined,
      log: undefined
    })
  }
  const attempt = <A>(read: () => A) => Effect.try({ try: read, catch: storageError(where) })
  return Effect.gen(function*() {
    const path = resolve(where)
    const real = yield* attempt(() => realpathSync(path))
    // Synchronous, because no disk is asked: it takes some µs, and 25 µs through the thread pool.
    const stat = (file: string) => statSync(file, { bigint: true, throwIfNoEntry: false })
    const indexPath = `${real}-shm`
    const identity = yield* attempt(() => identityOf(stat(indexPath)))
    const copied = () => walIndexNow(indexPath, identity)
    const look = attempt(() => ({ copied: copied(), found: [path, `${real}-wal`, indexPath].map(stat) }))
    const { copied: copiedBefore, found } = yield* look
    const opened = found.map(identityOf)
    const [database, , index] = found
    let refused: StorageError | undefined
    const isOverwritten = database && overwrittenSince(database, copiedBefore, copied)
    const refuseMoved = Effect.flatMap(look, ({ copied, found: now }) => {
      if (refused !== undefined) return refused
      const other = now.findIndex((each, part) => identityOf(each) !== opened[part])
      if (other >= 0) {
        return new StorageError({ reason: "Moved", where, words: `${parts[other]} is not the one that was opened` })
      }
      const names = now[0]?.nlink ?? 1n
      if (names > 1n) return hardLinkError(where, names)
      if (now[0] === undefined || isOverwritten?.(now[0], copied) !== true) return Effect.void
      refused = new StorageError({ reason: "Overwritten", where, words: "it changed, and SQLite has not changed it" })
      return refused
    })
    return {
      refuseMoved,
      refuseFromNow: (error) =>
        Effect.sync(() => {
          refused ??= error
        }),
      index: {
        identity: identityOf(index),
        strangers: () =>
          database === undefined || index === undefined ? undefined : strangersNow(database.ino, index.ino)
      },
      log: { path: `${real}-wal`, end: copied }
    }
  })
}
