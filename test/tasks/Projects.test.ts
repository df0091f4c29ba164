import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Option, TestClock } from "effect"
import { writeFileSync } from "node:fs"
import { EpochMillis, utc } from "../../src/base/Time.js"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { ItemId } from "../../src/domain/Ids.js"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StateId } from "../../src/domain/StageStates.js"
import { WorkItemKey } from "../../src/domain/WorkItemKey.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { TaskPullRequests } from "../../src/gitea/TaskPullRequests.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Storage } from "../../src/StorageLayers.js"
import { AgentLauncher } from "../../src/tasks/AgentLauncher.js"
import { orchestratorLayer } from "../../src/tasks/Orchestrator.js"
import { Pipeline } from "../../src/tasks/Pipeline.js"
import { QualityGates } from "../../src/tasks/QualityGate.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { ExplainWorkItem } from "../../src/views/ExplainWorkItem.js"
import { folder } from "../http/Server.js"
import { alwaysLeading } from "../support/AlwaysLeading.js"
import { immediateDisk } from "../support/ImmediateDisk.js"
import { forge, told } from "./Orchestration.js"

const pipeline = (first: string, agent: string) => ({
  pipeline: [{ stage: first, agent, gates: ["reported"] }, { stage: `${first} done` }],
  stages: {}
})

const [et, app] = [pipeline("build", "builder"), pipeline("write", "writer")]

/** An orchestrator with the projects of a file, and the launches that it made. */
const programs = Effect.map(folder, (path) => {
  const launched: Array<string> = []
  const launcher = Layer.succeed(AgentLauncher, {
    launch: ({ agent, task }) => Effect.sync(() => void launched.push(`${agent} ${task.workItem}`)),
    stop: ({ agent, task }) => Effect.sync(() => void launched.push(`stop ${agent} ${task.workItem}`))
  })
  const program = (projects: object) => {
    const file = `${path}/plane-sync.json`
    writeFileSync(file, JSON.stringify({ projects }))
    const explain = Layer.provide(ExplainWorkItem.layer, TaskPullRequests.layer)
    return Effect.provide(
      Layer.merge(orchestratorLayer, Layer.provide(explain, TaskStore.layer)).pipe(
        Layer.provide([Pipeline.layerProjects(), QualityGates.layer(forge().gates), launcher]),
        Layer.provideMerge(Layer.merge(StageEvents.layer, alwaysLeading)),
        Layer.provideMerge(Layer.mergeAll(Outbox.layer, projectsLayer, WakeUps.layerPolling("1 days"))),
        Layer.provideMerge(Layer.provide(Storage.layerFile(`${path}/events.sqlite`), immediateDisk)),
        Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(
          new Map([["ORCH_CONFIG", file], ["ORCH_PLANE_API_TOKEN", "plane_api_of_nobody"], ["ORCH_LAUNCHES", "1"]])
        )))
      )
    )
  }
  return { launched, program }
})

const place = (identifier: string, id: string) =>
  Effect.flatMap(Outbox, (outbox) => outbox.keepPlace(identifier, { id, listed: undefined }))

const start = (workItem: string) => Effect.flatMap(Tasks, (tasks) => tasks.start({ workItem }))
const get = (workItem: string) => Effect.flatMap(Tasks, (tasks) => tasks.get(workItem))
const report = (workItem: string, stage: string) =>
  Effect.flatMap(Tasks, (tasks) => tasks.report(workItem, { stage, outcome: "passed" }))
const stageOf = (workItem: string) => Effect.map(get(workItem), ({ stage, status }) => `${status} at ${stage}`)
const nextOf = (key: string) =>
  Effect.gen(function*() {
    const { explain } = yield* ExplainWorkItem
    const parsed = yield* Effect.orDieWith(WorkItemKey.parse(key), (why) => new Error(why))
    return (yield* explain(parsed, 20, () => undefined)).next
  })

const unset = "no setting names the project APP: add it to the settings, and restart"
const places = Effect.zipRight(place("ET", "id-of-et"), place("APP", "id-of-app"))

