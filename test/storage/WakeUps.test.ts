import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { WakeUps } from "../../src/storage/WakeUps.js"

describe("WakeUps", () => {
  // Some turns of the scheduler lie between the look and the waiting. A notification in any of them must not be missed.
  for (const turns of [0, 1, 2, 3, 5, 8]) {
    it.effect(`what is told ${turns} turns after somebody began to wait is heard, not polled for`, () =>
      Effect.gen(function*() {
        const { mark, notify, since } = yield* WakeUps
        const waiting = yield* Effect.fork(since(yield* mark))
        for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow()
        yield* notify
        assert.deepStrictEqual(yield* Fiber.await(waiting), Exit.void)
      }).pipe(Effect.provide(WakeUps.layerPolling("500 millis"))))
  }
})
