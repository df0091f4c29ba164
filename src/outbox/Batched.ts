import type { Scope } from "effect"
import { Chunk, Deferred, Effect, Queue } from "effect"

/**
 * Lets concurrent callers share one run of `run`, and with it the wait for the disk: what is asked for while one run
 * goes on is in the next. One fiber runs them all, so a caller's interruption, context and open transaction stay
 * outside: what was asked for is done even when the caller has gone. A group that fails for a reason that may be one
 * item's (`isItems`) is run again one by one, so that each fails only for its own. After the scope has closed every call fails with `closed`.
 */
export const batched = <I, O, E>(
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
      readonly answer: Deferred.Deferred<O, E>
    }
    // Each caller waits for its own answer, so the queue is never longer than there are callers.
    const queue = yield* Queue.unbounded<Asked>()
    let closed = false

    const one = (asked: Asked) =>
      options.run([asked.item]).pipe(
        Effect.flatMap(([result]) =>
          result === undefined ? Effect.dieMessage("a run answers every item") : Effect.succeed(result)
        ),
        Effect.intoDeferred(asked.answer)
      )

    const all = (group: ReadonlyArray<Asked>): Effect.Effect<void> =>
      group.length === 0 ? Effect.void : Effect.matchEffect(options.run(group.map(({ item }) => item)), {
        onSuccess: (results) =>
          Effect.forEach(results, (result, index) => {
            const asked = group[index]
            return asked === undefined ? Effect.void : Deferred.succeed(asked.answer, result)
          }, { discard: true }),
        // A group of one is tried twice: rare, and it does no harm.
        onFailure: (error) =>
          Effect.forEach(
            group,
            (asked) => options.isItems(error) ? one(asked) : Deferred.fail(asked.answer, error),
            { discard: true }
          )
      })

    // Runs last, after the fiber below has ended: what was accepted until then is still done.
    yield* Effect.addFinalizer(() =>
      Effect.flatMap(Queue.takeAll(queue), (rest) => all(Chunk.toReadonlyArray(rest))).pipe(Effect.asVoid)
    )

    yield* Effect.uninterruptibleMask((restore) =>
      restore(Queue.takeBetween(queue, 1, options.maxItems)).pipe(
        Effect.flatMap((group) => all(Chunk.toReadonlyArray(group)))
      )
    ).pipe(Effect.forever, Effect.forkScoped)

    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        closed = true
      })
    )

    const ask = (item: I) =>
      Effect.gen(function*() {
        const answer = yield* Deferred.make<O, E>()
        yield* Queue.offer(queue, { item, answer })
        return yield* Deferred.await(answer)
      })

    return (item) => Effect.suspend(() => closed ? Effect.fail(options.closed) : ask(item))
  })
