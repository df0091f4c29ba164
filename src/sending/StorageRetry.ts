import { Effect } from "effect"
import type { LeadershipLost } from "../outbox/Leadership.js"
import type { StorageError } from "../storage/StorageError.js"

type Tried = <A>(effect: Effect.Effect<A, StorageError | LeadershipLost>) => Effect.Effect<A>

/** What the workers ask of storage, tried again each second until storage works. */
export interface StorageRetry {
  readonly read: Tried
  readonly write: Tried
  /** Why storage fails, until it works again. */
  readonly failure: () => StorageError | undefined
}

/**
 * A failure is logged once, and so is its end. When another process has taken over, `onLost` is run and the caller waits
 * for ever: `onLost` has to end it. It is a loop by hand, because a Schedule takes as long as a statement, also where
 * nothing fails.
 */
export const makeStorageRetry = (onLost: Effect.Effect<void>): StorageRetry => {
  let failure: StorageError | undefined
  let failedWriting = false

  const failed = (error: StorageError, writes: boolean) =>
    Effect.suspend(() => {
      const isNew = failure === undefined
      failure = error
      failedWriting ||= writes
      return isNew ? Effect.logError(`${error.message}. Trying again each second`) : Effect.void
    })

  // A full disk can be read without an error: only a write shows that writing works again.
  const succeeded = (writes: boolean) =>
    Effect.suspend(() => {
      if (failure === undefined || (failedWriting && !writes)) return Effect.void
      failure = undefined
      failedWriting = false
      return Effect.logInfo("Storage works again")
    })

  const tried = (writes: boolean): Tried => (effect) =>
    Effect.matchEffect(effect, {
      onSuccess: (value) => Effect.as(succeeded(writes), value),
      onFailure: (error) =>
        error._tag === "LeadershipLost"
          ? Effect.zipRight(onLost, Effect.never)
          : failed(error, writes).pipe(
            Effect.zipRight(Effect.sleep("1 second")),
            Effect.zipRight(tried(writes)(effect))
          )
    })

  return { read: tried(false), write: tried(true), failure: () => failure }
}
