import { Array, Clock, Duration, Effect, Fiber } from "effect"

/** How long `effect` took, in milliseconds of the monotonic clock. */
export const timed = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<number, E, R> =>
  Effect.gen(function*() {
    const before = yield* Clock.currentTimeNanos
    yield* effect
    return Number((yield* Clock.currentTimeNanos) - before) / 1e6
  })

/** The times of one effect of a paced run, in milliseconds. */
export interface Paced {
  /** How long the fiber took that ran it. */
  readonly took: number
  /** How long after its due time it began, because a busy event loop kept it waiting. */
  readonly late: number
}

/**
 * Runs `each` `count` times, `perSecond` a second, each time in a separate fiber. So a slow one does not delay the
 * next, which would make the next look better than it was.
 */
export const paced = <E, R>(
  options: {
    readonly count: number
    readonly perSecond: number
    readonly each: (index: number) => Effect.Effect<unknown, E, R>
  }
): Effect.Effect<Array.NonEmptyArray<Paced>, E, R> =>
  Effect.gen(function*() {
    const start = yield* Clock.currentTimeNanos
    const elapsed = Effect.map(Clock.currentTimeNanos, (now) => Number(now - start) / 1e6)
    const fibers = yield* Effect.forEach(Array.makeBy(options.count, (index) => index), (index) =>
      Effect.gen(function*() {
        const now = yield* elapsed
        const early = index * 1_000 / options.perSecond - now
        // A timer takes whole milliseconds; it is due when they are over.
        const pause = Math.max(0, Math.ceil(early))
        const due = early > 0 ? now + pause : now + early
        if (pause > 0) {
          yield* Effect.sleep(Duration.millis(pause))
        }
        return yield* Effect.fork(Effect.gen(function*() {
          const late = Math.max(0, (yield* elapsed) - due)
          return { late, took: yield* timed(options.each(index)) }
        }))
      }))
    return yield* Effect.forEach(fibers, Fiber.join)
  })

/** How many times a second `fibers` fibers get `each` done, if each fiber starts again as soon as it is done. */
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
