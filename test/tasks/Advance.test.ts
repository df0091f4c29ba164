import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Layer, Logger, LogLevel, Option, TestClock } from "effect"
import { Storage } from "../../src/storage/Storage.js"
import { Verdict } from "../../src/tasks/QualityGate.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { forge, onBoth, settable, tasksOnly, told } from "./Orchestration.js"

const passed = Verdict.Passed()
const failed = (reason: string) => Verdict.Failed({ reason })
const pending = Verdict.Pending({ why: "it runs" })

const silent = Logger.minimumLogLevel(LogLevel.None)

const advance = (key: string) =>
  Effect.gen(function*() {
    const tasks = yield* Tasks
    yield* tasks.advance((yield* tasks.get(key)).id)
    return yield* tasks.get(key)
  })

const start = (workItem: string) => Effect.flatMap(Tasks, (tasks) => tasks.start({ workItem }))

const report = (stage: string, outcome: "passed" | "failed", reason?: string) =>
  Effect.flatMap(Tasks, (tasks) => tasks.report("ET-2", { stage, outcome, reason }))

const due = Effect.gen(function*() {
  const { read, sql } = yield* Storage
  const [row] = yield* read(sql<{ dueAt: number | null }>`SELECT due_at AS "dueAt" FROM plane_sync_task`)
  return row?.dueAt
})

