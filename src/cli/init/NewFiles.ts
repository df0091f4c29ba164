import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import { Data, Effect } from "effect"
import { uuidV7 } from "../../base/UuidV7.js"

/** A file that is to be there, with its whole text. */
export interface NewFile {
  readonly path: string
  readonly text: string
}

/** A file that cannot be written. */
export class Unwritten extends Data.TaggedError("Unwritten")<{ readonly path: string; readonly cause: PlatformError }> {
  override get message(): string {
    return `${this.path} cannot be written (${this.cause.message})`
  }
}

// Nobody but the owner may read them: one holds secrets.
const mode = 0o600

/**
 * Writes all files or none: each under another name first, so that a program that ends meanwhile leaves nothing half
 * written. What is there is replaced; where a link leads to it, the link stays.
 */
export const writeNewFiles = (
  files: ReadonlyArray<NewFile>
): Effect.Effect<void, Unwritten, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const system = yield* FileSystem.FileSystem
    const written = yield* Effect.forEach(files, ({ path, text }) =>
      Effect.gen(function*() {
        const target = yield* Effect.orElseSucceed(system.realPath(path), () => path)
        const draft = `${target}.${yield* uuidV7}.new`
        yield* Effect.addFinalizer(() => Effect.ignore(system.remove(draft, { force: true })))
        yield* system.writeFileString(draft, text, { flag: "wx", mode })
        return { draft, path, target }
      }).pipe(Effect.mapError((cause) => new Unwritten({ path, cause }))))
    for (const { draft, path, target } of written) {
      yield* Effect.mapError(system.rename(draft, target), (cause) => new Unwritten({ path, cause }))
    }
  }).pipe(Effect.scoped, Effect.uninterruptible)
