import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Option, TestClock } from "effect"
import { makeTerms } from "../../src/outbox/Terms.js"

/** Terms, what is at work in them, and how to begin and lose one. */
const setting = Effect.gen(function*() {
  const terms = yield* makeTerms
  const working: Array<string> = []
  const begin = (name: string) =>
    Effect.gen(function*() {
      const lost = yield* Deferred.make<string>()
      const lose = Deferred.succeed(lost, "another one")
      const ended = yield* Effect.fork(terms.lead((holder) =>
        Effect.succeed({
          holder: `${name} ${holder}`,
          projects: [name],
          lastBefore: 0,
          lost: Deferred.await(lost),
          lose
        })
      ))
      yield* TestClock.adjust(0)
      return { lose: Effect.zipRight(lose, TestClock.adjust(0)), ended }
    })
  /** Work that takes some time to end. */
  const work = (millis: number) =>
    terms.during(({ projects: [name = ""] }) =>
      Effect.acquireRelease(
        Effect.sync(() => void working.push(name)),
        () => Effect.delay(Effect.sync(() => working.splice(working.indexOf(name), 1)), millis)
      )
    )
  return { terms, working, begin, work }
})

describe("the terms of a destination", () => {
  it.scoped("one that is given up ends when all its work has ended, and after 10 seconds at the latest", () =>
    Effect.gen(function*() {
      const { begin, terms, work, working } = yield* setting
      yield* work(3_000)
      yield* work(60_000)
      const { ended } = yield* begin("one")
      assert.lengthOf(working, 2)
      yield* terms.giveUp
      yield* TestClock.adjust("4 seconds")
      assert.isUndefined(terms.present())
      assert.lengthOf(working, 1)
      assert.isTrue(Option.isNone(yield* Fiber.poll(ended)))
      yield* TestClock.adjust("6 seconds")
      assert.isTrue(Option.isNone(yield* Fiber.join(ended)))
      yield* TestClock.adjust("1 minute")
      assert.isEmpty(working)
    }))

  it.scoped("one that is lost says why, and takes nothing from the next one that has begun already", () =>
    Effect.gen(function*() {
      const { begin, terms, work, working } = yield* setting
      yield* work(1_000)
      const one = yield* begin("one")
      yield* begin("two")
      assert.deepStrictEqual(terms.present()?.projects, ["two"])
      yield* one.lose
      assert.deepStrictEqual(terms.present()?.projects, ["two"])
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(yield* Fiber.join(one.ended), Option.some("another one"))
      assert.deepStrictEqual(working, ["two"])
      yield* terms.giveUp
      yield* TestClock.adjust("1 seconds")
      assert.isEmpty(working)
    }))

  it.scoped("work that could not begin ends with its term, and begins anew in the next", () =>
    Effect.gen(function*() {
      const { begin, terms } = yield* setting
      const tried: Array<string> = []
      yield* terms.during(({ projects: [name = ""] }) =>
        Effect.zipRight(Effect.sync(() => tried.push(name)), Effect.never)
      )
      const one = yield* begin("one")
      yield* one.lose
      assert.deepStrictEqual(yield* Fiber.join(one.ended), Option.some("another one"))
      yield* begin("two")
      assert.deepStrictEqual(tried, ["one", "two"])
    }))
})
