import { assert, it } from "@effect/vitest"
import { Effect, Layer, Logger, LogLevel } from "effect"
import { defaultStages } from "../../src/domain/PipelineStage.js"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { People } from "../../src/people/People.js"
import { peopleLayer } from "../../src/people/PeopleLayer.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import type { Storage as StorageService } from "../../src/storage/Storage.js"
import type { StorageError } from "../../src/storage/StorageError.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Storage } from "../../src/StorageLayers.js"
import { Pipeline } from "../../src/tasks/Pipeline.js"
import { QualityGates } from "../../src/tasks/QualityGate.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { pipelineOver, settingsFor } from "../sending/Pipeline.js"
import { onEachDialect } from "../support/Engines.js"
import { forge } from "../tasks/Orchestration.js"
import { eventually } from "./Waiting.js"

const olga = "3c1f0c7e-52a4-4b0f-9d4e-6a7c1d5e0b01"
const bot = "3c1f0c7e-52a4-4b0f-9d4e-6a7c1d5e0b02"
/** An id that no user of Plane has. */
const nobody = "3c1f0c7e-52a4-4b0f-9d4e-6a7c1d5e0bff"

/** Tasks, who is asked about them, and the sending to the simulated Plane that is there. */
const overPlane = (
  database: Layer.Layer<StorageService, StorageError>,
  settings: Readonly<Record<string, string>> = {}
) =>
  Layer.provideMerge(peopleLayer, Layer.provideMerge(Tasks.layer, TaskStore.layer)).pipe(
    Layer.provide(Layer.merge(Pipeline.layer(defaultStages), QualityGates.layer(forge().gates))),
    Layer.provideMerge(pipelineOver(database, WakeUps.layerPolling("20 millis"))),
    Layer.provide(settingsFor({
      ORCH_ATTENTION: "Olga@plane.test",
      ORCH_PLANE_TIMEOUT: "1 second",
      ORCH_PLANE_QUIET: "2 seconds",
      ...settings
    })),
    Layer.provideMerge(Logger.minimumLogLevel(LogLevel.None))
  )

const world = (
  database: Layer.Layer<StorageService, StorageError>,
  settings?: Readonly<Record<string, string>>
) => Layer.provideMerge(overPlane(database, settings), PlaneSimulator.layerMemory())

const assignees = (id: string) =>
  Effect.flatMap(PlaneSimulator, (plane) => Effect.map(plane.workItem(id), ({ assignees }) => assignees))

const comesTo = (id: string, ...wanted: ReadonlyArray<string>) =>
  Effect.map(
    eventually(assignees(id), (now) => now.length === wanted.length && wanted.every((each) => now.includes(each))),
    (now) => assert.sameMembers([...now], [...wanted])
  )

/** The bodies of the PATCHes that change who is assigned, and all that asks or tells who is. */
const requests = Effect.flatMap(PlaneSimulator, (plane) =>
  Effect.map(plane.requests, (all) => ({
    patches: all.filter(({ kind, method }) => kind === "item" && method === "PATCH").map(({ body }): unknown =>
      JSON.parse(body)
    ),
    looks: all.filter(({ kind, query }) => kind === "item" && query.includes("assignees")).length,
    lookBacks: all.filter(({ kind }) => kind === "activities").length
  })))

/** A task at analysis of which all is told. */
const task = Effect.gen(function*() {
  const plane = yield* PlaneSimulator
  const tasks = yield* Tasks
  const { id, key } = yield* plane.addWorkItem({ name: "South ridge" })
  yield* tasks.start({ workItem: key })
  yield* tasks.advance((yield* tasks.get(key)).id)
  yield* eventually(plane.comments(id), (all) => all.length > 0)
  yield* Effect.sleep("300 millis")
  yield* plane.forgetRequests
  return { id, key, plane }
})

const ask = (key: string, question = "Which one?") =>
  Effect.flatMap(People, (people) => people.ask(key, { question, agent: "analyst" }))

const answer = (key: string) => Effect.flatMap(People, (people) => people.answer(key, { text: "This", by: "olga" }))

