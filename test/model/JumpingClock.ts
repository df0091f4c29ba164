import { Clock, Duration, Effect } from "effect"

interface Sleeper {
  readonly until: number
  readonly wake: () => void
}

/** The real clock, moved on by jumps that wake whoever sleeps until then. Sockets take the time that they take. */
export interface JumpingClock {
  readonly clock: Clock.Clock
  /** The moment that it shows, in milliseconds. */
  readonly now: () => number
  /** Goes on by so many milliseconds at once. */
  readonly jump: (millis: number) => void
}

export const makeJumpingClock = (): JumpingClock => {
  const real = Clock.make()
  const begin = real.unsafeCurrentTimeMillis() - Number(real.unsafeCurrentTimeNanos()) / 1_000_000
  const sleepers = new Set<Sleeper>()
  let jumped = 0
  // Both clocks are one: nobody sets this computer's clock.
  const nanos = () => real.unsafeCurrentTimeNanos() + BigInt(jumped) * 1_000_000n
  const monotonic = () => Number(nanos()) / 1_000_000
  const now = () => Math.floor(begin + monotonic())
  return {
    now,
    jump: (millis) => {
      jumped += millis
      const reached = monotonic()
      const awake = [...sleepers].filter(({ until }) => until <= reached).sort((one, other) => one.until - other.until)
      for (const sleeper of awake) sleeper.wake()
    },
    clock: {
      [Clock.ClockTypeId]: Clock.ClockTypeId,
      unsafeCurrentTimeMillis: now,
      currentTimeMillis: Effect.sync(now),
      unsafeCurrentTimeNanos: nanos,
      currentTimeNanos: Effect.sync(nanos),
      sleep: (duration) =>
        Effect.async<void>((resume) => {
          const millis = Duration.toMillis(duration)
          // A longer timer would end at once. Whoever sleeps for longer than a history takes is woken by a jump.
          const timer = setTimeout(() => sleeper.wake(), Math.min(millis, 60_000_000))
          const forget = () => {
            clearTimeout(timer)
            sleepers.delete(sleeper)
          }
          const sleeper: Sleeper = {
            until: monotonic() + millis,
            wake: () => {
              forget()
              resume(Effect.void)
            }
          }
          sleepers.add(sleeper)
          return Effect.sync(forget)
        })
    }
  }
}
