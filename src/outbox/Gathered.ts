import { Effect } from "effect"

/**
 * Waits until the event loop has taken in what has arrived: a millisecond, and no time of a TestClock. Those who wait go on
 * together, so that what they write shares a commit: answers that arrive one by one while the file is being written would
 * take one each, and a commit, which waits for the disk, holds up all of them.
 */
export const makeGathered: Effect.Effect<Effect.Effect<void>> = Effect.sync(() => {
  const arrived = Effect.unsafeMakeLatch()
  let asked = false
  const first = Effect.ensuring(
    Effect.sleep(0),
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
