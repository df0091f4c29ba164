import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { NormalizedKey } from "../../src/domain/WorkItemKey.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { inMemory } from "./Pipeline.js"

const publish = (event: StageEvent) => Effect.flatMap(StageEvents, (events) => events.publish(event))

const failed = (workItem: string, reason: string) =>
  publish(StageEvent.QualityGateFailed({ workItem, stage: "review", check: "lint", reason }))

const reasons = (id: string) =>
  Effect.flatMap(
    PlaneSimulator,
    (plane) => Effect.map(plane.comments(id), (all) => all.map(({ html }) => html.replace(/.* — (.*)<\/p>/, "$1")))
  )

const dead = Effect.flatMap(Outbox, (outbox) => outbox.deadLetters({ limit: 10 }))

const retryAll = Effect.gen(function*() {
  const outbox = yield* Outbox
  for (const letter of yield* dead) yield* outbox.retry({ id: letter.id })
  yield* (yield* WakeUps).notify
})

describe("dead letters", () => {
  it.effect("a comment that Plane had taken after all is adopted when retried, not doubled", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
      // Applied, and answered as if it were our fault, also when the external id would be a conflict.
      yield* plane.misbehave(Fault.Status({ match: { method: "POST" }, count: 2, status: 400, when: "after" }))
      yield* failed(key, "one")
      yield* failed(key, "two")
      yield* TestClock.adjust("1 minutes")
      const [letter] = yield* dead
      assert.deepInclude(letter, { code: "refused", answer: 400, attempts: 2, workItem: key, kind: "comment" })
      yield* retryAll
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual(yield* reasons(id), ["one", "two"])
      assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 0, delivered: 2 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("a state that is retried takes the letter of the latest stage along, and a later retry changes nothing", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const outbox = yield* Outbox
      const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
      const refused = { method: "PATCH", kind: "item" } as const
      const stage = (from: string, to: string) => publish(StageEvent.StageChanged({ workItem: key, from, to }))
      for (const [from, to] of [["created", "analysis"], ["deploy", "done"]] as const) {
        yield* plane.misbehave(Fault.Status({ match: refused, count: 2, status: 400 }))
        yield* stage(from, to)
        yield* TestClock.adjust("5 minutes")
      }
      const [latest, first] = yield* dead
      assert.deepStrictEqual([latest?.kind, first?.kind], ["state", "state"])
      yield* outbox.retry({ id: first?.id ?? 0 })
      yield* (yield* WakeUps).notify
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual((yield* plane.workItem(id)).state.name, "Done")
      assert.deepStrictEqual(yield* dead, [])
    }).pipe(Effect.provide(inMemory())))

  it.effect("a retried comment goes behind what its work item is owed, with its own time", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
      yield* plane.misbehave(Fault.Status({ match: { method: "POST" }, count: 2, status: 400 }))
      yield* failed(key, "one")
      yield* TestClock.adjust("1 minutes")
      yield* plane.misbehave(Fault.Down({}))
      yield* failed(key, "two")
      yield* TestClock.adjust("1 minutes")
      yield* retryAll
      yield* failed(key, "three")
      yield* plane.calm
      yield* TestClock.adjust("3 minutes")
      assert.deepStrictEqual(yield* reasons(id), ["two", "one", "three"])
      assert.strictEqual((yield* plane.comments(id))[1]?.createdAt, "1970-01-01T00:00:00Z")
    }).pipe(Effect.provide(inMemory())))

  /** A dead letter's count that Plane had executed all the same, followed by another failure. */
  const countGivenUp = Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    const item = yield* plane.addWorkItem({ name: "Trail map" })
    yield* failed(item.key, "one")
    yield* TestClock.adjust("1 minutes")
    const match = { method: "PATCH", kind: "comment" } as const
    yield* plane.misbehave(Fault.Status({ match, status: 502, html: true, when: "after" }))
    yield* failed(item.key, "one")
    yield* TestClock.adjust("30 minutes")
    yield* plane.calm
    yield* failed(item.key, "two")
    yield* TestClock.adjust("1 minutes")
    const [letter] = yield* dead
    assert.deepInclude(letter, { kind: "recount", code: "attempts" })
    return item
  })

  const counts = (id: string) =>
    Effect.map(reasons(id), (all) => all.map((reason) => reason.replace(/, last at.*/, ")")))

  it.effect("a count that Plane had taken after all is not told a second time when retried", () =>
    Effect.gen(function*() {
      const { id, key } = yield* countGivenUp
      yield* retryAll
      yield* TestClock.adjust("30 minutes")
      assert.deepStrictEqual(yield* counts(id), ["one (failed 2 times)", "two"])
      assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 0, delivered: 3 })
      yield* failed(key, "one")
      yield* TestClock.adjust("30 minutes")
      assert.deepStrictEqual(yield* counts(id), ["one (failed 2 times)", "two", "one"])
    }).pipe(Effect.provide(inMemory())))

  it.effect("a count whose comment a person has deleted is one new comment when retried", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id } = yield* countGivenUp
      yield* plane.deleteComment((yield* plane.comments(id))[0]?.id ?? "")
      yield* retryAll
      yield* TestClock.adjust("30 minutes")
      assert.deepStrictEqual(yield* counts(id), ["two", "one"])
      assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 0, delivered: 3 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("a retried count includes the failures that its comment told before, however often", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
      for (let n = 0; n < 2; n++) {
        yield* failed(key, "one")
        yield* TestClock.adjust("1 minutes")
      }
      const match = { method: "PATCH", kind: "comment" } as const
      // Each is asked once more.
      yield* plane.misbehave(Fault.Status({ match, count: 4, status: 400 }))
      for (let n = 0; n < 3; n++) yield* failed(key, "one")
      yield* TestClock.adjust("20 minutes")
      yield* retryAll
      yield* TestClock.adjust("20 minutes")
      assert.strictEqual((yield* dead).length, 1)
      yield* retryAll
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual(yield* counts(id), ["one (failed 5 times)"])
      yield* failed(key, "one")
      yield* TestClock.adjust("20 minutes")
      assert.deepStrictEqual(yield* counts(id), ["one (failed 6 times)"])
    }).pipe(Effect.provide(inMemory())))

  it.effect("a retried state sends the latest stage's state", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
      yield* plane.misbehave(Fault.Status({ match: { method: "PATCH" }, count: 4, status: 400 }))
      yield* publish(StageEvent.StageChanged({ workItem: key, from: "created", to: "analysis" }))
      yield* TestClock.adjust("1 minutes")
      yield* publish(StageEvent.StageChanged({ workItem: key, from: "deploy", to: "done" }))
      yield* TestClock.adjust("1 minutes")
      assert.strictEqual((yield* dead).length, 2)
      yield* retryAll
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual((yield* plane.stateChanges(id)).map(({ to }) => to.name), ["Done"])
      assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 0, delivered: 2 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("a retried state does not wait for the time at which its work item's count is brought up to date", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
      yield* plane.misbehave(Fault.Status({ match: { method: "PATCH" }, count: 2, status: 400 }))
      yield* publish(StageEvent.StageChanged({ workItem: key, from: "created", to: "analysis" }))
      yield* TestClock.adjust("1 minutes")
      // Told, counted, and the third has to wait for ten minutes.
      for (let n = 0; n < 3; n++) {
        yield* failed(key, "one")
        yield* TestClock.adjust("1 minutes")
      }
      assert.strictEqual((yield* (yield* Outbox).status).pending, 1)
      yield* retryAll
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual((yield* plane.stateChanges(id)).map(({ to }) => to.name), ["In Progress"])
    }).pipe(Effect.provide(inMemory())))

  it.effect("an event that this version cannot read stays dead, and stops nobody", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const outbox = yield* Outbox
      const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
      yield* outbox.publish({
        id: "later-version",
        workItem: key,
        lane: NormalizedKey(key),
        body: `{"type":"task_paused","workItem":"${key}"}`,
        stage: undefined,
        urgent: false,
        occurredAt: EpochMillis(0),
        publishedAt: EpochMillis(0),
        project: "ET",
        unfit: undefined
      })
      yield* failed(key, "fine")
      yield* TestClock.adjust("1 minutes")
      const [letter] = yield* dead
      assert.deepInclude(letter, { code: "unfit" })
      assert.strictEqual(yield* outbox.retry({ id: letter?.id ?? 0 }), 0)
      assert.strictEqual(yield* outbox.retry({ code: "unfit" }), 0)
      yield* failed(key, "still fine")
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual(yield* reasons(id), ["fine", "still fine"])
    }).pipe(Effect.provide(inMemory())))

  it.effect("a discarded event that this version cannot read owes nothing more, its state included", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const outbox = yield* Outbox
      const { key } = yield* plane.addWorkItem({ name: "Trail map" })
      yield* outbox.publish({
        id: "later-version",
        workItem: key,
        lane: NormalizedKey(key),
        body: `{"type":"task_paused","workItem":"${key}"}`,
        stage: "done",
        urgent: false,
        occurredAt: EpochMillis(0),
        publishedAt: EpochMillis(0),
        project: "ET",
        unfit: undefined
      })
      yield* (yield* WakeUps).notify
      yield* TestClock.adjust("1 minutes")
      assert.deepInclude(yield* outbox.status, { dead: 1 })
      assert.strictEqual(yield* outbox.retry({ code: "unfit" }), 0)
      assert.strictEqual(yield* outbox.discard({ code: "unfit" }), 1)
      assert.deepInclude(yield* outbox.status, { dead: 0, discarded: 1 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("a state of unknown outcome keeps its quiet time when a later stage is published", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
      yield* plane.misbehave(Fault.Status({ match: { method: "PATCH" }, count: 2, status: 400 }))
      yield* publish(StageEvent.StageChanged({ workItem: key, from: "created", to: "analysis" }))
      yield* TestClock.adjust("1 minutes")
      yield* plane.misbehave(Fault.ApplyLate({ match: { method: "PATCH" }, count: 1, afterMillis: 25_000 }))
      yield* retryAll
      yield* TestClock.adjust("11 seconds")
      yield* plane.forgetRequests
      yield* publish(StageEvent.StageChanged({ workItem: key, from: "deploy", to: "done" }))
      yield* TestClock.adjust("18 seconds")
      assert.deepStrictEqual(yield* plane.requests, [])
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* plane.workItem(id)).state.name, "Done")
    }).pipe(Effect.provide(inMemory())))

  it.effect("events that are published in a dead letter's quiet time are planned at its end: only the latest state is set", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
      yield* failed(key, "one")
      yield* TestClock.adjust("1 minutes")
      yield* plane.misbehave(Fault.Silent({ match: { method: "POST" }, count: 1 }))
      yield* failed(key, "two")
      yield* TestClock.adjust("11 seconds")
      yield* publish(StageEvent.StageChanged({ workItem: key, from: "analysis", to: "created" }))
      yield* TestClock.adjust("2 seconds")
      yield* publish(StageEvent.StageChanged({ workItem: key, from: "created", to: "done" }))
      yield* TestClock.adjust("16 seconds")
      assert.deepStrictEqual(yield* plane.stateChanges(id), [])
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual((yield* plane.stateChanges(id)).map(({ to }) => to.name), ["Done"])
      assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 1, delivered: 3 })
      assert.lengthOf(yield* plane.comments(id), 2)
    }).pipe(Effect.provide(inMemory({ settings: { ORCH_PLANE_MAX_ATTEMPTS: "1" } }))))

  it.effect("all letters of one code are retried when the key exists at last, or are discarded", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const outbox = yield* Outbox
      yield* failed("ET-7", "one")
      yield* failed("ET-7", "two")
      yield* failed("XX-7", "whose?")
      yield* failed("nonsense", "unfit")
      yield* TestClock.adjust("1 hours")
      assert.deepInclude(yield* outbox.status, { pending: 0, dead: 4 })
      const { id } = yield* plane.addWorkItem({ name: "Seven", number: 7 })
      assert.strictEqual(yield* outbox.retry({ code: "not_found" }), 2)
      yield* (yield* WakeUps).notify
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual(yield* reasons(id), ["one", "two"])
      assert.strictEqual(yield* outbox.discard({ code: "wrong_project" }), 1)
      assert.strictEqual(yield* outbox.retry({ code: "unfit" }), 0)
      assert.strictEqual(yield* outbox.discard({ code: "unfit" }), 1)
      assert.deepInclude(yield* outbox.status, { pending: 0, dead: 0, delivered: 2, discarded: 2 })
    }).pipe(Effect.provide(inMemory())))
})
