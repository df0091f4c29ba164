import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeGathered } from "../../src/outbox/Gathered.js"

const nextTurn = Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))

describe("gathered", () => {
  it.live("those who come in one turn of the event loop go on together, before it has the next", () =>
    Effect.gen(function*() {
      const gathered = yield* makeGathered
      const said: Array<string> = []
      const say = (word: string) => Effect.sync(() => said.push(word))
      yield* Effect.all([
        Effect.zipRight(gathered, say("a")),
        Effect.zipRight(nextTurn, say("turn")),
        Effect.zipRight(gathered, say("b"))
      ], { concurrency: "unbounded" })
      assert.deepStrictEqual(said, ["a", "b", "turn"])
      yield* Effect.zipRight(gathered, say("again"))
      assert.strictEqual(said.at(-1), "again")
    }))
})
