import { assert, describe, it } from "@effect/vitest"
import { Clock, DateTime, Deferred, Duration, Effect, Fiber, Layer, Option, TestClock } from "effect"
import type { RateLimit } from "../../src/plane/PlaneConfig.js"
import type { Slot } from "../../src/plane/RateBudget.js"
import { makeRateBudget, RateBudget } from "../../src/plane/RateBudget.js"

const budgetOf = (limit: RateLimit) => Layer.effect(RateBudget, makeRateBudget(limit))

const perMinute = (requests: number) => budgetOf({ requests, window: Duration.minutes(1) })

const admit = Effect.flatMap(RateBudget, (budget) => budget.admit())
const tryAdmit = Effect.flatMap(RateBudget, (budget) => budget.tryAdmit)
const status = Effect.flatMap(RateBudget, (budget) => budget.status)

/** A request that Plane answers at once, showing nothing of others. */
const request = Effect.flatMap(admit, (slot) => slot.answered({ status: 200 }))

/** The moment, in milliseconds, at which the next slot is had. The slot stays in flight. */
const admitted = Effect.fork(Effect.zip(admit, Clock.currentTimeMillis))

const isPending = (fiber: Fiber.RuntimeFiber<unknown, unknown>) =>
  Effect.map(Effect.zipRight(Effect.yieldNow(), fiber.poll), Option.isNone)

