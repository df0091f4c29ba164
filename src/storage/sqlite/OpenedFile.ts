import { Effect } from "effect"
import type { BigIntStats } from "node:fs"
import { realpathSync, statSync } from "node:fs"
import { resolve } from "node:path"
import { StorageError, storageError } from "../StorageError.js"
import { copiedNow } from "./Checkpoints.js"
import type { IndexFile } from "./IndexFile.js"
import { strangersNow } from "./IndexFile.js"
import { hardLinkError } from "./LinkedFile.js"

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
}

const parts = ["the file", "its log (-wal)", "its index (-shm)"] as const

const identityOf = (found: BigIntStats | undefined) => found === undefined ? "none" : `${found.dev}:${found.ino}`

const timeAndSize = (path: string) => {
  const { mtimeNs, size } = statSync(path, { bigint: true })
  return `${mtimeNs}:${size}`
}

/**
 * Whether something else than a checkpoint has written into the database file, as when a backup is copied over it. With
 * a log, SQLite writes into the file only in checkpoints, and the index tells of each. It costs nothing until the file
 * changes. While a checkpoint is under way nothing is known.
 */
const overwrittenSince = (path: string, indexPath: string, index: string) => {
  // The index is read before the file is looked at: what a checkpoint writes between them is then found to be its own.
  const seen = () => {
    const copied = copiedNow(indexPath, index)
    return { copied, file: timeAndSize(path) }
  }
  let known = seen()
  return ({ mtimeNs, size }: BigIntStats): boolean => {
    if (`${mtimeNs}:${size}` === known.file) return false
    const now = seen()
    const before = known.copied
    known = now
    return before !== undefined && now.copied !== undefined && !before.isUnderWay && !now.copied.isUnderWay &&
      before.mark === now.copied.mark
  }
}

/** Remembers which file is open. SQLite must have read from it before, so that its log and its index exist. */
export const makeOpenedFile = (where: string): Effect.Effect<OpenedFile, StorageError> => {
  if (where === ":memory:") {
    return Effect.succeed({ refuseMoved: Effect.void, refuseFromNow: () => Effect.void, index: undefined })
  }
  const attempt = <A>(read: () => A) => Effect.try({ try: read, catch: storageError(where) })
  return Effect.gen(function*() {
    const path = resolve(where)
    const real = yield* attempt(() => realpathSync(path))
    // Synchronous, because no disk is asked: it takes 3 µs, and 25 µs through the thread pool.
    const look = attempt(() =>
      [path, `${real}-wal`, `${real}-shm`].map((file) => statSync(file, { bigint: true, throwIfNoEntry: false }))
    )
    const found = yield* look
    const opened = found.map(identityOf)
    const [database, , index] = found
    let refused: StorageError | undefined
    const isOverwritten = overwrittenSince(path, `${real}-shm`, identityOf(index))
    const refuseMoved = Effect.flatMap(look, (now) => {
      if (refused !== undefined) return refused
      const other = now.findIndex((each, part) => identityOf(each) !== opened[part])
      if (other >= 0) {
        return new StorageError({ reason: "Moved", where, words: `${parts[other]} is not the one that was opened` })
      }
      const names = now[0]?.nlink ?? 1n
      if (names > 1n) return hardLinkError(where, names)
      if (now[0] === undefined || !isOverwritten(now[0])) return Effect.void
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
      }
    }
  })
}
