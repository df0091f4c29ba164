import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
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
        [["task"], "list | show | start | report | pause | advance"],
        [["task", "strat", "ET-2"], "expected task list | show | start | report | pause | advance"],
        [["task", "start", "nokey"], "is not a work item key"],
        [["task", "report", "ET-2", "passed"], "--stage"],
        [["task", "report", "ET-2", "--stage", "analysis"], "outcome"],
        [["task", "report", "ET-2", "--stage", "analysis", "perhaps"], "Expected one of the following cases: passed"],
        [
          ["task", "report", "ET-1", "--stage", "anlysis", "passed"],
          "--stage: \"anlysis\" is not a stage: expected one of"
        ],
        [["task", "list", "--status", "open"], "active"]
      ] as const
      for (const [args, words] of wrong) {
        const { code, err } = yield* cli(...args)
        assert.strictEqual(code, 2, args.join(" "))
        assert.include(err, words)
      }
      const override = ["report", "ET-2", "--stage", "analysis", "passed", "--override", "--by", "lea", "--reason", "x"]
      const others = [["pause", "ET-2"], ["advance", "ET-2"], override]
      for (const args of [["show", "ET-2"], ["report", "ET-2", "--stage", "analysis", "passed"], ...others]) {
        const { code, err } = yield* cli("task", ...args)
        assert.deepStrictEqual([code, err], [1, "plane-sync: There is no task for ET-2: nobody has started one"])
      }
      assert.include(
        (yield* cli("task", "report", "--help")).out,
        "$ plane-sync task report ET-002 --stage analysis passed"
      )
    }))

  it.scopedLive("shows the links that its work item is to have", () =>
    Effect.gen(function*() {
      const cli = yield* alone
      yield* cli("task", "start", "ET-2")
      yield* cli(
        ...["task", "report", "ET-2", "passed", "--stage", "analysis"],
        ...["--link", "log https://ci.example.com/7 Log of the analyst"]
      )
      assert.include(
        (yield* cli("task", "show", "ET-2")).out,
        "log https://ci.example.com/7 \"Log of the analyst\" is owed"
      )
    }))

  it.scopedLive("adds what an agent has used, once for each report, and shows it", () =>
    Effect.gen(function*() {
      const cli = yield* alone
      yield* cli("task", "start", "ET-2")
      const report = ["task", "report", "ET-2", "passed", "--stage", "analysis"]
      const used = [...report, "--model", "sonnet", "--input-tokens", "1200", "--cost", "0.5"]
      for (const args of [used, used, [...report, "--output-tokens", "30", "--id", "run-7"]]) {
        assert.strictEqual((yield* cli(...args)).code, 0)
      }
      const words =
        "Usage: 1,200 tokens in, 30 tokens out, $0.50 (sonnet, 1,200 tokens in, $0.50; other models, 30 tokens out)"
      assert.include((yield* cli("task", "show", "ET-2")).out, words)
      const listed = yield* cli("task", "list", "--since", "2026-01-01T00:00:00Z", "--json")
      assert.containSubset(JSON.parse(listed.out), { receipt: { usage: { inputTokens: 1_200, costUsd: 0.5 } } })
      const wrong = [
        [[...report, "--cost", "-1"], "--cost: -1 is not right: expected a number of US dollars"],
        [[...report, "--model", ""], "--model: \"\" is not a model's name"],
        [[...report, "--id", "a b"], "--id: \"a b\" is not an event id"],
        [["task", "list", "--since", "2026-01-01"], "--since"],
        [[...report, "--override", "--by", "lea", "--reason", "x", "--cost", "1"], "--override is no agent's work"]
      ] as const
      for (const [args, said] of wrong) {
        const { code, err } = yield* cli(...args)
        assert.strictEqual(code, 2, args.join(" "))
        assert.include(err, said)
      }
    }))

  it.scopedLive("row 27: overrules a stage, by the database alone; repeated, it says where the task is", () =>
    Effect.gen(function*() {
      const database = `${yield* folder}/events.sqlite`
      // Tokens are for HTTP.
      const cli = commandLine({
        ORCH_DATABASE_URL: database,
        ORCH_PORT: "1",
        ORCH_API_TOKEN: "one",
        ORCH_OPERATOR_TOKEN: "two"
      })
      yield* cli("task", "start", "ET-2")
      const report = ["task", "report", "et-002", "--stage", "created"]
      const byLea = ["--override", "--by", "lea", "--reason", "closed by\nhand"]
      const wrong = [
        [[...report, "passed", "--override"], "--override needs --by, who overrules the stage, and --reason"],
        [[...report, "passed", "--override", "--by", "lea"], "--override needs --by"],
        [[...report, "failed", ...byLea], "--override passes a stage: expected the outcome passed"],
        [[...report, "passed", "--by", "lea"], "--by is only for --override"],
        [["task", "report", "ET-2", "--stage", "craeted", "passed", ...byLea], "--stage: \"craeted\" is not a stage"]
      ] as const
      for (const [args, words] of wrong) {
        const { code, err } = yield* cli(...args)
        assert.strictEqual(code, 2, args.join(" "))
        assert.include(err, words)
      }
      const done = yield* cli(...report, "passed", ...byLea)
      assert.deepStrictEqual([done.code, done.out], [0, "ET-2 created → analysis, overruled by lea: closed by hand"])
      assert.match(done.err, /Nobody is sending from \S+: the task waits until/)
      const again = yield* cli(...report, "passed", ...byLea)
      assert.strictEqual(again.code, 1)
      assert.include(again.err, "The task of ET-2 is at analysis, not at created: overrule the stage that it is at")
      const { out: events } = yield* cli("events")
      assert.match(events, /ET-2 +pending +created → analysis, overruled by lea: closed by hand/)
      assert.strictEqual(events.split("\n").length, 1)

      // An orchestrator of another kind tells of its own.
      const other = ["publish", "stage-changed", "ET-9", "--from", "a", "--to", "b", "--overruled-by", "jo: by hand"]
      yield* cli(...other)
      assert.include((yield* cli("events", "--work-item", "ET-9")).out, "a → b, overruled by jo: by hand")
    }))

  it.scopedLive("pauses a task until it is started, and has its gates asked", () =>
    Effect.gen(function*() {
      const cli = yield* alone
      yield* cli("task", "start", "ET-2")
      const advanced = yield* cli("task", "advance", "ET-2")
      assert.deepStrictEqual([advanced.code, advanced.out], [0, "ET-2 active at created"])
      const pause = ["task", "pause", "ET-2", "--by", "lea", "--reason", "waits for legal"]
      for (const args of [["task", "pause", "ET-2"], pause]) {
        const { code, out } = yield* cli(...args)
        assert.deepStrictEqual([code, out], [0, "ET-2 paused at created"])
      }
      const refused = yield* cli("task", "advance", "ET-2")
      assert.strictEqual(refused.code, 1)
      assert.include(refused.err, "The task of ET-2 is paused at created: it does not advance")
      assert.strictEqual((yield* cli("task", "start", "ET-2")).out, "ET-2 active at created")
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
      yield* cli(
        "task",
        "report",
        "ET-2",
        "--stage",
        "architecture",
        "passed",
        "--override",
        "--by",
        "lea",
        "--reason",
        "x"
      )
      yield* stage("development")
      yield* cli("task", "advance", "ET-2")

      yield* Effect.provide(
        Effect.flatMap(TaskStore, (tasks) => tasks.stop(TaskId(1), "cancelled")),
        TaskStore.layer.pipe(
          Layer.provide([
            Pipeline.layerDefault,
            projectsLayer,
            WakeUps.layerPolling("500 millis"),
            Storage.layerFile(database)
          ])
        )
      )
      const refused = yield* request(`${url}/api/tasks/ET-2/advance`, { method: "POST" })
      assert.strictEqual(refused.status, 409)
      assert.deepStrictEqual(refused.body, {
        error: "The task of ET-2 is stopped at development: it does not advance"
      })
    }).pipe(Effect.scoped, Effect.provide(PlaneSimulator.layer())))
})
