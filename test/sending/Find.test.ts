import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { inMemory, received } from "./Pipeline.js"

const changed = (workItem: string, to: string) =>
  Effect.flatMap(StageEvents, (events) => events.publish(StageEvent.StageChanged({ workItem, from: "created", to })))

const items = (count: number) =>
  Effect.flatMap(
    PlaneSimulator,
    (plane) => Effect.forEach(Array.from({ length: count }), (_, index) => plane.addWorkItem({ name: `Task ${index}` }))
  )

/** How often Plane received each kind of request. */
const kinds = Effect.map(received, (all) => {
  const counts: Record<string, number> = {}
  for (const { kind, method } of all) counts[`${method} ${kind}`] = (counts[`${method} ${kind}`] ?? 0) + 1
  return counts
})

const delivered = (count: number) =>
  Effect.flatMap(
    Outbox,
    (outbox) =>
      Effect.map(outbox.status, (status) => assert.deepInclude(status, { pending: 0, dead: 0, delivered: count }))
  )

const plane = { rateLimit: "off" } as const
const settings = { ORCH_PLANE_RATE_LIMIT: "10000/minute" }

describe("when many keys are owed a look-up", () => {
  it.effect("one page of the list finds them all; nothing else is read, and a state that holds already is not asked for", () =>
    Effect.gen(function*() {
      const all = yield* items(20)
      yield* Effect.forEach(
        all.slice(0, 5),
        ({ id }) => Effect.flatMap(PlaneSimulator, (plane) => plane.moveWorkItem(id, "In Progress"))
      )
      for (const { key } of all) yield* changed(key, "analysis")
      yield* TestClock.adjust("1 minutes")
      yield* delivered(20)
      assert.deepStrictEqual(yield* kinds, { "GET items": 1, "PATCH item": 15, "POST comments": 20 })
    }).pipe(Effect.provide(inMemory({ plane, settings }))))

  it.effect("two are looked up singly", () =>
    Effect.gen(function*() {
      for (const { key } of yield* items(2)) yield* changed(key, "analysis")
      yield* TestClock.adjust("1 minutes")
      yield* delivered(2)
      assert.deepStrictEqual(yield* kinds, { "GET identifier": 2, "PATCH item": 2, "POST comments": 2 })
    }).pipe(Effect.provide(inMemory({ plane, settings }))))

  it.effect("a page with all work items settles names too; on any other page only the number is sure", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const named = yield* plane.addWorkItem({ name: "ET-004: login form" })
      yield* items(9)
      for (const key of ["ET-004", "ET-005", "ET-6", "ET-7"]) yield* changed(key, "lobby")
      yield* TestClock.adjust("1 minutes")
      yield* delivered(4)
      assert.strictEqual((yield* plane.comments(named.id)).length, 1)
      assert.deepStrictEqual(yield* kinds, { "GET items": 1, "POST comments": 4 })
      yield* items(100)
      yield* plane.forgetRequests
      for (const key of ["ET-8", "ET-009", "ET-100", "ET-109"]) yield* changed(key, "lobby")
      yield* TestClock.adjust("1 minutes")
      yield* delivered(8)
      // The number 8 is too old for the page; of 009 nobody knows whether an older name carries it.
      assert.deepStrictEqual(yield* kinds, {
        "GET items": 1,
        "GET identifier": 2,
        "GET search": 1,
        "POST comments": 4
      })
    }).pipe(Effect.provide(inMemory({ plane, settings }))))

  it.effect("a name that came after a page with all work items was read is found", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      yield* items(3)
      for (const key of ["ET-1", "ET-2", "ET-3"]) yield* changed(key, "lobby")
      yield* TestClock.adjust("10 seconds")
      const named = yield* plane.addWorkItem({ name: "ET-002 in the title" })
      yield* changed("ET-002", "lobby")
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* plane.comments(named.id)).length, 1)
      assert.deepInclude(yield* kinds, { "GET items": 1, "GET search": 1 })
    }).pipe(Effect.provide(inMemory({ plane, settings }))))

  it.effect("keys that a page does not settle are looked up singly, and all keys if Plane gives no page", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const all = yield* items(5)
      yield* plane.misbehave(Fault.Status({ match: { kind: "items" }, status: 500 }))
      for (const { key } of all) yield* changed(key, "lobby")
      yield* TestClock.adjust("10 seconds")
      yield* delivered(5)
      assert.deepStrictEqual(yield* kinds, { "GET items": 1, "GET identifier": 5, "POST comments": 5 })
    }).pipe(Effect.provide(inMemory({ plane, settings }))))

  it.effect("what was read is relied on for 30 seconds, and then a person's cancel is seen", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const all = yield* items(12)
      for (const { key } of all) yield* changed(key, "lobby")
      // Four requests a minute: the page, and three comments.
      yield* TestClock.adjust("1 seconds")
      const last = all.at(-1)
      yield* changed(last?.key ?? "", "done")
      yield* plane.moveWorkItem(last?.id ?? "", "Cancelled")
      yield* TestClock.adjust("20 minutes")
      yield* delivered(13)
      assert.strictEqual((yield* plane.workItem(last?.id ?? "")).state.name, "Cancelled")
    }).pipe(Effect.provide(inMemory({ settings: { ORCH_PLANE_RATE_LIMIT: "4/minute" } }))))

  it.effect("row 43: a Plane without search and without work items by key is told everything, and nothing closes", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const all = yield* items(230)
      const body = JSON.stringify({ error: "Page not found." })
      for (const kind of ["search", "identifier"] as const) {
        yield* plane.misbehave(Fault.Status({ match: { kind }, status: 404, body }))
      }
      const named = yield* plane.addWorkItem({ name: "ET-0009 in the title" })
      const keys = [...all.slice(0, 40).map(({ key }) => key), "ET-0009", "ET-00010"]
      for (const key of keys) yield* changed(key, "lobby")
      yield* changed("ET-777", "lobby")
      yield* TestClock.adjust("20 seconds")
      const status = yield* Effect.flatMap(Outbox, (outbox) => outbox.status)
      assert.deepInclude(status, { pending: 1, dead: 0, delivered: 42 })
      assert.strictEqual((yield* plane.comments(named.id)).length, 1)
      const counts = yield* kinds
      assert.strictEqual(counts["POST comments"], 42)
      // Three pages, and the newest for those who came later, and for the key that nobody has.
      assert.isAtMost(counts["GET items"] ?? 0, 9)
      assert.isAtMost((counts["GET search"] ?? 0) + (counts["GET identifier"] ?? 0), 40)
    }).pipe(Effect.provide(inMemory({ plane, settings }))))
})
