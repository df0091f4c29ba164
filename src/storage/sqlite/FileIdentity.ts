import { Effect } from "effect"
import type { BigIntStats } from "node:fs"
import { realpathSync, statSync } from "node:fs"
import { resolve } from "node:path"
import { StorageError, storageError } from "../StorageError.js"
import type { IndexFile } from "./IndexFile.js"
import { strangers } from "./IndexFile.js"
import { linked } from "./SinglePath.js"

/** The file that is open, as it was opened. */
export interface Opened {
  /**
   * Fails once another file, or none, is where the one that is open was: what would be written is on no disk any more when
   * that is closed, and whoever opens the path has a database, and is a sender, of its own. The log is as much of the
   * database, and so is its index: without it another process neither sees our commits nor leaves them alone. Fails as well
   * while the file has a second name.
   */
  readonly unmoved: Effect.Effect<void, StorageError>
  readonly index: IndexFile | undefined
}

const parts = ["the file", "its log (-wal)", "its index (-shm)"] as const

const identityOf = (found: BigIntStats | undefined) => found === undefined ? "none" : `${found.dev}:${found.ino}`

/** Looks at the file, which SQLite has read by now, so that its log and its index are there. */
export const makeOpened = (where: string): Effect.Effect<Opened, StorageError> => {
  if (where === ":memory:") return Effect.succeed({ unmoved: Effect.void, index: undefined })
  const attempt = <A>(read: () => A) => Effect.try({ try: read, catch: storageError(where) })
  return Effect.gen(function*() {
    const path = resolve(where)
    const real = yield* attempt(() => realpathSync(path))
    // It asks no disk, and takes 3 µs: by the thread pool it takes 25.
    const look = attempt(() =>
      [path, `${real}-wal`, `${real}-shm`].map((file) => statSync(file, { bigint: true, throwIfNoEntry: false }))
    )
    const found = yield* look
    const opened = found.map(identityOf)
    const [database, , index] = found
    const unmoved = Effect.flatMap(look, (now) => {
      const other = now.findIndex((each, part) => identityOf(each) !== opened[part])
      if (other >= 0) {
        return new StorageError({ reason: "Moved", where, words: `${parts[other]} is not the one that was opened` })
      }
      const links = now[0]?.nlink ?? 1n
      return links > 1n ? linked(where, links) : Effect.void
    })
    return {
      unmoved,
      index: {
        identity: identityOf(index),
        strangers: () => database === undefined || index === undefined ? undefined : strangers(database.ino, index.ino)
      }
    }
  })
}
