import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Logger, Scope, TestClock } from "effect"
import { makeCountedWarning } from "../../src/base/CountedWarning.js"

describe("a counted warning", () => {
  it.effect("row 72: what happens often is one line with its number, a minute apart, and at the end what is left", () => {
    const lines: Array<string> = []
    return Effect.gen(function*() {
      const scope = yield* Scope.make()
      const warn = yield* Scope.extend(makeCountedWarning((count, cause) => `${count} × ${cause}`), scope)
      yield* Effect.replicateEffect(warn("full"), 1_476, { discard: true })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(lines, ["1476 × full"])
      yield* warn("full")
      yield* TestClock.adjust("10 seconds")
      yield* warn("read-only")
      assert.lengthOf(lines, 1)
      yield* TestClock.adjust("50 seconds")
      assert.deepStrictEqual(lines.slice(1), ["2 × read-only"])
      yield* TestClock.adjust("1 hour")
      yield* warn("full")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(lines.slice(2), ["1 × full"])
      yield* warn("shut down")
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(lines.slice(3), ["1 × shut down"])
    }).pipe(Effect.provide(Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ message }) => void lines.push(String(message)))
    )))
  })
})
