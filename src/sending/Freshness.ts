import { Duration, Effect } from "effect"
import { monotonicMillis } from "../base/Time.js"

const freshFor = Duration.toMillis("30 seconds")

/** Whether what was read at `readAt` (by the monotonic clock, in this process) is still relied on: for 30 s. */
export const isFresh = (readAt: number): Effect.Effect<boolean> =>
  Effect.map(monotonicMillis, (now) => now - readAt < freshFor)
