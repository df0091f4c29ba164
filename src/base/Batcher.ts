import type { Scope } from "effect"
import { Cause, Clock, Duration, Effect, Exit, Option } from "effect"
import { tracedIfCollected } from "./Tracing.js"

/** For how long runs may follow each other before the event loop gets a turn. */
const longestBlocking = Duration.unsafeToNanos("50 millis")

/** Whoever has waited for longer than this when a run fails is not kept waiting for another one. */
const longestBehind = Duration.unsafeToNanos("1 second")

/**
 * Makes a function whose concurrent callers share one run of `run`, and with it the wait for the disk: items that come
 * during one run are in the next.
 *
 * One fiber does all runs, so a caller's interruption, context and open transaction have no effect on them: an item is
 * processed even when its caller has gone. When the scope closes, accepted items are still processed, and every later
 * call fails with `closed`.
 */
export const makeBatcher = <I, O, E>(
  options: {
    /** Answers with the results in the order of the items. */
    readonly run: (items: ReadonlyArray<I>) => Effect.Effect<ReadonlyArray<O>, E>
    /**
     * Whether a run may have failed because of one item. Then each of its items is run again alone, so that only the
     * item at fault fails.
     */
    readonly runSinglyAfter: (error: E) => boolean
    /**
     * What those are answered who have waited for more than a second behind a run that failed. The next one may take as
     * long and fail as well. Without it, they are run all the same.
     */
    readonly behind?: (error: E) => E
    readonly maxItems: number
    readonly closed: E
  }
): Effect.Effect<(item: I) => Effect.Effect<O, E>, never, Scope.Scope> =>
  Effect.gen(function*() {
    interface Waiting {
      readonly item: I
      readonly since: bigint
      readonly answer: (result: Exit.Exit<O, E>) => void
    }
    // An array and a latch, because a Queue and a Deferred per caller took half of a publish's time. It is not bounded:
    // every caller waits for its answer, so there are never more items than callers.
    let waiting: Array<Waiting> = []
    const hasItems = Effect.unsafeMakeLatch(false)
    let isClosed = false

    const take = (): ReadonlyArray<Waiting> => {
      const batch = waiting.slice(0, options.maxItems)
      waiting = waiting.slice(options.maxItems)
      if (waiting.length === 0) hasItems.unsafeClose()
      return batch
    }

    const runOne = ({ answer, item }: Waiting) =>
      options.run([item]).pipe(
        Effect.flatMap(([result]) =>
          result === undefined ? Effect.dieMessage("a run answers every item") : Effect.succeed(result)
        ),
        Effect.exit,
        Effect.map(answer)
      )

    const answerAll = (failed: ReadonlyArray<Waiting>, cause: Cause.Cause<E>) => {
      for (const { answer } of failed) answer(Exit.failCause(cause))
    }

    const failBehind = (cause: Cause.Cause<E>) =>
      Effect.map(Clock.currentTimeNanos, (now) => {
        const { behind } = options
        if (behind === undefined || !Cause.isFailure(cause)) return
        const isLate = ({ since }: Waiting) => now - since > longestBehind
        const late = waiting.filter(isLate)
        waiting = waiting.filter((item) => !isLate(item))
        if (waiting.length === 0) hasItems.unsafeClose()
        answerAll(late, Cause.map(cause, behind))
      })

    // Every failure, and every bug, is passed on to the callers. If it ended this fiber, all later callers would hang.
    const runAll = (batch: ReadonlyArray<Waiting>): Effect.Effect<void> =>
      Effect.matchCauseEffect(options.run(batch.map(({ item }) => item)), {
        onSuccess: (results) =>
          Effect.sync(() => {
            for (const [index, result] of results.entries()) batch[index]?.answer(Exit.succeed(result))
          }),
        // A batch of one item is run twice, which is rare and does no harm.
        onFailure: (cause) =>
          // Nothing from outside interrupts a run. An item that interrupts itself must not end the others.
          Cause.isInterruptedOnly(cause) || Option.exists(Cause.failureOption(cause), options.runSinglyAfter)
            ? Effect.forEach(batch, runOne, { discard: true })
            : Effect.zipRight(Effect.sync(() => answerAll(batch, cause)), failBehind(cause))
      })

    const runNext = Effect.suspend(() => runAll(take()))

    // Runs of a synchronous database follow each other without a turn of the event loop as long as callers keep coming.
    // Then timers, requests and answers would stand still.
    let blockingSince: bigint | undefined
    const giveWay = Effect.flatMap(Clock.currentTimeNanos, (now) => {
      if (blockingSince === undefined) {
        blockingSince = now
        setImmediate(() => {
          blockingSince = undefined
        })
      }
      return now - blockingSince < longestBlocking
        ? Effect.void
        : Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))
    })

    // Finalizers run in reverse order: first no more items are accepted, then the fiber ends, then what is left is run.
    yield* Effect.addFinalizer(() =>
      Effect.whileLoop({ while: () => waiting.length > 0, body: () => runNext, step: () => {} })
    )

    yield* Effect.uninterruptibleMask((restore) =>
      Effect.zipRight(restore(hasItems.await), Effect.zipRight(runNext, giveWay))
    ).pipe(
      Effect.forever,
      tracedIfCollected,
      Effect.forkScoped
    )

    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        isClosed = true
      })
    )

    return (item) =>
      Effect.flatMap(Clock.currentTimeNanos, (since) =>
        Effect.async<O, E>((resume) => {
          if (isClosed) return resume(Exit.fail(options.closed))
          waiting.push({ item, since, answer: resume })
          hasItems.unsafeOpen()
        }))
  })
