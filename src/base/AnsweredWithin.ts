import type { Duration } from "effect"
import { Deferred, Effect, Fiber } from "effect"

/**
 * Answers within `duration`: with what the effect gives, or else with what `onTimeout` fails with. Then the effect is
 * interrupted, and nobody waits for its end. Unlike `Effect.timeoutFail`, this holds also where the caller cannot be
 * interrupted; and there the effect goes on when the caller is.
 */
export const answeredWithin = <E1>(
  options: { readonly duration: Duration.DurationInput; readonly onTimeout: () => E1 }
) =>
<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | E1, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const answer = yield* Deferred.make<A, E | E1>()
      const late = Effect.delay(Effect.suspend(() => Deferred.fail(answer, options.onTimeout())), options.duration)
      // Daemons, because a fiber that is interrupted passes that on to its children at once.
      const fibers = [
        yield* Effect.forkDaemon(Effect.interruptible(Effect.intoDeferred(effect, answer))),
        yield* Effect.forkDaemon(Effect.interruptible(late))
      ]
      return yield* Effect.ensuring(
        restore(Deferred.await(answer)),
        Effect.forEach(fibers, Fiber.interruptFork, { discard: true })
      )
    })
  )
