import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option } from "effect"
import { either, makeSignal } from "../../src/base/Signal.js"

const soon = Effect.repeatN(Effect.yieldNow(), 10)

describe("a signal of what either of two tells", () => {
  const setting = Effect.gen(function*() {
    const [first, second] = [yield* makeSignal, yield* makeSignal]
    return { first, second, both: either(first, second) }
  })

  for (const which of ["first", "second"] as const) {
    it.effect(`is heard by who waits, and by who marked before, of the ${which}`, () =>
      Effect.gen(function*() {
        const { both, ...signals } = yield* setting
        const mark = yield* both.mark
        const waiting = yield* Effect.fork(both.since(mark))
        yield* soon
        assert.isTrue(Option.isNone(yield* Fiber.poll(waiting)))
        yield* signals[which].notify
        yield* Fiber.join(waiting)
        yield* both.since(mark)
        const later = yield* Effect.fork(both.since(yield* both.mark))
        yield* soon
        assert.isTrue(Option.isNone(yield* Fiber.poll(later)))
        yield* Fiber.interrupt(later)
      }))
  }

  it.effect("tells who waits for the second, and nobody who waits for the first", () =>
    Effect.gen(function*() {
      const { both, first, second } = yield* setting
      const waiting = yield* Effect.fork(first.since(yield* first.mark))
      const mark = yield* second.mark
      yield* both.notify
      yield* second.since(mark)
      yield* soon
      assert.isTrue(Option.isNone(yield* Fiber.poll(waiting)))
      yield* Fiber.interrupt(waiting)
    }))
})
