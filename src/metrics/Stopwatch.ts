import { Effect } from "effect"
import type { MonotonicMillis } from "../base/Time.js"
import { monotonicMillis } from "../base/Time.js"

/** Measures for how long something lasts that begins and ends, and gives the seconds to `add`, a part at each lap. */
export const makeStopwatch = (add: (seconds: number) => void) => {
  let since: MonotonicMillis | undefined
  const lap = Effect.map(monotonicMillis, (now) => {
    if (since === undefined) return
    add((now - since) / 1_000)
    since = now
  })
  return {
    start: Effect.map(monotonicMillis, (now) => {
      since ??= now
    }),
    /** Gives what has passed since the last lap. */
    lap,
    stop: Effect.map(lap, () => {
      since = undefined
    })
  }
}
