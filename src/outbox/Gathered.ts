import { Effect } from "effect"

/**
 * Waits until the event loop has taken in all that has arrived. Those who wait go on together, so that what they write
 * shares a commit: answers that arrive one by one while the file is being written would take one each, and a commit, which
 * waits for the disk, holds up all of them.
 */
export const makeGathered: Effect.Effect<Effect.Effect<void>> = Effect.sync(() => {
  const arrived = Effect.unsafeMakeLatch()
  let asked = false
  return Effect.suspend(() => {
    if (!asked) {
      asked = true
      setImmediate(() => {
        asked = false
        arrived.unsafeOpen()
        arrived.unsafeClose()
      })
    }
    return arrived.await
  })
})
