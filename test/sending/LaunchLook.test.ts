import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer, Logger, LogLevel, Option, TestClock } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { ItemId } from "../../src/domain/Ids.js"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { CanonicalKey } from "../../src/domain/WorkItemKey.js"
import { WorkItemLook } from "../../src/domain/WorkItemLook.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Leadership } from "../../src/outbox/Leadership.js"
import { observe } from "../../src/outbox/Observation.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { RateBudgets } from "../../src/plane/RateBudgets.js"
import { tokenDestinations } from "../../src/plane/TokenDestinations.js"
import { launchLookLayer } from "../../src/sending/LaunchLook.js"
import { PlaneProjects } from "../../src/sending/PlaneProjects.js"
import { PlaneSync } from "../../src/sending/PlaneSync.js"
import type { PlaneSimulatorOptions } from "../../src/simulator/PlaneSimulator.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { Storage as StorageService } from "../../src/storage/Storage.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Storage } from "../../src/StorageLayers.js"
import { received, settingsFor } from "./Pipeline.js"

/** Sending with the look, over a simulated Plane, by the TestClock. */
const withLook = (
  options: { readonly plane?: PlaneSimulatorOptions; readonly settings?: Readonly<Record<string, string>> } = {}
) =>
  Layer.mergeAll(PlaneSync.layerPipeline, StageEvents.layer, launchLookLayer).pipe(
    Layer.provideMerge(PlaneProjects.layer),
    Layer.provide(Layer.provide(Leadership.layer, tokenDestinations)),
    Layer.provideMerge(
      Layer.mergeAll(Outbox.layer, WakeUps.layerPolling("1 days"), projectsLayer, RateBudgets.layer)
    ),
    Layer.provideMerge(Storage.layerFile(":memory:")),
    Layer.provide(settingsFor(options.settings ?? {})),
    Layer.provideMerge(PlaneSimulator.layerMemory(options.plane)),
    Layer.merge(Logger.minimumLogLevel(LogLevel.None))
  )

interface Item {
  readonly id: string
  readonly key: string
}

const lookAt = ({ id, key }: Item) =>
  Effect.flatMap(WorkItemLook, ({ look }) => look({ itemId: Option.some(ItemId(id)), workItem: key }))

const toldAs = (item: Item) =>
  Effect.map(lookAt(item), (looked) => looked._tag === "Moved" ? `Moved to ${looked.group}` : looked._tag)

const publish = (workItem: string, from: string, to: string) =>
  Effect.flatMap(StageEvents, (events) => events.publish(StageEvent.StageChanged({ workItem, from, to })))

/** The hook of the state that the work item is in now. */
const heard = (item: Item) =>
  Effect.gen(function*() {
    const { sql, write } = yield* StorageService
    const { stateId, updatedAt } = yield* Effect.flatMap(PlaneProjects, ({ all: [{ client }] }) =>
      client.read(ItemId(item.id)))
    return yield* write(observe(sql, {
      itemId: ItemId(item.id),
      key: CanonicalKey(item.key),
      state: Option.getOrNull(stateId),
      cancelled: false,
      completed: false,
      updatedAt,
      receivedAt: EpochMillis(Date.parse(updatedAt)),
      isAside: false
    }))
  })

