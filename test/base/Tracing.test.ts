import { assert, describe, it } from "@effect/vitest"
import { Effect, FiberRef } from "effect"
import { tracedIfCollected } from "../../src/base/Tracing.js"
import { collecting } from "../support/Spans.js"

const work = tracedIfCollected(Effect.withSpan(FiberRef.get(FiberRef.currentTracerEnabled), "work"))

describe("spans", () => {
  it.effect("are made for a provided tracer", () =>
    Effect.gen(function*() {
      const { names, tracer } = yield* collecting
      yield* Effect.withTracer(work, tracer)
      assert.deepStrictEqual(names, ["work"])
    }))

  it.effect("are not made where nobody collects them", () =>
    Effect.gen(function*() {
      assert.isFalse(yield* work)
    }))
})
