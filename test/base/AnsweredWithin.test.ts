import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, TestClock } from "effect"
import { answeredWithin } from "../../src/base/AnsweredWithin.js"

const inTime = answeredWithin({ duration: "5 seconds", onTimeout: () => "late" })

describe("answeredWithin", () => {
  it.effect("answers in time, also for a caller that cannot be interrupted, and what does not end goes on alone", () =>
    Effect.gen(function*() {
      const stubborn = Effect.uninterruptible(Effect.sleep("1 minute"))
      for (const caller of [inTime(stubborn), Effect.uninterruptible(inTime(stubborn))]) {
        const asked = yield* Effect.fork(caller)
        yield* TestClock.adjust("5 seconds")
        assert.deepStrictEqual(yield* Fiber.await(asked), Exit.fail("late"))
      }
    }))

  it.effect("gives what the effect gives, and interrupts it when nobody wants that any more", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* inTime(Effect.succeed(1)), 1)
      assert.strictEqual(yield* Effect.flip(inTime(Effect.fail("no"))), "no")
      let ended = 0
      const waiting = Effect.onInterrupt(Effect.sleep("1 minute"), () => Effect.sync(() => void (ended += 1)))
      const late = yield* Effect.fork(inTime(waiting))
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.await(late)
      const left = yield* Effect.fork(inTime(waiting))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(left)
      yield* Effect.yieldNow()
      assert.strictEqual(ended, 2)
    }))

  it.effect("where the caller cannot be interrupted, neither can the effect by that", () =>
    Effect.gen(function*() {
      const ended: Array<number> = []
      const caller = Effect.map(inTime(Effect.as(Effect.sleep("1 second"), 1)), (value) => ended.push(value))
      const asked = yield* Effect.fork(Effect.uninterruptible(caller))
      yield* TestClock.adjust("500 millis")
      yield* Fiber.interruptFork(asked)
      yield* TestClock.adjust("500 millis")
      yield* Fiber.await(asked)
      assert.deepStrictEqual(ended, [1])
    }))
})
