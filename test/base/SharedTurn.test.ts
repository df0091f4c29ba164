import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { makeGathered } from "../../src/base/SharedTurn.js"

const nextTurn = Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))

describe("gathered", () => {
  it.live("those who wait go on together, in one turn of the event loop; who comes later waits for the next", () =>
    Effect.gen(function*() {
      const gathered = yield* makeGathered
      const said: Array<string> = []
      const say = (word: string) => Effect.sync(() => said.push(word))
      const turns = yield* Effect.fork(Effect.forever(Effect.zipRight(nextTurn, say("turn"))))
      yield* Effect.all([
        Effect.zipRight(gathered, say("a")),
        Effect.zipRight(gathered, say("b"))
      ], { concurrency: "unbounded" })
      yield* Fiber.interrupt(turns)
      assert.strictEqual(said.indexOf("b"), said.indexOf("a") + 1)
      assert.include(said.slice(0, said.indexOf("a")), "turn")
      yield* Effect.zipRight(gathered, say("again"))
      assert.strictEqual(said.at(-1), "again")
    }))

  it.effect("takes no time of a TestClock", () => Effect.flatten(makeGathered))
})
