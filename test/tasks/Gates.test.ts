import { assert, it } from "@effect/vitest"
import { Effect, Option, TestClock } from "effect"
import { stored } from "../../src/base/Time.js"
import { Storage } from "../../src/storage/Storage.js"
import { Verdict } from "../../src/tasks/QualityGate.js"
import { isAboutGate, isVerdictLine, tell, verdictLine, wellLine } from "../../src/tasks/Story.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { forge, onBoth, settable, told } from "./Orchestration.js"

const passed = Verdict.Passed()
const failed = (reason: string, sameAs?: string) => Verdict.Failed({ reason, sameAs })
const lost = (why: string) => Verdict.Pending({ why, isLost: true })
const pending = Verdict.Pending({ why: "it runs" })

const advance = Effect.gen(function*() {
  const tasks = yield* Tasks
  yield* tasks.advance((yield* tasks.get("ET-2")).id)
  return yield* tasks.get("ET-2")
})

const report = (stage: string) => Effect.flatMap(Tasks, (tasks) => tasks.report("ET-2", { stage, outcome: "passed" }))

const launches = Effect.gen(function*() {
  const { read, sql } = yield* Storage
  const rows = yield* read(sql<{ agent: string }>`SELECT agent FROM plane_sync_launch ORDER BY agent`)
  return rows.map(({ agent }) => agent)
})

/** Each verdict that a gate turned to. */
const turns = Effect.gen(function*() {
  const tasks = yield* Tasks
  const lines = yield* tasks.story((yield* tasks.get("ET-2")).id)
  return lines.flatMap(({ line }) => isVerdictLine(line) ? [line] : [])
})

const story = Effect.gen(function*() {
  const tasks = yield* Tasks
  const lines = yield* tasks.story((yield* tasks.get("ET-2")).id)
  return lines.flatMap(({ line }) => isVerdictLine(line) ? [] : [line])
})

/** The failures that were told. */
const failures = Effect.map(told, (events) => events.filter((event) => event.includes(" failed: ")))

const toStage = (gates: ReturnType<typeof forge>, stage: "development" | "review" | "testing" | "deploy" | "done") =>
  Effect.gen(function*() {
    const tasks = yield* Tasks
    yield* tasks.start({ workItem: "ET-2" })
    yield* report("analysis")
    yield* report("architecture")
    yield* advance
    if (stage === "development") return
    gates.ci.say(passed)
    yield* advance
    if (stage === "review") return
    gates.approval.say(passed)
    yield* advance
    if (stage === "testing") return
    yield* report("testing")
    yield* advance
    if (stage === "deploy") return
    gates.merged.say(passed)
    yield* advance
  })

onBoth("stages that a task only passes", ({ tasksOnly }) => {
  it.effect("row 6: are entered in one commit, launch nobody, and say of nobody that he is launched", () => {
    const all = forge()
    return Effect.gen(function*() {
      yield* toStage(all, "development")
      const { revision } = yield* row
      for (const gate of [all.ci, all.approval]) gate.say(passed)
      yield* advance
      assert.strictEqual((yield* row).revision, revision + 1)
      assert.deepStrictEqual((yield* told).slice(-2), ["development → review", "review → testing (tester)"])
      assert.deepStrictEqual(yield* launches, ["tester"])
    }).pipe(Effect.provide(tasksOnly(all)))
  })

  it.effect("row 6: when all gates hold, it is done at once, and no agent is launched", () => {
    const all = forge()
    for (const gate of [all.ci, all.approval, all.merged]) gate.say(passed)
    return Effect.gen(function*() {
      const tasks = yield* Tasks
      yield* tasks.start({ workItem: "ET-2" })
      for (const stage of ["analysis", "architecture", "testing"]) yield* report(stage)
      assert.deepInclude(yield* advance, { stage: "done", status: "done" })
      assert.deepStrictEqual(yield* told, [
        "created → analysis",
        "analysis → architecture",
        "architecture → development",
        "development → review",
        "review → testing",
        "testing → deploy",
        "deploy → done",
        "completed"
      ])
      assert.deepStrictEqual(yield* launches, [])
    }).pipe(Effect.provide(tasksOnly(all)))
  })

  it.effect("a gate that fails at the stage where it comes to rest is told there; one that dies lets it rest before", () => {
    const all = forge()
    return Effect.gen(function*() {
      yield* toStage(all, "development")
      all.ci.say(passed)
      all.approval.say(failed("lea: no"))
      assert.deepInclude(yield* advance, { stage: "review", agent: Option.some("reviewer") })
      assert.deepStrictEqual((yield* told).slice(-2), [
        "development → review (reviewer)",
        "review: approval failed: lea: no"
      ])
      yield* report("testing")
      all.approval.say(passed)
      all.merged.say(Effect.die("no network"))
      assert.deepInclude(yield* advance, { stage: "deploy", agent: Option.some("deployer") })
    }).pipe(Effect.provide(tasksOnly(all)))
  })

  it.effect("a gate of the task is asked once a round; another one about each stage that names it", () => {
    const [ofTask, plain] = [settable("ofTask", { isOfTask: true }), settable("plain")]
    const stages = ["a", "b", "c"].map((stage) => ({ stage, gates: ["ofTask", "plain"] }))
    return Effect.gen(function*() {
      const tasks = yield* Tasks
      yield* tasks.start({ workItem: "ET-2" })
      for (const gate of [ofTask, plain]) gate.say(passed)
      assert.deepInclude(yield* advance, { status: "done" })
      assert.deepStrictEqual([ofTask.asked(), plain.asked()], [1, 3])
    }).pipe(Effect.provide(tasksOnly({
      stages: [...stages, { stage: "done", gates: [] }],
      gates: [ofTask.gate, plain.gate]
    })))
  })
})

