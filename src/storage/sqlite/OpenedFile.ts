import { Effect } from "effect"
import type { BigIntStats } from "node:fs"
import { realpathSync, statSync } from "node:fs"
import { resolve } from "node:path"
import { StorageError, storageError } from "../StorageError.js"
import type { IndexFile } from "./IndexFile.js"
import { strangersNow } from "./IndexFile.js"
import { hardLinkError } from "./LinkedFile.js"

/** Which file is open, as it was when it was opened. */
export interface OpenedFile {
  /**
   * Fails while the open file, its log or its index is no longer the one at its path. What we write to a removed file
   * is lost when it is closed, and another process that opens the path gets a database, and becomes a leader, of its
   * own. The log and the index count as much as the file: without the same index, another process neither sees our
   * commits nor spares them. Fails also while the file has a second name.
   */
  readonly refuseMoved: Effect.Effect<void, StorageError>
  /** Undefined for a database in memory. */
  readonly index: IndexFile | undefined
}

const parts = ["the file", "its log (-wal)", "its index (-shm)"] as const

const identityOf = (found: BigIntStats | undefined) => found === undefined ? "none" : `${found.dev}:${found.ino}`

/** Remembers which file is open. SQLite must have read from it before, so that its log and its index exist. */
export const makeOpenedFile = (where: string): Effect.Effect<OpenedFile, StorageError> => {
  if (where === ":memory:") return Effect.succeed({ refuseMoved: Effect.void, index: undefined })
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
    const refuseMoved = Effect.flatMap(look, (now) => {
      const other = now.findIndex((each, part) => identityOf(each) !== opened[part])
      if (other >= 0) {
        return new StorageError({ reason: "Moved", where, words: `${parts[other]} is not the one that was opened` })
      }
      const names = now[0]?.nlink ?? 1n
      return names > 1n ? hardLinkError(where, names) : Effect.void
    })
    return {
      refuseMoved,
      index: {
        identity: identityOf(index),
        strangers: () =>
          database === undefined || index === undefined ? undefined : strangersNow(database.ino, index.ino)
      }
    }
  })
}
