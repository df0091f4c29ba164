import { Clock, Duration, Effect } from "effect"

/** A clock that can be set, as a computer's can, and that can run faster than time. */
export interface MovableClock {
  readonly clock: Clock.Clock
  /** Sets it forward or (negative) back by so many milliseconds. Only what it shows moves: sleeps last as long as they do. */
  readonly shift: (millis: number) => Effect.Effect<void>
}

/**
 * Over another clock: a TestClock's own nanoseconds throw while it stands between two milliseconds, these do not. `speed` 100: what
 * lasts 5 minutes by this one is over in 3 seconds.
 */
export const make = (base: Clock.Clock, speed = 1): MovableClock => {
  const begin = { millis: base.unsafeCurrentTimeMillis(), nanos: base.unsafeCurrentTimeNanos() }
  let offset = 0
  const millis = () => begin.millis + (base.unsafeCurrentTimeMillis() - begin.millis) * speed + offset
  // The monotonic one, which no setting of the computer's clock moves.
  const nanos = () => begin.nanos + (base.unsafeCurrentTimeNanos() - begin.nanos) * BigInt(speed)
  return {
    clock: {
      [Clock.ClockTypeId]: Clock.ClockTypeId,
      unsafeCurrentTimeMillis: millis,
      currentTimeMillis: Effect.sync(millis),
      unsafeCurrentTimeNanos: nanos,
      currentTimeNanos: Effect.sync(nanos),
      sleep: (duration) => base.sleep(Duration.millis(Duration.toMillis(duration) / speed))
    },
    shift: (millis) =>
      Effect.sync(() => {
        offset += millis
      })
  }
}
