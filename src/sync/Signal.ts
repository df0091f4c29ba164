import { Context, Effect, Layer } from "effect"

/**
 * Tells those who wait for new events in this process that there are some. Only a hint: what another process commits is
 * found by looking.
 */
export class Signal extends Context.Tag("plane-sync/Signal")<Signal, {
  readonly notify: Effect.Effect<void>
  /** A mark of now: take it before looking. */
  readonly mark: Effect.Effect<number>
  /** Waits until something was notified after the mark. */
  readonly since: (mark: number) => Effect.Effect<void>
}>() {
  static readonly layer: Layer.Layer<Signal> = Layer.sync(Signal, () => {
    const latch = Effect.unsafeMakeLatch()
    let count = 0
    return Signal.of({
      notify: Effect.suspend(() => {
        count += 1
        return latch.release
      }),
      mark: Effect.sync(() => count),
      since: (mark) => Effect.suspend(() => count > mark ? Effect.void : latch.await)
    })
  })
}
