import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { inTurns, makeEventLoopTurn } from "../../src/base/EventLoopTurn.js"

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

/** Work of so many slices, each of so many milliseconds. */
function* slices(count: number, millis: number): Generator<number, number> {
  for (let n = 0; n < count; n++) {
    const end = performance.now() + millis
    while (performance.now() < end);
    yield n
  }
  return count
}

describe("work in slices", () => {
  it.live("gives way every few milliseconds, and not after each slice: a busy event loop hardly delays it", () =>
    Effect.gen(function*() {
      let turns = 0
      const counting = yield* Effect.fork(Effect.forever(Effect.zipRight(nextTurn, Effect.sync(() => turns += 1))))
      assert.strictEqual(yield* inTurns(slices(20_000, 0.001)), 20_000)
      assert.isAbove(turns, 2)
      assert.isBelow(turns, 1_000)
      turns = 0
      assert.strictEqual(yield* inTurns(slices(10, 5)), 10)
      assert.isAtLeast(turns, 9)
      yield* Fiber.interrupt(counting)
    }))
})