const row = Effect.gen(function*() {
  const { read, sql } = yield* Storage
  const [row] = yield* read(
    sql<{ revision: number; entry: string; due: number | null }>`SELECT revision, entry, due_at AS due
      FROM plane_sync_task`
  )
  return row ?? (yield* Effect.dieMessage("the task is there"))
})

onBoth("what is told of a gate", ({ tasksOnly }) => {
  it.effect("row 20: a failure with other words is the same one; the task shows the newest words", () => {
    const all = forge()
    return Effect.gen(function*() {
      yield* toStage(all, "development")
      for (let seconds = 61; seconds < 69; seconds++) {
        all.ci.say(failed(`build: Failing after ${seconds}s`, "failure build"))
        const { verdicts } = yield* advance
        assert.deepInclude(verdicts.at(-1), { gate: "ci", reason: Option.some(`build: Failing after ${seconds}s`) })
      }
      // Of another check: another failure. And the same again is news after it was pending, as ever.
      all.ci.say(failed("test: Failing after 3s", "failure test"))
      yield* advance
      for (const verdict of [pending, failed("test: Failing after 4s", "failure test")]) {
        all.ci.say(verdict)
        yield* advance
      }
      assert.deepStrictEqual(yield* failures, [
        "development: ci failed: build: Failing after 61s",
        "development: ci failed: test: Failing after 3s",
        "development: ci failed: test: Failing after 4s"
      ])
    }).pipe(Effect.provide(tasksOnly(all)))
  })

  it.effect("names that are alike in their first 200 characters are two failures", () => {
    const all = forge()
    const long = "x".repeat(300)
    return Effect.gen(function*() {
      yield* toStage(all, "development")
      for (const n of [1, 2, 2]) {
        all.ci.say(failed(`${n}`, `${long}${n}`))
        yield* advance
      }
      assert.deepStrictEqual(yield* failures, ["development: ci failed: 1", "development: ci failed: 2"])
    }).pipe(Effect.provide(tasksOnly(all)))
  })

  it.effect("row 14: a gate of a stage before that fails is told once, at the stage where the task is; then a line", () => {
    const all = forge()
    return Effect.gen(function*() {
      yield* TestClock.setTime(1_000)
      yield* toStage(all, "review")
      const red = (seconds: number) => failed(`build: failed after ${seconds}s`, "build")
      yield* TestClock.setTime(9_000)
      for (const verdict of [red(1), red(2), pending, red(3)]) {
        all.ci.say(verdict)
        yield* advance
      }
      const { stage, verdicts } = yield* advance
      assert.strictEqual(stage, "review")
      assert.deepStrictEqual(verdicts.map(({ gate, stage, verdict }) => [gate, stage, verdict]), [
        ["started", "created", "passed"],
        ["reported", "architecture", "passed"],
        ["ci", "development", "failed"],
        ["approval", "review", "pending"]
      ])
      assert.deepStrictEqual(verdicts.map(({ since }) => since.epochMillis), [1_000, 1_000, 9_000, 1_000])
      assert.deepStrictEqual(yield* failures, ["review: ci failed: build: failed after 1s"])
      assert.deepStrictEqual(yield* story, [])
      const ofCi = (yield* turns).filter((line) => line.startsWith("gate ci "))
      assert.deepStrictEqual(
        ofCi.map((line) => line.replace("gate ci of development: ", "").replace(/(?<=^pending).*/, "")),
        [
          "passed",
          "failed: build: failed after 1s",
          "pending",
          "failed: build: failed after 3s"
        ]
      )
      all.ci.say(passed)
      yield* advance
      assert.deepStrictEqual(yield* story, ["ci holds again at review"])
      // It was well, so the same is news.
      all.ci.say(red(4))
      yield* advance
      assert.deepStrictEqual((yield* failures).slice(1), ["review: ci failed: build: failed after 4s"])
    }).pipe(Effect.provide(tasksOnly(all)))
  })

  it.effect("row 14: an approval that is gone is told at testing and at deploy, once; while it was never there it is not", () => {
    const gone = lost("nobody has approved the present commits")
    return Effect.forEach(
      ["testing", "deploy"] as const,
      (stage) => {
        const all = forge()
        all.approval.say(gone)
        return Effect.gen(function*() {
          yield* toStage(all, "review")
          assert.deepStrictEqual(yield* failures, [])
          all.approval.say(passed)
          yield* advance
          if (stage === "deploy") {
            yield* report("testing")
            yield* advance
          }
          for (const verdict of [gone, gone, pending, gone]) {
            all.approval.say(verdict)
            assert.deepInclude(yield* advance, { stage })
          }
          assert.deepStrictEqual(yield* failures, [
            `${stage}: approval failed: nobody has approved the present commits`
          ])
          all.approval.say(passed)
          yield* advance
          assert.deepStrictEqual(yield* story, [`approval holds again at ${stage}`])
        }).pipe(Effect.provide(tasksOnly(all)))
      }
    )
  })

  it.effect("row 14: several gates that are lost for one reason tell it once, at whatever stage, also one after the other", () => {
    const closed = lost("acme/widgets#1 was closed without a merge")
    const cases = [["review", "ci"], ["testing", "ci"], ["deploy", "ci"]] as const
    return Effect.forEach(cases, ([stage, first]) => {
      const all = forge()
      return Effect.gen(function*() {
        yield* toStage(all, stage)
        for (const gate of [all.ci, all.approval, all.merged]) {
          gate.say(closed)
          yield* advance
        }
        yield* advance
        assert.deepStrictEqual(yield* failures, [
          `${stage}: ${first} failed: acme/widgets#1 was closed without a merge`
        ])
      }).pipe(Effect.provide(tasksOnly(all)))
    })
  })

  it.effect("a gate whose stage was left although it did not hold, or of which nobody knows, is not told", () => {
    const all = forge()
    return Effect.gen(function*() {
      yield* toStage(all, "review")
      const { sql, write } = yield* Storage
      // As a row of an older version.
      yield* write(sql`UPDATE plane_sync_verdict SET held = 0, stage = NULL WHERE gate = 'ci'`)
      all.ci.say(failed("a"))
      const { verdicts } = yield* advance
      assert.deepInclude(verdicts.find(({ gate }) => gate === "ci"), { verdict: "failed", stage: "development" })
      assert.deepStrictEqual(yield* failures, [])
    }).pipe(Effect.provide(tasksOnly(all)))
  })

  it.effect("a gate that repeats its failure in the same words, without what makes it the same, is no news", () => {
    const all = forge()
    return Effect.gen(function*() {
      yield* toStage(all, "development")
      for (const verdict of [failed("after 1s", "x"), failed("after 1s"), failed("after 2s", "x")]) {
        all.ci.say(verdict)
        yield* advance
      }
      assert.deepStrictEqual(yield* failures, ["development: ci failed: after 1s"])
    }).pipe(Effect.provide(tasksOnly(all)))
  })

  it.effect("a gate that no stage up to here names is not shown", () => {
    const all = forge()
    return Effect.gen(function*() {
      yield* toStage(all, "deploy")
      const { sql, write } = yield* Storage
      yield* write(sql`INSERT INTO plane_sync_verdict (task, gate, verdict, at) VALUES (1, 'lint', 'failed', 1)`)
      const { verdicts } = yield* Effect.flatMap(Tasks, (tasks) => tasks.get("ET-2"))
      assert.deepStrictEqual(verdicts.map(({ gate }) => gate), ["started", "reported", "ci", "approval", "merged"])
    }).pipe(Effect.provide(tasksOnly(all)))
  })
})

