import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { toldBy } from "../../demo/Judge.js"
import { ItemId } from "../../src/domain/Ids.js"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { NormalizedKey } from "../../src/domain/WorkItemKey.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { inMemory } from "./Pipeline.js"

const publish = (event: StageEvent) => Effect.flatMap(StageEvents, (events) => events.publish(event))

const changed = (workItem: string, from: string, to: string) => publish(StageEvent.StageChanged({ workItem, from, to }))

const failed = (workItem: string, reason: string) =>
  publish(StageEvent.QualityGateFailed({ workItem, stage: "review", check: "lint", reason }))

const lines = (id: string) =>
  Effect.flatMap(
    PlaneSimulator,
    (plane) => Effect.map(plane.comments(id), (all) => all.flatMap(({ html }) => toldBy(html)))
  )

describe("two spellings of one work item", () => {
  it.effect("are one lane once both are found: one order, and the state is asked for once", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id } = yield* plane.addWorkItem({ name: "Trail map", number: 2 })
      yield* changed("ET-2", "created", "analysis")
      yield* changed("ET-002", "analysis", "architecture")
      yield* TestClock.adjust("1 minutes")
      yield* plane.misbehave(Fault.Down({}))
      yield* failed("ET-002", "one")
      yield* failed("ET-2", "two")
      yield* failed("et-002", "three")
      yield* plane.calm
      yield* TestClock.adjust("3 minutes")
      assert.deepStrictEqual(
        (yield* lines(id)).slice(2),
        ["one", "two", "three"].map((reason) => `⚠️ QG failed at review: lint — ${reason}`)
      )
      const patches = (yield* plane.requests).filter(({ method }) => method === "PATCH")
      assert.strictEqual(patches.length, 1)
    }).pipe(Effect.provide(inMemory())))

  it.effect("are shown by the key that Plane shows, whatever was published", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const outbox = yield* Outbox
      const { id } = yield* plane.addWorkItem({ name: "Trail map", number: 2 })
      yield* failed("ET-002", "one")
      yield* TestClock.adjust("1 minutes")
      assert.deepInclude(yield* outbox.workItem(NormalizedKey("ET-2"), 1), { itemId: ItemId(id), owed: 0 })
      assert.lengthOf(yield* outbox.events({ workItem: NormalizedKey("ET-2"), limit: 10 }), 1)
      yield* plane.forgetRequests
      yield* failed("ET-2", "two")
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual((yield* plane.requests).map(({ method }) => method), ["POST"])
    }).pipe(Effect.provide(inMemory())))

  it.effect("no event is lost when the second is found while a joined comment is on its way", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id } = yield* plane.addWorkItem({ name: "Trail map", number: 2 })
      yield* plane.misbehave(Fault.Status({ match: { kind: "identifier" }, count: 1, status: 500 }))
      yield* plane.misbehave(Fault.Silent({ match: { kind: "search" }, count: 1 }))
      yield* changed("ET-2", "a", "x1")
      yield* failed("ET-002", "the second")
      yield* changed("ET-2", "x1", "x3")
      yield* plane.misbehave(Fault.Silent({ match: { method: "POST" }, when: "after" }))
      yield* TestClock.adjust("61 seconds")
      yield* plane.calm
      yield* TestClock.adjust("10 minutes")
      assert.sameMembers(yield* lines(id), [
        "🔄 Stage: a → x1",
        "🔄 Stage: x1 → x3",
        "⚠️ QG failed at review: lint — the second"
      ])
      assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 0, delivered: 3 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("an older stage that is found late does not take back the latest state", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id } = yield* plane.addWorkItem({ name: "Trail map", number: 2 })
      yield* plane.misbehave(Fault.Silent({ match: { kind: "search" }, count: 1 }))
      yield* changed("ET-002", "created", "analysis")
      yield* publish(StageEvent.TaskCompleted({ workItem: "ET-2" }))
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual((yield* plane.stateChanges(id)).map(({ to }) => to.name), ["Done"])
      assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 0, delivered: 2 })
    }).pipe(Effect.provide(inMemory())))
})
