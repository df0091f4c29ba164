import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { defaultStageStates } from "../../src/domain/StageStates.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { overPlane } from "./Pipeline.js"

const file = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "plane-sync-"))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
  ),
  (folder) => join(folder, "events.sqlite")
)

/** A table of some stages, with the states that they have by default. */
const tableOf = (...stages: ReadonlyArray<string>) => ({
  ORCH_PLANE_STAGE_STATES: JSON.stringify(Object.fromEntries(stages.map((stage) => [
    stage,
    defaultStageStates.get(stage)
  ])))
})

const publish = (workItem: string, ...stages: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const events = yield* StageEvents
    for (const to of stages) yield* events.publish(StageEvent.StageChanged({ workItem, from: "before", to }))
  })

/** Publishes without an API token, so that all is owed. */
const owed = (database: string, table: Readonly<Record<string, string>>, ...published: Parameters<typeof publish>) =>
  Effect.provide(publish(...published), overPlane({ database, settings: { ...table, ORCH_PLANE_API_TOKEN: "" } }))

/** Tells all that is owed; the states that the work item has been in since. */
const told = (database: string, table: Readonly<Record<string, string>>, id: string) =>
  Effect.gen(function*() {
    yield* TestClock.adjust("1 minutes")
    assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 0 })
    return (yield* (yield* PlaneSimulator).stateChanges(id)).map(({ to }) => to.name)
  }).pipe(Effect.provide(overPlane({ database, settings: table })))

const inPlane = Effect.provide(PlaneSimulator.layerMemory())

describe("a stage without a state", () => {
  it.scoped("does not supersede the state that is owed before it", () =>
    Effect.gen(function*() {
      const database = yield* file
      const { id, key } = yield* (yield* PlaneSimulator).addWorkItem({ name: "Trail map" })
      yield* owed(database, {}, key, "review", "security audit")
      assert.deepStrictEqual(yield* told(database, {}, id), ["In Progress"])
    }).pipe(inPlane))

  it.scoped("nor does one whose state was taken out of the table while it was owed", () =>
    Effect.gen(function*() {
      const database = yield* file
      const { id, key } = yield* (yield* PlaneSimulator).addWorkItem({ name: "Trail map" })
      yield* owed(database, tableOf("created", "review", "done"), key, "created", "review", "done")
      const after = tableOf("created", "review")
      assert.deepStrictEqual(yield* told(database, after, id), ["In Progress"])
      // What was asked for is not asked for again.
      yield* publish(key, "review").pipe(
        Effect.zipRight(TestClock.adjust("1 minutes")),
        Effect.provide(overPlane({ database, settings: after }))
      )
      const plane = yield* PlaneSimulator
      assert.lengthOf((yield* plane.requests).filter(({ method }) => method === "PATCH"), 1)
    }).pipe(inPlane))

  it.scoped("does not keep the latest state from being set, though more comments are owed than one comment tells", () =>
    Effect.gen(function*() {
      const database = yield* file
      const { id, key } = yield* (yield* PlaneSimulator).addWorkItem({ name: "Trail map" })
      const many = Array.from({ length: 60 }, () => "created")
      yield* owed(database, tableOf("created", "review", "done"), key, ...many, "review", "done")
      assert.deepStrictEqual(yield* told(database, tableOf("created", "review"), id), ["In Progress"])
    }).pipe(inPlane))

  it.scoped("asks for nothing where no stage before it has a state, and its comment is sent", () =>
    Effect.gen(function*() {
      const database = yield* file
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
      yield* owed(database, {}, key, "review", "done")
      assert.deepStrictEqual(yield* told(database, tableOf("created"), id), [])
      assert.lengthOf(yield* plane.comments(id), 1)
    }).pipe(inPlane))

  it.scoped("does not bring back the state of a stage that was told", () =>
    Effect.gen(function*() {
      const database = yield* file
      const { id, key } = yield* (yield* PlaneSimulator).addWorkItem({ name: "Trail map" })
      yield* publish(key, "review", "done").pipe(
        Effect.zipRight(TestClock.adjust("1 minutes")),
        Effect.provide(overPlane({ database }))
      )
      yield* owed(database, {}, key, "testing")
      assert.deepStrictEqual(yield* told(database, tableOf("review", "done"), id), ["Done"])
    }).pipe(inPlane))
})
