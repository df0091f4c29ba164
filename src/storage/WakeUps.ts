import type { Duration } from "effect"
import { Context, Effect, Layer } from "effect"
import type { Signal } from "../base/Signal.js"
import { makeSignal } from "../base/Signal.js"

/**
 * Tells those who wait for work that there may be some. What this process has committed wakes them at once. What
 * another process has committed to the same file is found by the next poll: `since` ends then, too.
 */
export class WakeUps extends Context.Tag("plane-sync/WakeUps")<WakeUps, Signal>() {
  static readonly layer: Layer.Layer<WakeUps> = Layer.suspend(() => WakeUps.layerPolling("500 millis"))

  static readonly layerPolling = (every: Duration.DurationInput): Layer.Layer<WakeUps> =>
    Layer.effect(
      WakeUps,
      Effect.map(makeSignal, ({ mark, notify, since }) =>
        WakeUps.of({
          mark,
          notify,
          since: (mark) => Effect.raceFirst(since(mark), Effect.sleep(every))
        }))
    )
}
