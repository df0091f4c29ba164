import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Storage } from "../../src/StorageLayers.js"
import { Pipeline } from "../../src/tasks/Pipeline.js"
import { TaskId } from "../../src/tasks/Task.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { folder, request, served } from "../http/Server.js"
import { commandLine } from "./CommandLine.js"

// Nobody listens on port 1.
const alone = Effect.map(folder, (cwd) => commandLine({ ORCH_DATABASE_URL: `${cwd}/events.sqlite`, ORCH_PORT: "1" }))

describe("plane-sync task", () => {
  it.scopedLive("stores the task for a later serve, and says that none is running", () =>
    Effect.gen(function*() {
      const cli = yield* alone
      const started = yield* cli("task", "start", "ET-2", "--agent", "claude")
      assert.deepStrictEqual([started.code, started.out], [0, "ET-2 active at created"])
      assert.match(started.err, /^Nobody is sending from \S+: the task waits until/)
      const failed = ["task", "report", "et-002", "--stage", "analysis", "failed", "--reason", "no\ncriteria"]
      assert.deepStrictEqual((yield* cli(...failed)).code, 0)
      const { out: table } = yield* cli("task", "list")
      assert.match(table, /^task +status +stage +agent +changed +open gates\nET-2 +active +created +none +\S+Z$/)
      const { out: json } = yield* cli("task", "list", "--json", "--status", "active")
      assert.containSubset(JSON.parse(json), {
        workItem: "ET-2",
        reports: [{ outcome: "failed", reason: "no\ncriteria" }]
      })
      const { out: shown } = yield* cli("task", "show", "ET-02")
      for (
        const words of [/^work item +ET-2$/m, /^report on analysis +\S+Z failed: no criteria$/m, /^plane id +not /m]
      ) {
        assert.match(shown, words)
      }
      assert.include((yield* cli("task", "list", "--status", "done")).err, "No such tasks in ")
    }))

  it.scopedLive("refuses wrong use with 2, and what is not there with 1", () =>
    Effect.gen(function*() {
      const cli = yield* alone
      yield* cli("task", "start", "ET-1")
      const wrong = [
        [["task"], "list, show, start, report"],
        [["task", "strat", "ET-2"], "expected task list | show | start | report"],
        [["task", "start", "nokey"], "is not a work item key"],
        [["task", "report", "ET-2", "passed"], "--stage"],
        [["task", "report", "ET-2", "--stage", "analysis"], "outcome"],
        [["task", "report", "ET-2", "--stage", "analysis", "perhaps"], "Expected one of the following cases: passed"],
        [
          ["task", "report", "ET-2", "--stage", "anlysis", "passed"],
          "--stage: \"anlysis\" is not a stage: expected one of"
        ],
        [["task", "list", "--status", "open"], "active"]
      ] as const
      for (const [args, words] of wrong) {
        const { code, err } = yield* cli(...args)
        assert.strictEqual(code, 2, args.join(" "))
        assert.include(err, words)
      }
      for (const args of [["show", "ET-2"], ["report", "ET-2", "--stage", "analysis", "passed"]]) {
        const { code, err } = yield* cli("task", ...args)
        assert.deepStrictEqual([code, err], [1, "plane-sync: There is no task for ET-2: nobody has started one"])
      }
      assert.include(
        (yield* cli("task", "report", "--help")).out,
        "$ plane-sync task report ET-002 --stage analysis passed"
      )
    }))

  it.live("beside a serve: it notices within a second", () =>
    Effect.gen(function*() {
      const database = `${yield* folder}/events.sqlite`
      const url = yield* served({ ORCH_DATABASE_URL: database, ORCH_PLANE_API_TOKEN: "" })
      const cli = commandLine({ ORCH_DATABASE_URL: database, ORCH_PORT: new URL(url).port })
      const stage = (wanted: string) =>
        request(`${url}/api/tasks/ET-2`).pipe(
          Effect.repeat({ until: ({ body }) => (body as { stage: string }).stage === wanted }),
          Effect.timeout("1 second")
        )
      yield* cli("task", "start", "ET-2")
      yield* stage("analysis")
      yield* cli("task", "report", "ET-2", "--stage", "analysis", "passed")
      yield* stage("architecture")

      yield* Effect.provide(
        Effect.flatMap(TaskStore, (tasks) => tasks.stop(TaskId(1), "cancelled")),
        TaskStore.layer.pipe(
          Layer.provide([Pipeline.layerDefault, WakeUps.layer, Storage.layerFile(database)])
        )
      )
      const refused = yield* request(`${url}/api/tasks/ET-2/advance`, { method: "POST" })
      assert.strictEqual(refused.status, 409)
      assert.deepStrictEqual(refused.body, {
        error: "The task of ET-2 is stopped at architecture: it does not advance"
      })
    }).pipe(Effect.scoped, Effect.provide(PlaneSimulator.layer())))
})
