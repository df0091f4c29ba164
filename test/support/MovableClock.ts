import { Clock, Duration, Effect } from "effect"

/** A clock that can be set, as a computer's can, and that can run faster than real time. */
export interface MovableClock {
  readonly clock: Clock.Clock
  /**
   * Sets it forward, or back if `millis` is negative. Only the time that it shows changes: sleeps last as long as
   * before.
   */
  readonly shift: (millis: number) => Effect.Effect<void>
}

/**
 * Makes a clock over another one. A TestClock's own nanoseconds throw while it stands between two milliseconds; these
 * do not. With `speed` 100, 5 minutes by this clock are over in 3 seconds. No sleep is made shorter than `least`: so
 * what waits 10 seconds for an answer still does so for a time in which a busy machine can give one.
 */
export const make = (base: Clock.Clock, speed = 1, least: Duration.DurationInput = 0): MovableClock => {
  const begin = { millis: base.unsafeCurrentTimeMillis(), nanos: base.unsafeCurrentTimeNanos() }
  let offset = 0
  const millis = () => begin.millis + (base.unsafeCurrentTimeMillis() - begin.millis) * speed + offset
  // The monotonic clock, which setting the computer's clock does not move.
  const nanos = () => begin.nanos + (base.unsafeCurrentTimeNanos() - begin.nanos) * BigInt(speed)
  return {
    clock: {
      [Clock.ClockTypeId]: Clock.ClockTypeId,
      unsafeCurrentTimeMillis: millis,
      currentTimeMillis: Effect.sync(millis),
      unsafeCurrentTimeNanos: nanos,
      currentTimeNanos: Effect.sync(nanos),
      sleep: (duration) => base.sleep(Duration.max(Duration.times(duration, 1 / speed), Duration.min(duration, least)))
    },
    shift: (millis) =>
      Effect.sync(() => {
        offset += millis
      })
  }
}

/** Runs an effect, and whatever it starts, by a clock that is so many times as fast. Its waiting is as much shorter. */
export const faster = (speed: number) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.clock, (base) => Effect.withClock(effect, make(base, speed).clock))