onBoth("advance", ({ processes, tasksOnly }) => {
  const all = forge()

  it.effect("takes a task through all stages, as its gates hold", () =>
    Effect.gen(function*() {
      yield* start("ET-2")
      assert.deepInclude(yield* advance("ET-2"), { stage: "analysis", agent: Option.some("analyst") })
      assert.strictEqual(yield* due, null)
      // Of a stage that it has not reached: kept, and counts when it does.
      yield* report("architecture", "passed")
      assert.deepInclude(yield* advance("ET-2"), { stage: "analysis" })
      yield* report("analysis", "passed")
      assert.deepInclude(yield* advance("ET-2"), { stage: "development", agent: Option.some("developer") })
      all.ci.say(passed)
      assert.deepInclude(yield* advance("ET-2"), { stage: "review", status: "active" })
      all.approval.say(passed)
      assert.deepInclude(yield* advance("ET-2"), { stage: "testing", agent: Option.some("tester") })
      yield* report("testing", "passed")
      assert.deepInclude(yield* advance("ET-2"), { stage: "deploy", agent: Option.some("deployer") })
      all.merged.say(passed)
      assert.deepInclude(yield* advance("ET-2"), { stage: "done", status: "done", agent: Option.none() })
      yield* advance("ET-2")
      assert.deepStrictEqual(yield* told, [
        "created → analysis (analyst)",
        "analysis → architecture",
        "architecture → development (developer)",
        "development → review (reviewer)",
        "review → testing (tester)",
        "testing → deploy (deployer)",
        "deploy → done",
        "completed"
      ])
    }).pipe(Effect.provide(tasksOnly(all))))

  it.effect("a failure is told once per change of the verdict, which is its outcome and its reason", () => {
    const ci = settable("ci")
    const stages = [{ stage: "build", gates: ["ci", "reported"] }, { stage: "done", gates: [] }]
    return Effect.gen(function*() {
      yield* start("ET-2")
      const say = (verdict: Verdict) => Effect.zipRight(Effect.sync(() => ci.say(verdict)), advance("ET-2"))
      for (const verdict of [pending, failed("a"), failed("a"), failed("b"), pending, failed("b")]) yield* say(verdict)
      yield* report("build", "failed", "no tests")
      yield* advance("ET-2")
      yield* report("build", "failed", "no tests")
      yield* advance("ET-2")
      const { verdicts } = yield* say(passed)
      assert.deepStrictEqual(
        verdicts.map(({ gate, reason, verdict }) => [gate, verdict, Option.getOrUndefined(reason)]),
        [
          ["ci", "passed", undefined],
          ["reported", "failed", "no tests"]
        ]
      )
      yield* report("build", "passed")
      assert.deepInclude(yield* advance("ET-2"), { status: "done" })
      assert.deepStrictEqual(yield* told, [
        "build: ci failed: a",
        "build: ci failed: b",
        "build: ci failed: b",
        "build: reported failed: no tests",
        "build → done",
        "completed"
      ])
    }).pipe(Effect.provide(tasksOnly({ stages, gates: [ci.gate] })))
  })

  it.effect("the gates are due again after the shortest time that one of them names, also if nothing else is news", () => {
    const [ci, approval] = [settable("ci"), settable("approval")]
    const stages = [{ stage: "build", gates: ["ci", "approval"] }, { stage: "done", gates: [] }]
    const again = (againAfter: Duration.DurationInput) => Verdict.Pending({ why: "it runs", againAfter })
    const row = Effect.gen(function*() {
      const { read, sql } = yield* Storage
      return yield* read(sql`SELECT revision, updated_at FROM plane_sync_task`)
    })
    return Effect.gen(function*() {
      yield* start("ET-2")
      ci.say(again("5 minutes"))
      approval.say(Verdict.Failed({ reason: "no", againAfter: "3 minutes" }))
      yield* advance("ET-2")
      assert.strictEqual(yield* due, 180_000)
      const before = yield* row
      yield* TestClock.adjust("3 minutes")
      yield* advance("ET-2")
      assert.strictEqual(yield* due, 360_000)
      assert.deepStrictEqual(yield* row, before)
      // Too short would keep a worker busy, and too long counts as put off before the clock was set back.
      for (const [wait, millis] of [[0, 1_000], ["2 hours", 600_000], [Duration.infinity, 600_000]] as const) {
        ci.say(again(wait))
        approval.say(pending)
        yield* advance("ET-2")
        assert.strictEqual(yield* due, 180_000 + millis)
      }
      ci.say(Effect.die("no network"))
      approval.say(again("10 seconds"))
      yield* advance("ET-2")
      assert.strictEqual(yield* due, 190_000)
      approval.say(pending)
      yield* advance("ET-2")
      assert.strictEqual(yield* due, 240_000)
      ci.say(passed)
      yield* advance("ET-2")
      assert.strictEqual(yield* due, null)
      assert.deepStrictEqual(yield* told, ["build: approval failed: no"])
    }).pipe(Effect.provide(Layer.merge(tasksOnly({ stages, gates: [ci.gate, approval.gate] }), silent)))
  })

  it.effect("a report on an unknown stage is refused, and the known stages are named", () =>
    Effect.gen(function*() {
      yield* start("ET-2")
      const error = yield* Effect.flip(report("anlysis", "passed"))
      assert.match(error.message, /"anlysis" is not a stage: expected one of created, analysis, architecture/)
      const tasks = yield* Tasks
      const missing = yield* Effect.flip(tasks.report("ET-9", { stage: "analysis", outcome: "passed" }))
      assert.strictEqual(missing._tag, "NoTask")
    }).pipe(Effect.provide(tasksOnly())))

  it.effect("concurrent calls ask the gates one after the other, and advance it once", () => {
    const ci = settable("ci")
    const stages = [{ stage: "build", gates: ["ci"] }, { stage: "test", gates: ["reported"] }, {
      stage: "done",
      gates: []
    }]
    return Effect.gen(function*() {
      yield* start("ET-2")
      let [now, most] = [0, 0]
      const begin = Effect.sync(() => {
        now += 1
        most = Math.max(most, now)
      })
      const end = Effect.sync(() => {
        now -= 1
      })
      ci.say(Effect.as(Effect.zipRight(begin, Effect.zipRight(Effect.yieldNow(), end)), passed))
      yield* Effect.all(Array.from({ length: 20 }, () => advance("ET-2")), { concurrency: "unbounded" })
      assert.deepStrictEqual(yield* told, ["build → test"])
      assert.isAtMost(most, 1)
    }).pipe(Effect.provide(tasksOnly({ stages, gates: [ci.gate] })))
  })

  it.effect("the gates are asked again if a fact comes while they are asked", () => {
    const ci = settable("ci")
    const stages = [{ stage: "build", gates: ["ci"] }, { stage: "done", gates: [] }]
    return Effect.gen(function*() {
      const tasks = yield* Tasks
      const { id } = yield* start("ET-2")
      const [asked, answer] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      ci.say(Effect.as(Effect.zipRight(Deferred.succeed(asked, undefined), Deferred.await(answer)), passed))
      const advancing = yield* Effect.fork(tasks.advance(id))
      yield* Deferred.await(asked)
      ci.say(failed("a new head"))
      yield* tasks.link(id, { repository: { id: 1, name: "team/app" }, pullRequest: 1, headSha: "abc" })
      yield* Deferred.succeed(answer, undefined)
      yield* Fiber.join(advancing)
      assert.deepStrictEqual(yield* told, ["build: ci failed: a new head"])
    }).pipe(Effect.provide(tasksOnly({ stages, gates: [ci.gate] })))
  })

  it.effect("a task that was stopped while its gates are asked stays stopped", () => {
    const ci = settable("ci")
    const stages = [{ stage: "build", gates: ["ci"] }, { stage: "done", gates: [] }]
    return Effect.gen(function*() {
      const tasks = yield* Tasks
      const { id } = yield* start("ET-2")
      ci.say(Effect.as(Effect.orDie(tasks.stop(id, "cancelled")), passed))
      yield* tasks.advance(id)
      assert.deepInclude(yield* tasks.get("ET-2"), { stage: "build", status: "stopped" })
      assert.deepStrictEqual(yield* told, [])
    }).pipe(Effect.provide(Layer.merge(tasksOnly({ stages, gates: [ci.gate] }), silent)))
  })

  it.scopedLive("two processes on one database advance it once", () =>
    Effect.gen(function*() {
      const process = yield* processes
      const { approval, ci, gates, merged } = forge()
      for (const gate of [ci, approval, merged]) gate.say(Effect.as(Effect.yieldNow(), passed))
      const one = yield* Layer.build(process({ gates }))
      const other = yield* Layer.build(process({ gates }))
      const keys = Array.from({ length: 10 }, (_, n) => `ET-${n + 1}`)
      yield* Effect.forEach(keys, (key) =>
        Effect.gen(function*() {
          const tasks = yield* Tasks
          yield* tasks.start({ workItem: key })
          yield* tasks.report(key, { stage: "analysis", outcome: "passed" })
          yield* tasks.report(key, { stage: "architecture", outcome: "passed" })
          yield* tasks.report(key, { stage: "testing", outcome: "passed" })
        }).pipe(Effect.provide(one)))
      yield* Effect.all(keys.flatMap((key) => [one, other].map((process) => Effect.provide(advance(key), process))), {
        concurrency: "unbounded"
      })
      const events = yield* Effect.provide(told, one)
      assert.strictEqual(events.length, 80)
      assert.strictEqual(events.filter((event) => event === "completed").length, 10)
    }))
})

