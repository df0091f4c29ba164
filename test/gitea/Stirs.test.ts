import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Stirs } from "../../src/gitea/Stirs.js"

const maps = { id: 41, name: "rideworks/trail-maps" }
const routes = { id: 42, name: "rideworks/routes" }

describe("Stirs", () => {
  it.effect("row 25: gives each repository once, by its newest name, and only what is new", () =>
    Effect.gen(function*() {
      const { stir, take } = yield* Stirs
      yield* stir(maps)
      yield* stir(routes)
      yield* stir({ id: 41, name: "rideworks/maps" })
      assert.deepStrictEqual(yield* take, [{ id: 41, name: "rideworks/maps" }, routes])
      const waiting = yield* Effect.fork(take)
      yield* Effect.yieldNow()
      assert.isNull(waiting.unsafePoll())
      yield* stir(maps)
      assert.deepStrictEqual(yield* Fiber.join(waiting), [maps])
    }).pipe(Effect.provide(Stirs.layer)))

  it.effect("loses nothing to one who waited and was interrupted", () =>
    Effect.gen(function*() {
      const { stir, take } = yield* Stirs
      const waiting = yield* Effect.fork(take)
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(waiting)
      yield* stir(maps)
      assert.deepStrictEqual(yield* take, [maps])
    }).pipe(Effect.provide(Stirs.layer)))
})
