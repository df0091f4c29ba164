import { Effect } from "effect"
import { StorageError } from "./StorageError.js"

/**
 * How a background loop goes on while storage fails: it tries again each second. The log says once that storage fails,
 * and once that it works again. All else that an effect fails with is the caller's.
 */
export interface StorageTrouble {
  /** Repeats an effect that only reads until storage does not fail. */
  readonly untilRead: <A, E>(effect: Effect.Effect<A, E | StorageError>) => Effect.Effect<A, E>
  /** Repeats an effect that writes until storage does not fail. */
  readonly untilWritten: <A, E>(effect: Effect.Effect<A, E | StorageError>) => Effect.Effect<A, E>
  /** Why storage fails at present; none while it works. */
  readonly failure: Effect.Effect<StorageError | undefined>
}

/** One for each loop or group of loops: what one of them finds is true for the others. */
export const makeStorageTrouble: Effect.Effect<StorageTrouble> = Effect.sync(() => {
  let failure: StorageError | undefined
  let failedToWrite = false

  const failed = (error: StorageError, writes: boolean) =>
    Effect.suspend(() => {
      const isNew = failure === undefined
      failure = error
      failedToWrite ||= writes
      return isNew ? Effect.logError(`${error.message}. Trying again each second`) : Effect.void
    })

  // A full disk can still be read: after a failed write, only a write shows that storage works again.
  const succeeded = (writes: boolean) =>
    Effect.suspend(() => {
      if (failure === undefined || (failedToWrite && !writes)) return Effect.void
      failure = undefined
      failedToWrite = false
      return Effect.logInfo("Storage works again")
    })

  // By hand, because a Schedule takes as long as a statement even where nothing fails.
  const until = (writes: boolean) => <A, E>(effect: Effect.Effect<A, E | StorageError>): Effect.Effect<A, E> =>
    Effect.matchEffect(effect, {
      onSuccess: (value) => Effect.as(succeeded(writes), value),
      onFailure: (error) =>
        error instanceof StorageError
          ? failed(error, writes).pipe(
            Effect.zipRight(Effect.sleep("1 second")),
            Effect.zipRight(until(writes)(effect))
          )
          : Effect.fail(error)
    })

  return { untilRead: until(false), untilWritten: until(true), failure: Effect.sync(() => failure) }
})
