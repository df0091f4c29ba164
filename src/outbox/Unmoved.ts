import { Effect } from "effect"
import { realpathSync, statSync } from "node:fs"
import { resolve } from "node:path"
import { StorageError, storageError } from "./StorageError.js"

/**
 * Fails once another file, or none, is where the one that is open was: what would be written is on no disk any more when
 * that is closed, and whoever opens the path has a database, and is a sender, of its own. The log is as much of the
 * database.
 */
export const makeUnmoved = (where: string): Effect.Effect<Effect.Effect<void, StorageError>, StorageError> => {
  if (where === ":memory:") return Effect.succeed(Effect.void)
  const attempt = <A>(read: () => A) => Effect.try({ try: read, catch: storageError(where) })
  return Effect.gen(function*() {
    const path = resolve(where)
    const log = `${yield* attempt(() => realpathSync(path))}-wal`
    // It asks no disk, and takes 3 µs: by the thread pool it takes 25.
    const identify = (file: string) => {
      const found = statSync(file, { bigint: true, throwIfNoEntry: false })
      return found === undefined ? "none" : `${found.dev}:${found.ino}`
    }
    const identity = attempt(() => `${identify(path)} ${identify(log)}`)
    const opened = yield* identity
    return Effect.flatMap(identity, (found) =>
      found === opened ? Effect.void : new StorageError({
        reason: "Moved",
        where,
        words: "it is not the file that was opened"
      }))
  })
}
