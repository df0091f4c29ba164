import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, TestClock } from "effect"
import { makeSignal } from "../../src/base/Signal.js"
import { EpochMillis } from "../../src/base/Time.js"
import { nextDueAt, startDueWork, takeDue } from "../../src/storage/DueWork.js"
import { makeStorageTrouble } from "../../src/storage/StorageTrouble.js"
import { WakeUps } from "../../src/storage/WakeUps.js"

/** Waits for the one thing that `state` says is due. */
const waiting = Effect.gen(function*() {
  const signal = yield* makeSignal
  const state = { dueAt: undefined as EpochMillis | undefined, looks: 0 }
  const fiber = yield* Effect.fork(takeDue({
    signal,
    maxAhead: "1 minute",
    next: Effect.sync(() => {
      state.looks += 1
      return state.dueAt === undefined ? undefined : { dueAt: state.dueAt }
    })
  }))
  const isDone = Effect.map(fiber.status, ({ _tag }) => _tag === "Done")
  return { fiber, isDone, signal, state }
})

describe("takeDue", () => {
  it.effect("looks again when it is notified or the time has come, and not before", () =>
    Effect.gen(function*() {
      const { fiber, isDone, signal, state } = yield* waiting
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(state.looks, 1)
      const dueAt = EpochMillis(Duration.toMillis("1 hour") + 30_000)
      state.dueAt = dueAt
      yield* signal.notify
      yield* TestClock.adjust("29 seconds")
      assert.strictEqual(state.looks, 2)
      assert.isFalse(yield* isDone)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(fiber), { dueAt })
      assert.strictEqual(state.looks, 3)
    }))

  it.effect("takes what is due sooner than what it waits for", () =>
    Effect.gen(function*() {
      const { fiber, signal, state } = yield* waiting
      state.dueAt = EpochMillis(30_000)
      yield* signal.notify
      yield* TestClock.adjust("1 second")
      state.dueAt = EpochMillis(1_000)
      yield* signal.notify
      assert.deepStrictEqual(yield* Fiber.join(fiber), { dueAt: EpochMillis(1_000) })
    }))

  it.effect("does not wait for what was put off before the clock was set back", () =>
    Effect.gen(function*() {
      const { fiber, signal, state } = yield* waiting
      state.dueAt = EpochMillis(60_001)
      yield* signal.notify
      assert.deepStrictEqual(yield* Fiber.join(fiber), { dueAt: EpochMillis(60_001) })
    }))
})

describe("nextDueAt", () => {
  const rows = (...times: ReadonlyArray<number>) => {
    const state = times.map(EpochMillis)
    const next = nextDueAt({
      maxAhead: "1 minute",
      ends: () => Effect.sync(() => ({ first: state.at(0) ?? null, last: state.at(-1) ?? null })),
      makeDue: (now, after) => Effect.sync(() => state.splice(0, Infinity, ...state.map((at) => at > after ? now : at)))
    })
    return { next, state }
  }

  it.effect("is when the first is due", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* rows().next, undefined)
      const { next, state } = rows(30_000, 60_000)
      assert.strictEqual(yield* next, 30_000)
      assert.deepStrictEqual(state, [30_000, 60_000])
    }))

  it.effect("is now when any was put off before the clock was set back, and only these are made due", () =>
    Effect.gen(function*() {
      const { next, state } = rows(30_000, 60_001)
      assert.strictEqual(yield* next, 0)
      assert.deepStrictEqual(state, [30_000, 0])
    }))
})

describe("startDueWork", () => {
  it.scoped("does several jobs at once, no job twice at the same time, and a job with a bug a minute later again", () =>
    Effect.gen(function*() {
      const wakeUps = yield* WakeUps
      const jobs = new Map(["a", "b", "bug"].map((id) => [id, EpochMillis(0)]))
      const done: Array<string> = []
      yield* startDueWork({
        concurrency: 3,
        maxAhead: "1 minute",
        wakeUps,
        trouble: yield* makeStorageTrouble,
        read: (limit) =>
          Effect.sync(() =>
            Array.from(jobs, ([id, dueAt]) => ({ id, dueAt })).sort((one, other) => one.dueAt - other.dueAt).slice(
              0,
              limit
            )
          ),
        perform: ({ id }) =>
          Effect.gen(function*() {
            if (id === "bug") {
              done.push("a bug")
              return yield* Effect.dieMessage("a bug")
            }
            // It becomes due again while it is under way.
            yield* Effect.sleep("10 seconds")
            done.push(id)
            if (done.filter((one) => one === id).length === 2) jobs.delete(id)
          })
      })
      yield* TestClock.adjust("10 seconds")
      assert.sameMembers(done, ["a bug", "a", "b"])
      yield* TestClock.adjust("10 seconds")
      assert.sameMembers(done, ["a bug", "a", "b", "a", "b"])
      yield* TestClock.adjust("40 seconds")
      assert.strictEqual(done.filter((one) => one === "a bug").length, 2)
    }).pipe(Effect.provide(WakeUps.layerPolling("1 days"))))

  it.scoped("row 35: jobs that wait for somebody else hold up no others for longer than a second", () =>
    Effect.gen(function*() {
      const wakeUps = yield* WakeUps
      const jobs = new Map(Array.from({ length: 8 }, (_, n) => [`slow ${n}`, EpochMillis(0)]))
      const done: Array<string> = []
      yield* startDueWork({
        concurrency: 4,
        maxAhead: "1 minute",
        wakeUps,
        trouble: yield* makeStorageTrouble,
        read: (limit) => Effect.sync(() => Array.from(jobs, ([id, dueAt]) => ({ id, dueAt })).slice(0, limit)),
        perform: ({ id }) =>
          Effect.gen(function*() {
            if (id.startsWith("slow")) yield* Effect.sleep("9 seconds")
            jobs.delete(id)
            done.push(id)
          })
      })
      yield* TestClock.adjust("100 millis")
      jobs.set("quick", EpochMillis(0))
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(done, ["quick"])
      yield* TestClock.adjust("9 seconds")
      assert.lengthOf(done, 9)
      assert.strictEqual(jobs.size, 0)
    }).pipe(Effect.provide(WakeUps.layerPolling("1 days"))))
})
