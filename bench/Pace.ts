import { Array, Clock, Duration, Effect, Fiber } from "effect"

/** How long `effect` took, in milliseconds of the monotonic clock. */
export const timed = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<number, E, R> =>
  Effect.gen(function*() {
    const before = yield* Clock.currentTimeNanos
    yield* effect
    return Number((yield* Clock.currentTimeNanos) - before) / 1e6
  })

/**
 * Runs `each` `count` times, `perSecond` a second, every one in a fiber of its own: one that takes long does not make
 * the next begin later, and so look better than it was. Gives how long each took for the fiber that ran it.
 */
export const paced = <E, R>(
  options: {
    readonly count: number
    readonly perSecond: number
    readonly each: (index: number) => Effect.Effect<unknown, E, R>
  }
): Effect.Effect<Array.NonEmptyArray<number>, E, R> =>
  Effect.gen(function*() {
    const start = yield* Clock.currentTimeNanos
    const fibers = yield* Effect.forEach(Array.makeBy(options.count, (index) => index), (index) =>
      Effect.gen(function*() {
        const late = Number((yield* Clock.currentTimeNanos) - start) / 1e6 - index * 1_000 / options.perSecond
        if (late < 0) {
          yield* Effect.sleep(Duration.millis(-late))
        }
        return yield* Effect.fork(timed(options.each(index)))
      }))
    return yield* Effect.forEach(fibers, Fiber.join)
  })

/** How many a second `fibers` fibers get done, each starting its next `each` when its last is done. */
export const atOnce = <E, R>(
  options: {
    readonly fibers: number
    readonly count: number
    readonly each: (index: number) => Effect.Effect<unknown, E, R>
  }
): Effect.Effect<number, E, R> =>
  Effect.map(
    timed(Effect.forEach(
      Array.makeBy(options.fibers, (fiber) => fiber),
      (fiber) =>
        Effect.gen(function*() {
          for (let index = fiber; index < options.count; index += options.fibers) yield* options.each(index)
        }),
      { concurrency: "unbounded", discard: true }
    )),
    (millis) => options.count / millis * 1_000
  )
