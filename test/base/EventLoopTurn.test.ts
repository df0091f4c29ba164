import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { makeEventLoopTurn } from "../../src/base/EventLoopTurn.js"

const nextTurn = Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))

describe("a turn of the event loop", () => {
  it.live("fibers that wait go on together in one turn of the event loop; a later one waits for the next turn", () =>
    Effect.gen(function*() {
      const eventLoopTurn = yield* makeEventLoopTurn
      const said: Array<string> = []
      const say = (word: string) => Effect.sync(() => said.push(word))
      const turns = yield* Effect.fork(Effect.forever(Effect.zipRight(nextTurn, say("turn"))))
      yield* Effect.all([
        Effect.zipRight(eventLoopTurn, say("a")),
        Effect.zipRight(eventLoopTurn, say("b"))
      ], { concurrency: "unbounded" })
      yield* Fiber.interrupt(turns)
      assert.strictEqual(said.indexOf("b"), said.indexOf("a") + 1)
      assert.include(said.slice(0, said.indexOf("a")), "turn")
      yield* Effect.zipRight(eventLoopTurn, say("again"))
      assert.strictEqual(said.at(-1), "again")
    }))

  it.effect("takes no time of a TestClock", () => Effect.flatten(makeEventLoopTurn))
})
