import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { makeSharedTurn } from "../../src/base/SharedTurn.js"

const nextTurn = Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))

describe("sharedTurn", () => {
  it.live("those who wait go on together, in one turn of the event loop; who comes later waits for the next", () =>
    Effect.gen(function*() {
      const sharedTurn = yield* makeSharedTurn
      const said: Array<string> = []
      const say = (word: string) => Effect.sync(() => said.push(word))
      const turns = yield* Effect.fork(Effect.forever(Effect.zipRight(nextTurn, say("turn"))))
      yield* Effect.all([
        Effect.zipRight(sharedTurn, say("a")),
        Effect.zipRight(sharedTurn, say("b"))
      ], { concurrency: "unbounded" })
      yield* Fiber.interrupt(turns)
      assert.strictEqual(said.indexOf("b"), said.indexOf("a") + 1)
      assert.include(said.slice(0, said.indexOf("a")), "turn")
      yield* Effect.zipRight(sharedTurn, say("again"))
      assert.strictEqual(said.at(-1), "again")
    }))

  it.effect("takes no time of a TestClock", () => Effect.flatten(makeSharedTurn))
})
