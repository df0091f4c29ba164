import { Clock, Context, DefaultServices, Effect } from "effect"

const computers = Context.get(DefaultServices.liveServices, Clock.Clock)

const nextTurn = Effect.async<void>((resume) => {
  const turn = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(turn))
})

// No turn of the event loop belongs to a TestClock's time: what waits there for one would be overtaken by the time.
const arrivals = Effect.clockWith((clock) => clock === computers ? nextTurn : Effect.void)

/**
 * Waits until the event loop has taken in what has arrived. Those who wait go on together, so that what they write shares
 * a commit: answers that arrive one by one while the file is being written would take one each, and a commit, which waits
 * for the disk, holds up all of them.
 */
export const makeSharedTurn: Effect.Effect<Effect.Effect<void>> = Effect.sync(() => {
  const arrived = Effect.unsafeMakeLatch()
  let asked = false
  const first = Effect.ensuring(
    arrivals,
    Effect.sync(() => {
      asked = false
      arrived.unsafeOpen()
      arrived.unsafeClose()
    })
  )
  return Effect.suspend(() => {
    if (asked) return arrived.await
    asked = true
    return first
  })
})
