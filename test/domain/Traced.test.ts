import { assert, describe, it } from "@effect/vitest"
import { Effect, FiberRef, Tracer } from "effect"
import { tracedIfCollected } from "../../src/domain/Traced.js"

const work = tracedIfCollected(Effect.withSpan(FiberRef.get(FiberRef.currentTracerEnabled), "work"))

describe("spans", () => {
  it.effect("are made for a tracer that somebody has provided", () =>
    Effect.gen(function*() {
      const names: Array<string> = []
      const own = yield* Effect.tracer
      const collecting = Tracer.make({
        span: (name, ...rest) => {
          names.push(name)
          return own.span(name, ...rest)
        },
        context: (run) => run()
      })
      yield* Effect.withTracer(work, collecting)
      assert.deepStrictEqual(names, ["work"])
    }))

  it.effect("are not made where nobody collects them", () =>
    Effect.gen(function*() {
      assert.isFalse(yield* work)
    }))
})