describe("a task of a project that is taken out of the settings", () => {
  it.scoped("stays where it is, and says why; with the project again it goes on, by its own pipeline", () =>
    Effect.gen(function*() {
      const { launched, program } = yield* programs
      yield* program({ ET: et, APP: app })(Effect.gen(function*() {
        yield* places
        for (const key of ["ET-1", "APP-1", "APP-2", "APP-4"]) {
          yield* start(key)
          yield* TestClock.adjust("1 seconds")
        }
        yield* (yield* StageEvents).publish(StageEvent.StageChanged({ workItem: "APP-1", from: "idea", to: "write" }))
        assert.deepStrictEqual(launched, ["builder ET-1"])
      }))
      yield* program({ ET: et })(Effect.gen(function*() {
        // Now agents may be launched for the others.
        yield* report("ET-1", "build")
        yield* report("APP-1", "write")
        yield* TestClock.adjust("5 minutes")
        assert.strictEqual(yield* stageOf("ET-1"), "done at build done")
        assert.strictEqual(yield* stageOf("APP-1"), "active at write")
        assert.deepStrictEqual((yield* get("APP-1")).why, Option.some(unset))
        assert.deepStrictEqual(launched, ["builder ET-1"])
        assert.notInclude((yield* told).join(), "write done")
        assert.deepInclude(yield* nextOf("APP-1"), { what: "later", request: null, waits: [unset] })

        // An agent that waits for its project is not stopped, because it was not started.
        yield* Effect.flatMap(get("APP-4"), ({ id }) => Effect.flatMap(TaskStore, (tasks) => tasks.stop(id, "by hand")))
        yield* TestClock.adjust("5 minutes")
        assert.deepStrictEqual(launched, ["builder ET-1"])

        // Nor does a person's move, or a new start.
        const move = {
          group: "completed",
          stateId: StateId("s"),
          at: utc(EpochMillis(9e12)),
          who: Option.none(),
          stateName: Option.none(),
          isNew: false
        }
        const { id } = yield* get("APP-1")
        yield* Effect.flatMap(TaskStore, (tasks) => tasks.applyMove(id, move, new Map()))
        assert.strictEqual(yield* stageOf("APP-1"), "active at write")
        const overruled = Effect.flatMap(
          Tasks,
          (tasks) => tasks.overrule("APP-1", { stage: "write", by: "lea", reason: "by hand" })
        )
        assert.include((yield* Effect.flip(overruled)).message, unset)
        for (const key of ["APP-1", "APP-3"]) {
          const { message } = yield* Effect.flip(start(key))
          assert.strictEqual(message, `${key} is in no project that is set: keys begin with ET-`)
        }
      }))
      yield* program({ ET: et, APP: app })(Effect.gen(function*() {
        yield* TestClock.adjust("5 minutes")
        assert.strictEqual(yield* stageOf("APP-1"), "done at write done")
        assert.include(launched, "writer APP-2")
      }))
    }))

  it.scoped("that was renamed in Plane goes on, once it is known where that is, also by the keys of before", () =>
    Effect.gen(function*() {
      const { program } = yield* programs
      yield* program({ ET: et, APP: app })(Effect.gen(function*() {
        yield* places
        yield* start("APP-1")
        yield* Effect.flatMap(Tasks, (tasks) => tasks.start({ workItem: "APP-2", itemId: ItemId("item-2") }))
      }))
      yield* program({ ET: et, NEW: app })(Effect.gen(function*() {
        for (const key of ["APP-1", "APP-2"]) yield* report(key, "write")
        yield* TestClock.adjust("1 seconds")
        assert.strictEqual(yield* stageOf("APP-1"), "active at write")
        yield* place("NEW", "id-of-app")
        yield* TestClock.adjust("2 minutes")
        for (const key of ["APP-1", "APP-2"]) assert.strictEqual(yield* stageOf(key), "done at write done")
        assert.strictEqual((yield* get("APP-1")).project, "NEW")
        // So it does by other spellings of the key.
        assert.strictEqual((yield* start("APP-001")).stage, "write")
        // A stage of another project's is none of its own.
        assert.match(
          (yield* Effect.flip(report("APP-1", "build"))).message,
          /"build" is not a stage: expected one of write/
        )
      }))
    }))
})