describe("a gate that does not answer", () => {
  it.effect("a gate that dies or hangs says nothing: the task waits, and it is asked again in a minute", () => {
    const ci = settable("ci")
    const stages = [{ stage: "build", gates: ["ci"] }, { stage: "done", gates: [] }]
    return Effect.gen(function*() {
      yield* start("ET-2")
      ci.say(failed("a"))
      yield* advance("ET-2")
      ci.say(Effect.die(new Error("no such host")))
      const { verdicts } = yield* advance("ET-2")
      assert.deepInclude(verdicts[0], { verdict: "failed", reason: Option.some("a") })
      assert.strictEqual(yield* due, 60_000)
      ci.say(Effect.uninterruptible(Effect.never))
      const hanging = yield* Effect.fork(advance("ET-2"))
      yield* TestClock.adjust("30 seconds")
      yield* hanging
      assert.strictEqual(yield* due, 90_000)
      ci.say(Effect.suspend(() => {
        throw new Error("a bug of the gate's")
      }))
      yield* advance("ET-2")
      ci.say(failed("a"))
      yield* advance("ET-2")
      assert.strictEqual(yield* due, null)
      assert.deepStrictEqual(yield* told, ["build: ci failed: a"])
    }).pipe(Effect.provide(Layer.merge(tasksOnly({ stages, gates: [ci.gate] }), silent)))
  })
})
