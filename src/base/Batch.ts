import type { Scope } from "effect"
import { Cause, Clock, Effect, Exit, Option } from "effect"
import { tracedIfCollected } from "./Tracing.js"

/** How long the event loop may owe everybody else a turn, in nanoseconds. */
const longestBlocking = 50_000_000n

/**
 * Lets concurrent callers share one run of `run`, and with it the wait for the disk: what is asked for while one run
 * goes on is in the next. One fiber runs them all, so a caller's interruption, context and open transaction stay
 * outside: what was asked for is done even when the caller has gone. A group that fails for a reason that may be one
 * item's (`isItems`) is run again one by one, so that each fails only for its own. After the scope has closed every call
 * fails with `closed`.
 *
 * An array and a latch: a Queue and a Deferred a caller took half of a publish's time (measured).
 */
export const makeBatch = <I, O, E>(
  options: {
    /** Results in the order of the items. */
    readonly run: (items: ReadonlyArray<I>) => Effect.Effect<ReadonlyArray<O>, E>
    readonly isItems: (error: E) => boolean
    readonly maxItems: number
    readonly closed: E
  }
): Effect.Effect<(item: I) => Effect.Effect<O, E>, never, Scope.Scope> =>
  Effect.gen(function*() {
    interface Asked {
      readonly item: I
      readonly answer: (result: Exit.Exit<O, E>) => void
    }
    // Each caller waits for its own answer, so there are never more than callers.
    let waiting: Array<Asked> = []
    const asked = Effect.unsafeMakeLatch(false)
    let closed = false

    const take = (): ReadonlyArray<Asked> => {
      const group = waiting.slice(0, options.maxItems)
      waiting = waiting.slice(options.maxItems)
      if (waiting.length === 0) asked.unsafeClose()
      return group
    }

    const one = ({ answer, item }: Asked) =>
      options.run([item]).pipe(
        Effect.flatMap(([result]) =>
          result === undefined ? Effect.dieMessage("a run answers every item") : Effect.succeed(result)
        ),
        Effect.exit,
        Effect.map(answer)
      )

    // Whatever a run comes to, a bug of ours too, is its callers': without this fiber all who come after would hang.
    const all = (group: ReadonlyArray<Asked>): Effect.Effect<void> =>
      Effect.matchCauseEffect(options.run(group.map(({ item }) => item)), {
        onSuccess: (results) =>
          Effect.sync(() => {
            for (const [index, result] of results.entries()) group[index]?.answer(Exit.succeed(result))
          }),
        // A group of one is tried twice: rare, and it does no harm.
        onFailure: (cause) =>
          Option.exists(Cause.failureOption(cause), options.isItems)
            ? Effect.forEach(group, one, { discard: true })
            : Effect.sync(() => {
              for (const { answer } of group) answer(Exit.failCause(cause))
            })
      })

    const next = Effect.suspend(() => all(take()))

    // Runs of a synchronous database follow each other without the event loop having a turn, for as long as callers keep
    // asking: timers, requests and answers would stand still.
    let owedSince: bigint | undefined
    const giveWay = Effect.flatMap(Clock.currentTimeNanos, (now) => {
      if (owedSince === undefined) {
        owedSince = now
        setImmediate(() => {
          owedSince = undefined
        })
      }
      return now - owedSince < longestBlocking
        ? Effect.void
        : Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))
    })

    // Runs last, after the fiber below has ended: what was accepted until then is still done.
    yield* Effect.addFinalizer(() =>
      Effect.whileLoop({ while: () => waiting.length > 0, body: () => next, step: () => {} })
    )

    yield* Effect.uninterruptibleMask((restore) =>
      Effect.zipRight(restore(asked.await), Effect.zipRight(next, giveWay))
    ).pipe(
      Effect.forever,
      tracedIfCollected,
      Effect.forkScoped
    )

    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        closed = true
      })
    )

    return (item) =>
      Effect.async<O, E>((resume) => {
        if (closed) return resume(Exit.fail(options.closed))
        waiting.push({ item, answer: resume })
        asked.unsafeOpen()
      })
  })
