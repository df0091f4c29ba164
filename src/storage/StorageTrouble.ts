import { Effect } from "effect"
import { StorageError } from "./StorageError.js"

/**
 * How a background loop goes on while storage fails: it tries again each second. The log says once that storage fails,
 * and once that it works again. All else that an effect fails with is the caller's.
 */
export interface StorageTrouble {
  /** Repeats an effect until storage does not fail. */
  readonly retry: <A, E>(effect: Effect.Effect<A, E | StorageError>) => Effect.Effect<A, E>
  /** Why storage fails at present; none while it works. */
  readonly failure: Effect.Effect<StorageError | undefined>
}

/** One for each loop or group of loops: what one of them finds is true for the others. */
export const makeStorageTrouble: Effect.Effect<StorageTrouble> = Effect.sync(() => {
  let failure: StorageError | undefined
  // How many effects are being repeated. A full disk can still be read, and has room for a small write: storage works
  // again only when all that failed has succeeded.
  let repeated = 0

  const failed = (error: StorageError) =>
    Effect.suspend(() => {
      const isNew = failure === undefined
      failure = error
      return isNew ? Effect.logError(`${error.message}. Trying again each second`) : Effect.void
    })

  const succeeded = Effect.suspend(() => {
    if (failure === undefined || repeated > 0) return Effect.void
    failure = undefined
    return Effect.logInfo("Storage works again")
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
    failure: Effect.sync(() => failure)
  }
})
