import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, TestClock } from "effect"
import { makeFailures } from "../../src/tasks/Failures.js"
import { logged } from "../launching/Agents.js"

const why = "the receiver is down"

describe("calls that fail", () => {
  it.effect("are remembered up to a thousand: of others nothing is told, and they have the longest pause", () => {
    const log = logged()
    return Effect.gen(function*() {
      const { failed } = makeFailures()
      for (let n = 1; n <= 1_000; n++) yield* failed(`launched ${n}`, `agent ${n} was not launched`, { why })
      assert.lengthOf(log.lines, 1_000)
      const [first, again] = [
        yield* failed("launched 1", "1", { why }),
        yield* failed("launched 1001", "1001", { why })
      ]
      assert.isAbove(Duration.toSeconds(first), 1.5)
      assert.strictEqual(Duration.toMinutes(again), 10)
      assert.lengthOf(log.lines, 1_000)
      yield* TestClock.adjust("2 hours")
      // Those of before are not tried any more.
      assert.isBelow(Duration.toSeconds(yield* failed("launched 1002", "agent 1002 was not launched", { why })), 2)
      assert.lengthOf(log.lines, 1_001)
    }).pipe(Effect.provide(log.layer))
  })

  it.effect("say whether it was within a minute, so that Plane is not asked for each try", () =>
    Effect.gen(function*() {
      const { failed, hasJustFailed } = makeFailures()
      assert.isFalse(yield* hasJustFailed("launched 1"))
      yield* failed("launched 1", "it was not launched", { why })
      yield* TestClock.adjust("59 seconds")
      assert.isTrue(yield* hasJustFailed("launched 1"))
      yield* TestClock.adjust("1 seconds")
      assert.isFalse(yield* hasJustFailed("launched 1"))
    }))
})
