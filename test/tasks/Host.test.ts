import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Logger, LogLevel, Option, Schedule, TestClock } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import type { QualityGate } from "../../src/index.js"
import {
  AgentLauncher,
  Connections,
  Orchestrator,
  Pipeline,
  QualityGates,
  Storage,
  Tasks,
  Verdict
} from "../../src/index.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { folder } from "../http/Server.js"

/** What a host program provides itself. */
const lint: QualityGate = {
  name: "lint",
  check: ({ workItem }) =>
    Effect.succeed(workItem === "ET-1" ? Verdict.Passed() : Verdict.Failed({ reason: "2 errors" }))
}
const launched: Array<string> = []
const parts = Layer.mergeAll(
  Pipeline.layer([
    { stage: "write", agent: "writer", gates: ["started", "lint"] },
    { stage: "published", gates: [] }
  ]),
  QualityGates.layer([lint]),
  Layer.succeed(AgentLauncher, {
    launch: ({ agent, task }) => Effect.sync(() => void launched.push(`${agent} ${task.workItem}`)),
    stop: ({ agent, task }) => Effect.sync(() => void launched.push(`no ${agent} ${task.workItem}`))
  })
)
const layerOn = (host: ReturnType<typeof SqliteClient.layer>) =>
  Orchestrator.layerSql.pipe(
    Layer.provide(parts),
    Layer.provideMerge(host),
    Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map()))),
    Layer.provide(Logger.minimumLogLevel(LogLevel.None))
  )
const layer = layerOn(SqliteClient.layer({ filename: ":memory:" }))

describe("the orchestrator in a host program", () => {
  it.live("has the host's stages, gates and launcher, in the host's database", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const tasks = yield* Tasks
      yield* tasks.start({ workItem: "ET-1" })
      yield* tasks.start({ workItem: "ET-2" })
      const undone = sql.withTransaction(Effect.zipRight(tasks.start({ workItem: "ET-3" }), Effect.fail("no")))
      yield* Effect.ignore(undone)
      yield* Effect.repeat(tasks.get("ET-2"), {
        schedule: Schedule.spaced("10 millis"),
        until: ({ verdicts }) => verdicts.length === 2
      })
      yield* Effect.repeat(tasks.get("ET-1"), {
        schedule: Schedule.spaced("10 millis"),
        until: ({ status }) => status === "done"
      })
      yield* Effect.repeat(Effect.sync(() => launched.length), {
        schedule: Schedule.spaced("10 millis"),
        until: (count) => count > 0
      })
      // ET-1 only passes its first stage.
      assert.deepStrictEqual(launched, ["writer ET-2"])
      assert.isTrue(Option.isNone(yield* tasks.byKey("ET-3")))
      const events = yield* sql<{ id: string; body: string }>`SELECT body FROM plane_sync_event ORDER BY sequence`
      assert.sameMembers(events.map(({ body }) => body.replace(/,"workItem":"ET-\d"/, "")), [
        `{"type":"stage_changed","from":"write","to":"published"}`,
        `{"type":"task_completed"}`,
        `{"type":"quality_gate_failed","stage":"write","check":"lint","reason":"2 errors"}`
      ])
    }).pipe(Effect.provide(layer)))

  it.scopedLive("starts a task within the host's transaction while another process writes to the database", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/host.sqlite`
      yield* Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const script = `
          const db = new (require("better-sqlite3"))(${JSON.stringify(file)})
          db.exec("BEGIN IMMEDIATE")
          console.log("begun")
          setTimeout(() => db.exec("COMMIT"), 300)`
        const other = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] })
        yield* Effect.promise(() => once(other.stdout, "data"))
        const task = yield* sql.withTransaction(Effect.flatMap(Tasks, (tasks) => tasks.start({ workItem: "ET-1" })))
        assert.strictEqual(task.stage, "write")
      }).pipe(Effect.provide(layerOn(SqliteClient.layer({ filename: file }))))
    }))

  it.effect("puts a work item in the state that a stage carries itself", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "North climb", state: "Todo" })
      yield* (yield* Tasks).start({ workItem: key })
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* plane.workItem(id)).state.name, "In Progress")
    }).pipe(
      Effect.provide(Orchestrator.layerStorage.pipe(
        Layer.provide([
          Pipeline.layer([
            { stage: "created", gates: ["started"] },
            { stage: "proofread", state: { name: "In Progress" }, agent: "reader", gates: ["reported"] },
            { stage: "published", gates: [] }
          ]),
          QualityGates.layer([]),
          AgentLauncher.layerLog
        ]),
        Layer.provide([Storage.layerFile(":memory:"), Connections.layerHttpClient, PlaneSimulator.layerSettings()]),
        Layer.provideMerge(PlaneSimulator.layerMemory()),
        Layer.provide(Logger.minimumLogLevel(LogLevel.None))
      ))
    ))
})
