import { Clock, Duration, Effect } from "effect"

interface Sleeper {
  readonly at: number
  readonly order: number
  readonly wake: () => void
}

/**
 * Runs with a clock that jumps to the next wake-up as soon as nothing else is to be done. Beside TestClock for runs of
 * hours with ten thousands of wake-ups, each of which costs that one some milliseconds.
 */
export const withVirtualTime = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    let now = 0
    let order = 0
    const sleepers = new Set<Sleeper>()
    const clock: Clock.Clock = {
      [Clock.ClockTypeId]: Clock.ClockTypeId,
      unsafeCurrentTimeMillis: () => now,
      unsafeCurrentTimeNanos: () => BigInt(Math.floor(now)) * 1_000_000n,
      currentTimeMillis: Effect.sync(() => now),
      currentTimeNanos: Effect.sync(() => BigInt(Math.floor(now)) * 1_000_000n),
      sleep: (duration) =>
        Effect.async<void>((resume) => {
          const sleeper = { at: now + Duration.toMillis(duration), order: order++, wake: () => resume(Effect.void) }
          sleepers.add(sleeper)
          return Effect.sync(() => sleepers.delete(sleeper))
        })
    }
    // After an immediate every microtask is done: whoever can go on has.
    const idle = Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))
    const step = Effect.sync(() => {
      let next: Sleeper | undefined
      for (const one of sleepers) {
        if (next === undefined || one.at < next.at || (one.at === next.at && one.order < next.order)) next = one
      }
      if (next === undefined) return
      sleepers.delete(next)
      now = Math.max(now, next.at)
      next.wake()
    })
    return Effect.raceFirst(Effect.withClock(effect, clock), Effect.forever(Effect.zipRight(idle, step)))
  })