describe("RateBudget", () => {
  it.effect("frees a slot 60 s and 250 ms after its answer, to the millisecond", () =>
    Effect.gen(function*() {
      const first = yield* admit
      yield* TestClock.adjust("700 millis")
      yield* first.answered({ status: 200, remaining: 59 })
      for (let i = 1; i < 60; i++) yield* request
      const next = yield* admitted
      yield* TestClock.adjust("60249 millis")
      assert.isTrue(yield* isPending(next))
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(next))[1], 700 + 60_250)
    }).pipe(Effect.provide(perMinute(60))))

  it.effect("keeps a window of a second as well", () =>
    Effect.gen(function*() {
      yield* request
      yield* request
      const next = yield* admitted
      yield* TestClock.adjust("1 hours")
      assert.strictEqual((yield* Fiber.join(next))[1], 1_010)
    }).pipe(Effect.provide(budgetOf({ requests: 2, window: Duration.seconds(1) }))))

  it.effect("counts a request that is still under way, however long", () =>
    Effect.gen(function*() {
      yield* request
      const slow = yield* admit
      const next = yield* admitted
      const after = yield* admitted
      yield* TestClock.adjust("10 minutes")
      assert.isTrue(yield* isPending(after))
      yield* slow.answered({})
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual((yield* Fiber.join(next))[1], 60_250)
      assert.strictEqual((yield* Fiber.join(after))[1], 600_000 + 60_250)
    }).pipe(Effect.provide(perMinute(2))))

  it.effect("lets what goes first go before all who wait, in its order, and then the others in theirs", () =>
    Effect.gen(function*() {
      const order: Array<string> = []
      const { withFirstSlot, withSlot } = yield* RateBudget
      yield* request
      const note = (name: string) => (slot: Slot) =>
        Effect.zipRight(Effect.sync(() => order.push(name)), slot.answered({ status: 200 }))
      for (const name of ["a", "b"]) yield* Effect.fork(withSlot(undefined, note(name)))
      yield* Effect.yieldNow()
      const given = yield* Effect.fork(withFirstSlot(note("given up")))
      for (const name of ["first", "second"]) yield* Effect.fork(withFirstSlot(note(name)))
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(order, [])
      assert.strictEqual((yield* status).waiting, 5)
      yield* Fiber.interrupt(given)
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(order, ["first", "second", "a", "b"])
    }).pipe(Effect.provide(perMinute(1))))

  it.effect("is first come, first served, and nobody overtakes who waits", () =>
    Effect.gen(function*() {
      yield* request
      const order: Array<number> = []
      const fibers = yield* Effect.forEach([1, 2, 3], (n) =>
        Effect.fork(Effect.flatMap(admit, (slot) => {
          order.push(n)
          return slot.answered({ status: 200 })
        })))
      yield* TestClock.adjust("1 millis")
      assert.isTrue(Option.isNone(yield* tryAdmit))
      assert.strictEqual((yield* status).waiting, 3)
      yield* TestClock.adjust("10 minutes")
      yield* Fiber.joinAll(fibers)
      assert.deepStrictEqual(order, [1, 2, 3])
      assert.isTrue(Option.isSome(yield* tryAdmit))
    }).pipe(Effect.provide(perMinute(1))))

  it.effect("sends one request alone after a start, and counts as used now what its answer shows", () =>
    Effect.gen(function*() {
      const first = yield* admit
      assert.isTrue(Option.isNone(yield* tryAdmit))
      yield* TestClock.adjust("1 seconds")
      yield* first.answered({ status: 200, remaining: 2 })
      assert.strictEqual((yield* status).used, 58)
      assert.isTrue(Option.isSome(yield* tryAdmit))
      assert.isTrue(Option.isSome(yield* tryAdmit))
      const next = yield* admitted
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* Fiber.join(next))[1], 1_000 + 60_250)
    }).pipe(Effect.provide(perMinute(60))))

  it.effect("goes on alone until Plane itself has answered", () =>
    Effect.gen(function*() {
      const silent: ReadonlyArray<Parameters<Slot["answered"]>[0]> = [{}, { status: 502 }, { status: 403 }]
      for (const answer of silent) {
        const slot = yield* admit
        assert.isTrue(Option.isNone(yield* tryAdmit))
        yield* slot.answered(answer)
      }
      yield* (yield* admit).release
      // An answer of a Plane that does not tell what remains is enough.
      yield* request
      assert.isTrue(Option.isSome(yield* tryAdmit))
      assert.isTrue(Option.isSome(yield* tryAdmit))
    }).pipe(Effect.provide(perMinute(60))))

  it.effect("is corrected downward only by what remains", () =>
    Effect.gen(function*() {
      yield* request
      yield* (yield* admit).answered({ status: 200, remaining: 58 })
      assert.strictEqual((yield* status).used, 2)
      yield* (yield* admit).answered({ status: 404, remaining: 40 })
      assert.strictEqual((yield* status).used, 20)
      yield* (yield* admit).answered({ status: 200, remaining: 59 })
      assert.strictEqual((yield* status).used, 21)
      yield* (yield* admit).answered({ status: 200, remaining: -5 })
      assert.strictEqual((yield* status).used, 60)
    }).pipe(Effect.provide(perMinute(60))))

  it.effect("takes no request of ours for somebody else's: those under way, and those freed meanwhile", () =>
    Effect.gen(function*() {
      for (let i = 0; i < 10; i++) yield* request
      yield* TestClock.adjust("60 seconds")
      const slow = yield* admit
      const late = yield* Effect.replicateEffect(admit, 3)
      yield* TestClock.adjust("5 seconds")
      // Plane saw the ten, this one, and the three that came in before it, of which we had heard nothing.
      yield* slow.answered({ status: 200, remaining: 60 - 14 })
      yield* Effect.forEach(late, (slot) => slot.answered({ status: 200, remaining: 60 - 14 }))
      assert.strictEqual((yield* status).used, 4)
    }).pipe(Effect.provide(perMinute(60))))

  it.effect("does not count 401, 403 and what was never sent, and counts what got no answer", () =>
    Effect.gen(function*() {
      yield* request
      yield* (yield* admit).answered({ status: 401 })
      yield* (yield* admit).answered({ status: 403 })
      yield* (yield* admit).release
      assert.strictEqual((yield* status).used, 1)
      yield* (yield* admit).answered({})
      assert.strictEqual((yield* status).used, 2)
    }).pipe(Effect.provide(perMinute(60))))

  it.effect("hands a slot back once only", () =>
    Effect.gen(function*() {
      yield* request
      const slot = yield* admit
      yield* slot.release
      yield* slot.answered({ status: 429, retryAfter: Duration.millis(1_000) })
      yield* slot.release
      assert.deepStrictEqual(yield* status, {
        limit: 60,
        used: 1,
        waiting: 0,
        pausedUntil: Option.none(),
        nextFreeAt: Option.none()
      })
    }).pipe(Effect.provide(perMinute(60))))

  it.effect("stops all for as long as Retry-After says, and then one goes alone", () =>
    Effect.gen(function*() {
      yield* request
      const refused = yield* admit
      const other = yield* admit
      yield* refused.answered({ status: 429, retryAfter: Duration.millis(57_000) })
      yield* other.answered({ status: 429, retryAfter: Duration.millis(56_000) })
      assert.deepStrictEqual((yield* status).pausedUntil, Option.some(DateTime.unsafeMake(57_000)))
      const next = yield* admitted
      const after = yield* admitted
      yield* TestClock.adjust("56999 millis")
      assert.isTrue(yield* isPending(next))
      yield* TestClock.adjust("1 millis")
      const [slot, at] = yield* Fiber.join(next)
      assert.strictEqual(at, 57_000)
      assert.isTrue(yield* isPending(after))
      yield* slot.answered({ status: 200, remaining: 3 })
      yield* Fiber.join(after)
    }).pipe(Effect.provide(perMinute(60))))

  it.effect("waits the window out after a 429 that does not say how long", () =>
    Effect.gen(function*() {
      yield* (yield* admit).answered({ status: 429 })
      const next = yield* admitted
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* Fiber.join(next))[1], 60_000)
    }).pipe(Effect.provide(perMinute(60))))

  it.effect("loses no slot to an interruption, also of whoever is first in the queue", () =>
    Effect.gen(function*() {
      yield* request
      const first = yield* admitted
      // Uninterruptible callers can be interrupted while they wait.
      const second = yield* Effect.fork(Effect.uninterruptible(admit))
      const third = yield* admitted
      yield* TestClock.adjust("30 seconds")
      yield* Fiber.interrupt(second)
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("1 minutes")
      const [slot, at] = yield* Fiber.join(third)
      assert.strictEqual(at, 60_250)
      yield* slot.release
      assert.deepStrictEqual(yield* status, {
        limit: 1,
        used: 0,
        waiting: 0,
        pausedUntil: Option.none(),
        nextFreeAt: Option.none()
      })
    }).pipe(Effect.provide(perMinute(1))))

  it.effect("goes on when the clock is set back", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(3_600_000)
      yield* request
      yield* TestClock.setTime(0)
      const next = yield* admitted
      yield* TestClock.adjust("60250 millis")
      assert.strictEqual((yield* Fiber.join(next))[1], 60_250)
    }).pipe(Effect.provide(perMinute(1))))

  it.effect("takes over a slot that was brought for the first request, and admits the others anew", () =>
    Effect.gen(function*() {
      const budget = yield* RateBudget
      yield* request
      const slot = yield* admit
      assert.strictEqual((yield* status).used, 2)
      yield* budget.withSlot(slot, (first) =>
        budget.withSlot(first, (mine) => mine.answered({ status: 200 })).pipe(
          Effect.zipRight(status),
          Effect.tap(({ used }) => Effect.sync(() => assert.strictEqual(used, 2))),
          Effect.zipRight(budget.withSlot(first, (other) => other.answered({ status: 200 })))
        ))
      assert.strictEqual((yield* status).used, 3)
      // Who has brought it is not its owner any more.
      yield* slot.answered({ status: 200 })
      yield* slot.release
      assert.strictEqual((yield* status).used, 3)
    }).pipe(Effect.provide(perMinute(60))))

  it.effect("gives one slot to one of two who bring it at the same time", () =>
    Effect.gen(function*() {
      const budget = yield* RateBudget
      yield* request
      const slot = yield* admit
      yield* Effect.all([budget.admit(slot), budget.admit(slot)], { concurrency: 2 })
      assert.strictEqual((yield* status).used, 3)
    }).pipe(Effect.provide(perMinute(60))))

  it.effect("releases a slot that was brought and not used, however that ended", () =>
    Effect.gen(function*() {
      const budget = yield* RateBudget
      yield* request
      yield* budget.withSlot(yield* admit, () => Effect.void)
      yield* Effect.exit(budget.withSlot(yield* admit, () => Effect.fail("no")))
      const latch = yield* Deferred.make<void>()
      const slot = yield* admit
      const fiber = yield* Effect.fork(
        budget.withSlot(slot, () => Effect.zipRight(Deferred.succeed(latch, undefined), Effect.never))
      )
      yield* Deferred.await(latch)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual((yield* status).used, 1)
    }).pipe(Effect.provide(perMinute(60))))

  it.effect("has who brings a slot queue like all others once Plane has told all to wait", () =>
    Effect.gen(function*() {
      const budget = yield* RateBudget
      yield* request
      const refused = yield* admit
      const slot = yield* admit
      yield* refused.answered({ status: 429, retryAfter: Duration.millis(5_000) })
      const first = yield* admitted
      const brought = yield* Effect.fork(Effect.zip(budget.admit(slot), Clock.currentTimeMillis))
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual((yield* status).used, 1)
      assert.strictEqual((yield* status).waiting, 2)
      yield* TestClock.adjust("4 seconds")
      const [ahead, at] = yield* Fiber.join(first)
      assert.strictEqual(at, 5_000)
      assert.isTrue(yield* isPending(brought))
      yield* TestClock.adjust("1 seconds")
      yield* ahead.answered({ status: 200, remaining: 50 })
      assert.strictEqual((yield* Fiber.join(brought))[1], 6_000)
    }).pipe(Effect.provide(perMinute(60))))

  it.effect("costs nothing to speak of where the limit is out of reach", () =>
    Effect.gen(function*() {
      const start = yield* Clock.currentTimeMillis
      const busy = process.cpuUsage()
      yield* Effect.repeatN(request, 50_000)
      const { user } = process.cpuUsage(busy)
      const took = (yield* Clock.currentTimeMillis) - start
      assert.strictEqual((yield* status).waiting, 0)
      // What it costs is what it computes. On a machine that does other things, too, that takes many times as long.
      assert.isBelow(user, 5_000_000)
      assert.isBelow(took, 45_000)
    }).pipe(
      Effect.provide(budgetOf({ requests: 1_000_000, window: Duration.seconds(1) })),
      Effect.withClock(Clock.make())
    ))
})
