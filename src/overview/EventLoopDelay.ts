import type { Scope } from "effect"
import { Duration, Effect } from "effect"
import { monitorEventLoopDelay } from "node:perf_hooks"
import type { MonotonicMillis } from "../base/Time.js"
import { monotonicMillis } from "../base/Time.js"

/** Node looks so often. What it measures is the time between two looks. */
const resolution = 20

/** How much is looked back on, at least. */
const window = Duration.toMillis("1 minute")

/** How late the event loop is, in seconds. */
export interface EventLoopDelay {
  readonly median: number
  readonly p99: number
  readonly longest: number
}

/**
 * Measures how late the event loop is, by Node's own timer. Each reading is of what came since the first one that was a
 * minute after the beginning of the one before: so two who ask in turn see the same.
 */
export const makeEventLoopDelay: Effect.Effect<Effect.Effect<EventLoopDelay>, never, Scope.Scope> = Effect.gen(
  function*() {
    const histogram = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const monitor = monitorEventLoopDelay({ resolution })
        monitor.enable()
        return monitor
      }),
      (monitor) => Effect.sync(() => monitor.disable())
    )
    let since: MonotonicMillis = yield* monotonicMillis
    const seconds = (nanos: number) => Math.max(0, nanos / 1e9 - resolution / 1_000)
    return Effect.map(monotonicMillis, (now) => {
      // Nothing is measured yet in the first moments.
      const isEmpty = histogram.max === 0
      const delay = {
        median: isEmpty ? 0 : seconds(histogram.percentile(50)),
        p99: isEmpty ? 0 : seconds(histogram.percentile(99)),
        longest: isEmpty ? 0 : seconds(histogram.max)
      }
      if (now - since >= window) {
        histogram.reset()
        since = now
      }
      return delay
    })
  }
)