describe("the look before a launch", () => {
  it.effect("row 28: tells a move that no hook has told, until it is noted, and where it was to", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Trail map", state: "In Progress" })
      yield* TestClock.adjust("1 seconds")
      yield* heard(item)
      assert.strictEqual(yield* toldAs(item), "Expected")
      for (
        const [state, group] of [["Done", "completed"], ["Backlog", "backlog"], ["Todo", "unstarted"], [
          "Cancelled",
          "cancelled"
        ], ["In Progress", "started"]] as const
      ) {
        yield* TestClock.adjust("1 seconds")
        yield* plane.moveWorkItem(item.id, state)
        assert.strictEqual(yield* toldAs(item), `Moved to ${group}`)
        const again = yield* lookAt(item)
        if (again._tag !== "Moved") return assert.fail("it was not noted yet")
        assert.isAtMost(again.at, yield* Clock.currentTimeMillis)
        yield* (yield* WorkItemLook).note(again)
        assert.strictEqual(yield* toldAs(item), "Expected")
        // The hook of that move comes late.
        assert.strictEqual(yield* heard(item), "old")
      }
    }).pipe(Effect.provide(withLook())))

  it.effect("row 28: our own state is no person's move: owed, being written, written, or without an answer", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Trail map", state: "In Progress" })
      yield* TestClock.adjust("1 seconds")
      yield* heard(item)
      // Applied, but its answer is lost.
      yield* plane.misbehave(Fault.Silent({ match: { method: "PATCH" }, when: "after", count: 1 }))
      yield* publish(item.key, "deploy", "done")
      assert.strictEqual(yield* toldAs(item), "Expected")
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual((yield* plane.workItem(item.id)).state.name, "Done")
      assert.strictEqual(yield* toldAs(item), "Expected")
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(yield* toldAs(item), "Expected")
    }).pipe(Effect.provide(withLook())))

  it.effect("row 28: where nothing was heard of it, the state that it shows is no move", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Trail map", state: "Backlog" })
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(yield* toldAs(item), "Expected")
      // Its id is not known, and nobody has looked its key up.
      const { look } = yield* WorkItemLook
      assert.strictEqual((yield* look({ itemId: Option.none(), workItem: item.key }))._tag, "Unknown")
      assert.lengthOf(yield* received, 1)
    }).pipe(Effect.provide(withLook())))

  it.effect("row 28: deleted and archived is gone; that of an archived project is not", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const [one, two, three] = yield* Effect.forEach(["One", "Two", "Three"], (name) => plane.addWorkItem({ name }))
      if (one === undefined || two === undefined || three === undefined) return assert.fail()
      yield* TestClock.adjust("1 seconds")
      yield* plane.deleteWorkItem(one.id)
      yield* plane.archiveWorkItem(two.id)
      assert.deepStrictEqual(yield* Effect.forEach([one, two, three], toldAs), ["Gone", "Gone", "Expected"])
      yield* plane.archiveProject()
      assert.strictEqual(yield* toldAs(three), "Unknown")
    }).pipe(Effect.provide(withLook())))

  it.effect("row 54: Plane takes a comment for a deleted work item; what is owed after a look are dead letters", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const outbox = yield* Outbox
      const item = yield* plane.addWorkItem({ name: "Trail map" })
      yield* publish(item.key, "none", "created")
      yield* TestClock.adjust("1 minutes")
      yield* plane.deleteWorkItem(item.id)
      // The state holds already, so there is only a comment.
      yield* publish(item.key, "none", "created")
      yield* TestClock.adjust("1 minutes")
      assert.deepInclude(yield* outbox.status, { pending: 0, dead: 0, delivered: 2 })
      assert.strictEqual(yield* toldAs(item), "Gone")
      yield* publish(item.key, "none", "created")
      yield* TestClock.adjust("1 minutes")
      assert.deepInclude(yield* outbox.status, { pending: 0, dead: 1, delivered: 2 })
      // Its comment and its state.
      assert.deepStrictEqual((yield* outbox.deadLetters({ limit: 9 })).map(({ code }) => code), ["gone", "gone"])
      // A look before a state tells it as well, without one before a launch.
      const other = yield* plane.addWorkItem({ name: "Trail map, too" })
      yield* publish(other.key, "none", "created")
      yield* TestClock.adjust("1 minutes")
      yield* plane.deleteWorkItem(other.id)
      yield* publish(other.key, "created", "analysis")
      yield* TestClock.adjust("1 minutes")
      assert.deepInclude(yield* outbox.status, { pending: 0, dead: 2, delivered: 3 })
    }).pipe(Effect.provide(withLook())))

  it.effect("row 28: a silent Plane is waited for 10 s, and then by no other look for half a minute", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Trail map" })
      yield* TestClock.adjust("1 seconds")
      yield* plane.misbehave(Fault.Silent({}))
      const looks = yield* Effect.fork(Effect.all([toldAs(item), toldAs(item)], { concurrency: "unbounded" }))
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* Fiber.join(looks), ["Unknown", "Unknown"])
      assert.deepStrictEqual(yield* Effect.replicateEffect(toldAs(item), 3), ["Unknown", "Unknown", "Unknown"])
      yield* plane.calm
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(yield* toldAs(item), "Expected")
    }).pipe(Effect.provide(withLook({ settings: { ORCH_PLANE_TIMEOUT: "1 minutes" } }))))

  it.effect("row 28: a budget that is used up is waited for 10 s", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Trail map" })
      // The probe and the states.
      yield* TestClock.adjust("1 seconds")
      const look = yield* Effect.fork(toldAs(item))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Fiber.join(look), "Unknown")
    }).pipe(Effect.provide(withLook({ settings: { ORCH_PLANE_RATE_LIMIT: "2/minute" } }))))

  it.effect("row 28: before the first probe has ended it waits for that; closed, it answers at once", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Trail map" })
      const look = yield* Effect.fork(toldAs(item))
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(yield* Fiber.join(look), "Expected")
      yield* plane.misbehave(Fault.Down({}))
      yield* publish(item.key, "created", "analysis")
      yield* TestClock.adjust("1 minutes")
      const before = (yield* received).length
      assert.strictEqual(yield* toldAs(item), "Unknown")
      assert.lengthOf(yield* received, before)
    }).pipe(Effect.provide(withLook())))

  it.effect("without an API token nothing is known, at once", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Trail map" })
      assert.strictEqual(yield* toldAs(item), "Unknown")
    }).pipe(Effect.provide(withLook({ settings: { ORCH_PLANE_API_TOKEN: "" } }))))
})
