import { Context, Effect, Layer } from "effect"
import { statSync } from "node:fs"
import { Storage } from "./Storage.js"
import { isDamage } from "./StorageError.js"

/**
 * Has the database file checked for damage, once, beside everything else. What was accepted before damage was found
 * stays in the file, and nothing is accepted after it.
 */
export class Integrity extends Context.Tag("plane-sync/Integrity")<Integrity, {
  /** What is not known of the file yet, or was found, in words. Undefined when it is whole, or is not ours. */
  readonly doubt: Effect.Effect<string | undefined>
}>() {
  static readonly layer: Layer.Layer<Integrity, never, Storage> = Layer.scoped(Integrity, Effect.suspend(() => make))
}

/** How a doubt ends that is over by itself, once the file was checked. */
export const beingChecked = "the file is being checked for damage, and is used meanwhile"

const warnOfReaders = (where: string) =>
  Effect.suspend(() => {
    const mode = statSync(where, { throwIfNoEntry: false })?.mode ?? 0
    // Windows has no such modes.
    return process.platform === "win32" || (mode & 0o006) === 0 ? Effect.void : Effect.logWarning(
      `Every user of this machine can read ${where}, which has what was published: ` +
        `\`chmod 600\` it, its -wal and its -shm (its mode is ${(mode & 0o777).toString(8).padStart(4, "0")})`
    )
  })

const make = Effect.gen(function*() {
  const { check, where } = yield* Storage
  if (check === undefined) return Integrity.of({ doubt: Effect.succeed(undefined) })
  yield* warnOfReaders(where)
  let doubt: string | undefined = `Storage ${where}: ${beingChecked}`
  yield* check.pipe(
    Effect.tap(() => Effect.sync(() => doubt = undefined)),
    Effect.catchAll((error) => {
      doubt = isDamage(error) ? error.message : undefined
      return isDamage(error)
        ? Effect.logError(error.message)
        : Effect.logWarning(`Whether the file is damaged could not be checked: ${error.message}`)
    }),
    Effect.annotateLogs({ service: "Integrity" }),
    Effect.forkScoped
  )
  return Integrity.of({ doubt: Effect.sync(() => doubt) })
})