onEachDialect("who is assigned while a task waits", ({ database, storage }) => {
  it.scopedLive(
    "who is asked is added once, and taken out when it is answered; a person's assignees stay",
    () =>
      Effect.gen(function*() {
        const { id, key, plane } = yield* task
        yield* plane.editWorkItem(id, { assignees: [bot] })
        yield* ask(key)
        yield* comesTo(id, bot, olga)
        yield* ask(key, "And why?")
        yield* answer(key)
        yield* Effect.sleep("3500 millis")
        yield* comesTo(id, bot, olga)
        assert.deepStrictEqual(yield* requests, { patches: [{ assignees: [bot, olga] }], looks: 1, lookBacks: 1 })
        yield* answer(key)
        yield* comesTo(id, bot)
        yield* Effect.sleep("2500 millis")
        assert.deepStrictEqual((yield* requests).patches, [{ assignees: [bot, olga] }, { assignees: [bot] }])
      }).pipe(Effect.provide(world(storage))),
    30_000
  )

  it.scopedLive("is added by the PATCH of a state that is due", () =>
    Effect.gen(function*() {
      const { id, key, plane } = yield* task
      yield* plane.misbehave(Fault.ApplyLate({ afterMillis: 400, match: { method: "POST", kind: "comments" } }))
      yield* ask(key)
      yield* Effect.sleep("200 millis")
      yield* (yield* StageEvents).publish(StageEvent.StageChanged({ workItem: key, from: "analysis", to: "done" }))
      yield* comesTo(id, olga)
      const { state } = yield* plane.workItem(id)
      assert.strictEqual(state.name, "Done")
      assert.deepStrictEqual((yield* requests).patches, [{ state: state.id, assignees: [olga] }])
    }).pipe(Effect.provide(world(storage))), 30_000)

  it.scopedLive(
    "an id that Plane does not know is left out: the others are assigned, and the state is set",
    () =>
      Effect.gen(function*() {
        const { id, key, plane } = yield* task
        yield* plane.misbehave(Fault.ApplyLate({ afterMillis: 700, match: { method: "POST", kind: "comments" } }))
        yield* ask(key)
        yield* (yield* StageEvents).publish(StageEvent.StageChanged({ workItem: key, from: "analysis", to: "done" }))
        yield* Effect.flatMap(
          Storage,
          ({ sql, write }) => write(sql`UPDATE plane_sync_wait SET escalate_at = 1 WHERE escalate_at IS NOT NULL`)
        )
        yield* comesTo(id, olga)
        const { state } = yield* plane.workItem(id)
        assert.strictEqual(state.name, "Done")
        const { patches } = yield* requests
        assert.include(JSON.stringify(patches), nobody)
        yield* ask(key, "And why?")
        yield* answer(key)
        yield* answer(key)
        yield* comesTo(id)
        yield* Effect.sleep("500 millis")
        // It is refused once.
        assert.lengthOf((yield* requests).patches.filter((each) => JSON.stringify(each).includes(nobody)), 1)
      }).pipe(Effect.provide(world(storage, { ORCH_ATTENTION: `${nobody},${olga}` }))),
    30_000
  )

  it.scopedLive(
    "a state whose PATCH names nobody but an unknown id is set all the same, at once",
    () =>
      Effect.gen(function*() {
        const { id, key, plane } = yield* task
        yield* plane.misbehave(Fault.ApplyLate({ afterMillis: 400, match: { method: "POST", kind: "comments" } }))
        yield* ask(key)
        yield* Effect.sleep("200 millis")
        yield* (yield* StageEvents).publish(StageEvent.StageChanged({ workItem: key, from: "analysis", to: "done" }))
        yield* eventually(plane.workItem(id), ({ state }) => state.name === "Done")
        const state = (yield* plane.workItem(id)).state.id
        assert.deepStrictEqual((yield* requests).patches, [{ state, assignees: [nobody] }, { state }])
        const [first, second] = (yield* plane.requests).filter(({ method }) => method === "PATCH")
        // A refusal that is not understood is asked for once more after the quiet time of 2 s.
        assert.isBelow((second?.at ?? Infinity) - (first?.at ?? 0), 1_500)
        yield* comesTo(id)
      }).pipe(Effect.provide(world(storage, { ORCH_ATTENTION: nobody }))),
    30_000
  )

  it.scopedLive(
    "whom a person assigns while a PATCH without an answer is under way is put back",
    () =>
      Effect.gen(function*() {
        const { id, key, plane } = yield* task
        yield* plane.misbehave(
          Fault.ApplyLate({ afterMillis: 1_500, count: 1, match: { method: "PATCH", kind: "item" } })
        )
        yield* ask(key)
        yield* eventually(requests, ({ patches }) => patches.length > 0)
        yield* plane.editWorkItem(id, { assignees: [bot] })
        yield* comesTo(id, olga)
        yield* comesTo(id, olga, bot)
        yield* answer(key)
        yield* comesTo(id, bot)
      }).pipe(Effect.provide(world(storage))),
    30_000
  )

  it.scopedLive(
    "a list that is older than 2 s is not sent back: the state goes alone, and they have a PATCH of their own",
    () =>
      Effect.gen(function*() {
        const { id, key, plane } = yield* task
        yield* plane.misbehave(Fault.ApplyLate({ afterMillis: 400, match: { method: "POST", kind: "comments" } }))
        yield* ask(key)
        yield* Effect.sleep("200 millis")
        yield* plane.misbehave(Fault.ByteByByte({ everyMillis: 10, count: 1, match: { method: "GET", kind: "item" } }))
        yield* (yield* StageEvents).publish(StageEvent.StageChanged({ workItem: key, from: "analysis", to: "done" }))
        yield* comesTo(id, olga)
        const { state } = yield* plane.workItem(id)
        assert.strictEqual(state.name, "Done")
        assert.deepStrictEqual((yield* requests).patches, [{ state: state.id }, { assignees: [olga] }])
      }).pipe(Effect.provide(world(storage, { ORCH_PLANE_TIMEOUT: "20 seconds" }))),
    30_000
  )

  it.scopedLive(
    "a Plane that does not tell who is assigned gets the state, and is told of nobody",
    () =>
      Effect.gen(function*() {
        const { id, key, plane } = yield* task
        const { name, number, projectId: project, state } = yield* plane.workItem(id)
        const untold = { id, name, sequence_id: number, project, state, updated_at: "2026-11-30T10:00:00.000000Z" }
        yield* plane.misbehave(Fault.ApplyLate({ afterMillis: 400, match: { method: "POST", kind: "comments" } }))
        yield* ask(key)
        yield* Effect.sleep("200 millis")
        const looks = { method: "GET", kind: "item" } as const
        yield* plane.misbehave(Fault.Status({ status: 200, body: JSON.stringify(untold), match: looks }))
        yield* (yield* StageEvents).publish(StageEvent.StageChanged({ workItem: key, from: "analysis", to: "done" }))
        yield* eventually(plane.workItem(id), (item) => item.state.name === "Done")
        yield* Effect.sleep("1 second")
        assert.deepStrictEqual((yield* requests).patches, [{ state: (yield* plane.workItem(id)).state.id }])
        yield* comesTo(id)
      }).pipe(Effect.provide(world(storage))),
    30_000
  )

  it.scopedLive("whom a person assigns between our look and our PATCH is put back, once", () =>
    Effect.gen(function*() {
      const { id, key, plane } = yield* task
      yield* plane.misbehave(Fault.ApplyLate({ afterMillis: 500, count: 1, match: { method: "PATCH", kind: "item" } }))
      yield* ask(key)
      yield* eventually(requests, ({ patches }) => patches.length > 0)
      yield* plane.editWorkItem(id, { assignees: [bot] })
      yield* comesTo(id, olga)
      yield* comesTo(id, olga, bot)
      yield* Effect.sleep("3 seconds")
      assert.lengthOf((yield* requests).patches, 2)
      yield* answer(key)
      yield* comesTo(id, bot)
    }).pipe(Effect.provide(world(storage))), 30_000)

  it.scopedLive(
    "nothing is changed within a second after a person's change, or where they are assigned already",
    () =>
      Effect.gen(function*() {
        const { id, key, plane } = yield* task
        yield* plane.editWorkItem(id, { assignees: [olga] })
        yield* ask(key)
        yield* eventually(requests, ({ looks }) => looks > 0)
        yield* answer(key)
        yield* Effect.sleep("1 seconds")
        yield* comesTo(id, olga)
        assert.deepStrictEqual(yield* requests, { patches: [], looks: 1, lookBacks: 0 })
      }).pipe(Effect.provide(world(storage))),
    30_000
  )

  it.scopedLive("whom Plane does not keep, or does not know, is not asked for again", () =>
    Effect.gen(function*() {
      const { id, key } = yield* task
      yield* ask(key)
      yield* eventually(requests, ({ patches }) => patches.length > 0)
      yield* answer(key)
      yield* ask(key, "And now?")
      yield* Effect.sleep("2 seconds")
      yield* answer(key)
      yield* Effect.sleep("500 millis")
      assert.lengthOf((yield* requests).patches, 1)
      yield* comesTo(id)
    }).pipe(Effect.provide(world(storage, { ORCH_ATTENTION: "gustav@plane.test" }))), 30_000)

  it.scopedLive("the next one is added when nobody answers, and both are taken out", () =>
    Effect.gen(function*() {
      const { id, key } = yield* task
      yield* ask(key)
      yield* comesTo(id, olga)
      const overdue = Effect.flatMap(Storage, ({ sql, write }) =>
        write(sql`UPDATE plane_sync_wait SET escalate_at = 1 WHERE escalate_at IS NOT NULL`))
      yield* eventually(Effect.zipRight(overdue, assignees(id)), (now) =>
        now.length === 2)
      yield* comesTo(id, olga, bot)
      yield* answer(key)
      yield* comesTo(id)
    }).pipe(Effect.provide(world(storage, { ORCH_ATTENTION: `olga@plane.test,nobody@plane.test,${bot}` }))), 40_000)

  it.scopedLive(
    "a Plane that refuses to assign is asked twice, and the work item goes on",
    () =>
      Effect.gen(function*() {
        const { id, key, plane } = yield* task
        yield* plane.misbehave(Fault.Status({ status: 400, match: { method: "PATCH", kind: "item" } }))
        yield* ask(key)
        yield* eventually(requests, ({ patches }) => patches.length > 1)
        yield* answer(key)
        yield* plane.calm
        yield* ask(key, "And now?")
        yield* eventually(plane.comments(id), (all) => all.some(({ html }) => html.includes("And now?")))
        yield* Effect.sleep("500 millis")
        yield* comesTo(id)
        assert.lengthOf((yield* requests).patches, 2)
      }).pipe(Effect.provide(world(storage))),
    30_000
  )

  for (
    const [name, fault] of [
      ["executed", Fault.Silent({ when: "after", count: 1, match: { method: "PATCH", kind: "item" } })],
      ["not executed", Fault.Silent({ when: "before", count: 1, match: { method: "PATCH", kind: "item" } })]
    ] as const
  ) {
    it.scopedLive(
      `a PATCH without an answer that was ${name}: they are there once, and are ours`,
      () =>
        Effect.gen(function*() {
          const { id, key, plane } = yield* task
          yield* plane.misbehave(fault)
          yield* ask(key)
          yield* eventually(requests, ({ patches }) => patches.length > 0)
          yield* Effect.sleep("3500 millis")
          yield* comesTo(id, olga)
          assert.lengthOf((yield* requests).patches, name === "executed" ? 1 : 2)
          yield* answer(key)
          yield* comesTo(id)
        }).pipe(Effect.provide(world(storage))),
      30_000
    )
  }

  it.scopedLive("a restart between the PATCH and its answer", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const opened = yield* database
      const run = <A, E, R>(work: Effect.Effect<A, E, R>) =>
        Effect.scoped(Effect.provide(work, Layer.fresh(overPlane(opened, { ORCH_PLANE_TIMEOUT: "20 seconds" }))))
      const { id, key } = yield* run(Effect.gen(function*() {
        const { id, key } = yield* task
        yield* plane.misbehave(Fault.Silent({ when: "after", count: 1, match: { method: "PATCH", kind: "item" } }))
        yield* ask(key)
        yield* comesTo(id, olga)
        return { id, key }
      }))
      yield* run(Effect.gen(function*() {
        yield* eventually(requests, ({ looks }) => looks > 1)
        assert.lengthOf((yield* requests).patches, 1)
        yield* answer(key)
        yield* comesTo(id)
      }))
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())), 60_000)
})
