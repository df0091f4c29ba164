import type { Duration } from "effect"
import { Context, Effect, Layer } from "effect"

/**
 * Wakes up those who wait for new work. Work of this process wakes them at once. Work that another process has committed to
 * the same database is found at the next poll.
 */
export class WakeUps extends Context.Tag("plane-sync/WakeUps")<WakeUps, {
  /** Wakes up everybody who waits. */
  readonly notify: Effect.Effect<void>
  /** A mark of now. Take it before you look for work. */
  readonly mark: Effect.Effect<number>
  /** Waits until there may be work that is newer than the mark. */
  readonly since: (mark: number) => Effect.Effect<void>
}>() {
  static readonly layer: Layer.Layer<WakeUps> = Layer.suspend(() => WakeUps.layerPolling("500 millis"))

  static readonly layerPolling = (every: Duration.DurationInput): Layer.Layer<WakeUps> =>
    Layer.sync(WakeUps, () => {
      const waiting = new Set<() => void>()
      let count = 0
      // The comparison and the wait begin in one step, so that no notification is missed between them.
      const after = (mark: number) =>
        Effect.async<void>((resume) => {
          if (count > mark) return resume(Effect.void)
          const wake = () => resume(Effect.void)
          waiting.add(wake)
          return Effect.sync(() => waiting.delete(wake))
        })
      return WakeUps.of({
        notify: Effect.sync(() => {
          count += 1
          for (const wake of waiting) wake()
          waiting.clear()
        }),
        mark: Effect.sync(() => count),
        since: (mark) => Effect.raceFirst(after(mark), Effect.sleep(every))
      })
    })
}