onBoth("a task that is done", ({ tasksOnly }) => {
  const touched = Effect.gen(function*() {
    const { write } = yield* Storage
    const tasks = yield* Tasks
    const task = yield* tasks.get("ET-2")
    yield* write(tasks.touch(task.id))
    return yield* advance
  })
  const reverted = Verdict.Failed({ reason: "acme/widgets#9 reverted it", againAfter: "10 minutes" })

  it.effect("row 5: only its lasting gates are asked, when a fact touches it; what fails is told once, at done", () => {
    const all = forge()
    return Effect.gen(function*() {
      yield* toStage(all, "done")
      const asked = [all.ci.asked(), all.approval.asked()]
      all.ci.say(failed("red"))
      for (const verdict of [passed, reverted, reverted]) {
        all.merged.say(verdict)
        assert.deepInclude(yield* touched, { stage: "done", status: "done" })
        assert.isNull((yield* row).due)
      }
      assert.deepStrictEqual([all.ci.asked(), all.approval.asked()], asked)
      assert.deepStrictEqual(yield* failures, ["done: merged failed: acme/widgets#9 reverted it"])
      all.merged.say(passed)
      yield* touched
      assert.deepStrictEqual(yield* story, ["merged holds again at done"])
      assert.deepStrictEqual((yield* told).filter((event) => event === "completed").length, 1)
      // Nobody knows: asked again.
      all.merged.say(Effect.die("no network"))
      yield* touched
      assert.strictEqual((yield* row).due, 60_000)
    }).pipe(Effect.provide(tasksOnly(all)))
  })

  it.effect("that a person has ended is never told anything", () => {
    const all = forge()
    return Effect.gen(function*() {
      yield* toStage(all, "deploy")
      const { sql, write } = yield* Storage
      yield* write(sql`UPDATE plane_sync_task SET status = 'done'`)
      all.merged.say(reverted)
      all.ci.say(failed("red"))
      yield* touched
      assert.deepStrictEqual(yield* failures, [])
      assert.isNull((yield* row).due)
    }).pipe(Effect.provide(tasksOnly(all)))
  })
})

