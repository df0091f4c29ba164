import { Clock, Context, DefaultServices, Effect } from "effect"

const liveClock = Context.get(DefaultServices.liveServices, Clock.Clock)

/** Waits for the next turn of the event loop, so that timers, requests and answers have theirs. */
export const nextTurn: Effect.Effect<void> = Effect.async<void>((resume) => {
  const turn = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(turn))
})

// With a TestClock nothing waits: a turn of the event loop takes none of its time, and the clock would run ahead.
const unlessTestClock = Effect.clockWith((clock) => clock === liveClock ? nextTurn : Effect.void)

/**
 * Makes an effect that waits for the next turn of the event loop, together with everybody else who waits for it.
 *
 * By then, everything that has arrived in the meantime has been taken in, and those who wait go on at once, so that
 * their writes share a commit. Otherwise, answers that arrive one by one while a commit waits for the disk would take
 * one commit each, and each would hold up all others.
 */
export const makeEventLoopTurn: Effect.Effect<Effect.Effect<void>> = Effect.sync(() => {
  const begun = Effect.unsafeMakeLatch()
  let isAwaited = false
  const first = Effect.ensuring(
    unlessTestClock,
    Effect.sync(() => {
      isAwaited = false
      begun.unsafeOpen()
      begun.unsafeClose()
    })
  )
  return Effect.suspend(() => {
    if (isAwaited) return begun.await
    isAwaited = true
    return first
  })
})

/** How long work goes on before it gives way, in nanoseconds. */
const longestTurn = 2_000_000n

/**
 * Does work in slices, and gives way to everybody else every two milliseconds. It goes by time and not by slices,
 * because on a busy event loop each turn may take long, and work of many short turns would hardly go on.
 */
export const inTurns = <A>(work: Iterator<unknown, A>): Effect.Effect<A> =>
  Effect.clockWith((clock) => {
    const end = clock.unsafeCurrentTimeNanos() + longestTurn
    for (;;) {
      const step = work.next()
      if (step.done === true) return Effect.succeed(step.value)
      if (clock.unsafeCurrentTimeNanos() >= end) return Effect.zipRight(nextTurn, inTurns(work))
    }
  })
