import type { SqlError } from "@effect/sql/SqlError"
import type { Scope } from "effect"
import { Duration, Effect } from "effect"
import type { MonotonicMillis } from "../base/Time.js"
import { monotonicMillis } from "../base/Time.js"
import { isForGood, isStatementError, StorageError } from "./StorageError.js"

/**
 * How background loops go on while storage fails: they try again each second. The log says once that storage fails, and
 * once that it works again, however many loops have met it. All else that an effect fails with is the caller's.
 *
 * A full disk can still be read, and has room for a small write or for one that changes nothing. So after a write has
 * failed, storage works again only when a write went through that has changed something, all that was repeated has
 * succeeded, and nobody's write has failed for 5 seconds.
 */
export interface StorageTrouble {
  /** Repeats an effect until storage does not fail. */
  readonly retry: <A, E>(effect: Effect.Effect<A, E | StorageError>) => Effect.Effect<A, E>
  /** Why storage fails at present; none while it works. */
  readonly failure: Effect.Effect<StorageError | undefined>
  /**
   * A way to commit, of which every write is noticed. `changes` runs within a transaction: how many rows its last
   * statement has changed.
   */
  readonly watch: (changes: Effect.Effect<number, SqlError>, commit: Commit) => Commit
}

type Commit = <A>(effect: Effect.Effect<A, SqlError>) => Effect.Effect<A, StorageError>

/** How long nobody's write may have failed. Those that are repeated tell by themselves that they have succeeded. */
const quiet = Duration.toMillis("5 seconds")

/** One for each storage, so that all who write to it know the same. */
export const makeStorageTrouble: Effect.Effect<StorageTrouble, never, Scope.Scope> = Effect.gen(function*() {
  const scope = yield* Effect.scope
  let failure: StorageError | undefined
  let isSaid = false
  let needsWrite = false
  // How many effects are being repeated.
  let repeated = 0
  // The last write that failed, and is not repeated as far as is known.
  let given: { readonly error: StorageError; readonly at: MonotonicMillis } | undefined
  let isWaiting = false

  const failed = (error: StorageError) =>
    Effect.suspend(() => {
      const isNew = !isSaid
      isSaid = true
      failure = error
      if (given?.error === error) given = undefined
      return isNew
        ? Effect.logError(isForGood(error) ? error.message : `${error.message}. Trying again each second`)
        : Effect.void
    })

  const writeFailed = (error: StorageError) =>
    isStatementError(error) || error.reason === "Closed" ? Effect.void : Effect.map(monotonicMillis, (at) => {
      failure ??= error
      needsWrite = true
      given = { error, at }
    })

  const succeeded: Effect.Effect<void> = Effect.gen(function*() {
    if (failure === undefined || repeated > 0 || needsWrite) return
    const left = given === undefined ? 0 : quiet - ((yield* monotonicMillis) - given.at)
    if (left > 0) {
      if (isWaiting) return
      isWaiting = true
      const after = Effect.suspend(() => {
        isWaiting = false
        return succeeded
      })
      // Also where the write was of a finalizer: the end of the scope must not wait for it.
      yield* Effect.forkIn(Effect.interruptible(Effect.delay(after, left)), scope)
      return
    }
    failure = undefined
    given = undefined
    isSaid = false
    yield* Effect.logInfo("Storage works again")
  })

  const wrote = (rows: number) =>
    Effect.suspend(() => {
      if (rows === 0) return Effect.void
      needsWrite = false
      return succeeded
    })

  const watch: StorageTrouble["watch"] = (changes, commit) => (effect) =>
    Effect.suspend(() => {
      if (failure === undefined) return Effect.tapError(commit(effect), writeFailed)
      return commit(Effect.zip(effect, changes)).pipe(
        Effect.tapError(writeFailed),
        Effect.tap(([, rows]) => wrote(rows)),
        Effect.map(([value]) => value)
      )
    })

  const orElse = <A, E>(effect: Effect.Effect<A, E | StorageError>, otherwise: Effect.Effect<A, E>) =>
    Effect.matchEffect(effect, {
      onSuccess: Effect.succeed<A>,
      onFailure: (error): Effect.Effect<A, E> =>
        error instanceof StorageError ? Effect.zipRight(failed(error), otherwise) : Effect.fail(error)
    })

  const repeat = <A, E>(effect: Effect.Effect<A, E | StorageError>): Effect.Effect<A, E> =>
    orElse(Effect.delay(effect, "1 second"), Effect.suspend(() => repeat(effect)))

  const counted = Effect.acquireRelease(
    Effect.sync(() => {
      repeated += 1
    }),
    () =>
      Effect.sync(() => {
        repeated -= 1
      })
  )

  return {
    retry: (effect) =>
      Effect.tap(orElse(effect, Effect.scoped(Effect.zipRight(counted, repeat(effect)))), () => succeeded),
    failure: Effect.sync(() => failure),
    watch
  }
})
