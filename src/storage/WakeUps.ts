import type { Duration } from "effect"
import { Context, Effect, Layer } from "effect"

/**
 * Tells those who wait for new events that there may be some: those of this process at once, those that another process
 * has committed to the same file at the next poll.
 */
export class WakeUps extends Context.Tag("plane-sync/WakeUps")<WakeUps, {
  readonly notify: Effect.Effect<void>
  /** A mark of now: take it before looking. */
  readonly mark: Effect.Effect<number>
  /** Waits until something may have been published after the mark. */
  readonly since: (mark: number) => Effect.Effect<void>
}>() {
  static readonly layer: Layer.Layer<WakeUps> = Layer.suspend(() => WakeUps.layerPolling("500 millis"))

  static readonly layerPolling = (every: Duration.DurationInput): Layer.Layer<WakeUps> =>
    Layer.sync(WakeUps, () => {
      const waiting = new Set<() => void>()
      let count = 0
      // The look and the waiting begin in one step: nothing is published unheard between them.
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