onBoth("the story of a task", ({ tasksOnly }) => {
  it("tells which of its lines are about a gate", () => {
    for (const line of [verdictLine({ gate: "ci", stage: "review", verdict: "passed" }), wellLine("ci", "review")]) {
      assert.deepStrictEqual(["ci", "c", "review"].map((gate) => isAboutGate(line, gate)), [true, false, false])
    }
  })

  it.effect("has its newest 200 lines, the oldest first", () => {
    const all = forge()
    return Effect.gen(function*() {
      yield* toStage(all, "development")
      const { read, sql, write } = yield* Storage
      const tasks = yield* Tasks
      const { id } = yield* tasks.get("ET-2")
      const other = yield* tasks.start({ workItem: "ET-3" })
      yield* TestClock.setTime(5_000)
      const now = stored((yield* tasks.get("ET-2")).updatedAt)
      for (let n = 1; n <= 230; n++) yield* write(tell(sql, id, now, `line ${n}\nof many`))
      yield* write(tell(sql, other.id, now, "of another"))
      const lines = yield* story
      assert.strictEqual(lines.length, 200)
      assert.deepStrictEqual([lines[0], lines[199]], ["line 31 of many", "line 230 of many"])
      assert.deepStrictEqual(
        yield* read(sql`SELECT task, count(*) AS n FROM plane_sync_task_story GROUP BY task
        ORDER BY task`),
        [
          { task: id, n: 200 },
          { task: other.id, n: 1 }
        ]
      )
    }).pipe(Effect.provide(tasksOnly(all)))
  })
})
