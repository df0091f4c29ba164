import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, LogLevel, Option, TestClock } from "effect"
import { EpochMillis, epochMillis } from "../../src/base/Time.js"
import { CommentId, ItemId } from "../../src/domain/Ids.js"
import type { PipelineStage } from "../../src/domain/PipelineStage.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { knownComments, makeCommanding } from "../../src/people/Commanding.js"
import type { CommandWord } from "../../src/people/Commands.js"
import { Storage } from "../../src/storage/Storage.js"
import type { Launch } from "../../src/tasks/AgentLauncher.js"
import { AgentLauncher } from "../../src/tasks/AgentLauncher.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { folder } from "../http/Server.js"
import { makePlans } from "../support/QueryPlans.js"
import { unexplained } from "../support/Statements.js"
import { onBoth, running, told } from "../tasks/Orchestration.js"

const item = ItemId("11111111-1111-4111-8111-111111111111")

const stages: ReadonlyArray<PipelineStage> = [
  { stage: "created", gates: ["started"] },
  { stage: "build", agent: "builder", gates: ["reported"] },
  { stage: "check", gates: ["human"] },
  { stage: "release", agent: "deployer", gates: ["human"] },
  { stage: "done", gates: [] }
]

/** A task at the stage `check`, and what commands it. */
const atCheck = Effect.gen(function*() {
  const tasks = yield* Tasks
  const { sql } = yield* Storage
  const commanding = makeCommanding({ events: yield* StageEvents, people: Option.none(), sql, tasks })
  const { id } = yield* tasks.start({ workItem: "ET-2", itemId: item })
  yield* tasks.advance(id)
  yield* tasks.report("ET-2", { stage: "build", outcome: "passed" })
  yield* tasks.advance(id)
  let comment = 0
  const say = (
    word: CommandWord,
    { at, forbidden, id = `comment-${++comment}`, isSigned = true, text = "" }: {
      readonly text?: string
      readonly isSigned?: boolean
      readonly forbidden?: string
      readonly at?: EpochMillis
      readonly id?: string
    } = {}
  ) =>
    Effect.flatMap(epochMillis, (now) =>
      commanding({
        commentId: CommentId(id),
        itemId: item,
        project: "ET",
        at: at ?? EpochMillis(now + 1),
        by: "lea",
        command: { word, text },
        isSigned,
        forbidden
      }))
  const stage = Effect.map(tasks.get("ET-2"), ({ stage, status }) => `${stage} ${status}`)
  return { id, say, stage, tasks }
})

onBoth("a person's command", ({ processes, tasksOnly }) => {
  it.effect("/approve is for this entry of the stage alone: the next stage asks again, and so does a new beginning", () =>
    Effect.gen(function*() {
      const { id, say, stage, tasks } = yield* atCheck
      assert.strictEqual(yield* stage, "check active")
      assert.include((yield* told).at(-1), "🙋 check waits for a person: write /approve, or /reject with the reason")
      yield* say("approve")
      yield* TestClock.setTime(60_000)
      yield* tasks.advance(id)
      assert.strictEqual(yield* stage, "release active")
      // It was written before the task was at this stage, and only its hook is late.
      const { _tag, words } = yield* say("approve", {
        at: EpochMillis((yield* tasks.get("ET-2")).startedAt.epochMillis)
      })
      assert.strictEqual(_tag, "Done")
      assert.include(words, "⛔ /approve (lea) was not done: the comment was written before the task entered release")
      yield* tasks.advance(id)
      assert.strictEqual(yield* stage, "release active")

      yield* tasks.stop(id, "cancelled")
      yield* tasks.start({ workItem: "ET-2" })
      yield* say("approve")
      yield* tasks.stop(id, "cancelled again")
      yield* tasks.start({ workItem: "ET-2" })
      yield* tasks.advance(id)
      assert.strictEqual(yield* stage, "release active")
      yield* say("approve")
      yield* tasks.advance(id)
      assert.strictEqual(yield* stage, "done done")

      // Nothing of before counts for a task that starts anew.
      yield* tasks.start({ workItem: "ET-2" })
      yield* tasks.advance(id)
      yield* tasks.report("ET-2", { stage: "build", outcome: "passed" })
      yield* tasks.advance(id)
      assert.strictEqual(yield* stage, "check active")
    }).pipe(Effect.provide(tasksOnly({ stages, settings: { ORCH_COMMANDS: "lea@example.org" } }))))

  it.effect("the last word of a person counts, in whichever order the hooks come", () =>
    Effect.gen(function*() {
      const { id, say, stage, tasks } = yield* atCheck
      const now = yield* epochMillis
      yield* say("reject", { at: EpochMillis(now + 2), text: "no tests" })
      const { words } = yield* say("approve", { at: EpochMillis(now + 1) })
      assert.include(
        words,
        "⛔ /approve (lea) was not done: something was said of check after this comment was written"
      )
      yield* tasks.advance(id)
      assert.strictEqual(yield* stage, "check active")
    }).pipe(Effect.provide(tasksOnly({ stages }))))

  it.effect("/pause ends with a stop: a task that goes on, or starts anew, has its agents again", () =>
    Effect.gen(function*() {
      const { id, say, tasks } = yield* atCheck
      const paused = Effect.map(tasks.get("ET-2"), (task) => Option.isSome(task.paused))
      yield* say("pause")
      assert.isTrue(yield* paused)
      yield* tasks.stop(id, "cancelled")
      yield* tasks.start({ workItem: "ET-2" })
      assert.isFalse(yield* paused)
    }).pipe(Effect.provide(tasksOnly({ stages }))))

  it.effect("/reject fails the gate with its reason, is told once, and gives way to /approve", () =>
    Effect.gen(function*() {
      const { id, say, stage, tasks } = yield* atCheck
      yield* say("reject", { text: "no tests" })
      yield* tasks.advance(id)
      yield* say("reject", { text: "no tests" })
      yield* tasks.advance(id)
      const { verdicts } = yield* tasks.get("ET-2")
      assert.deepInclude(verdicts.at(-1), { gate: "human", verdict: "failed", reason: Option.some("lea: no tests") })
      const failures = (yield* told).filter((line) => line.includes("failed"))
      assert.deepStrictEqual(failures, ["check: human failed: lea: no tests"])
      yield* say("approve")
      yield* tasks.advance(id)
      assert.strictEqual(yield* stage, "release active")
    }).pipe(Effect.provide(tasksOnly({ stages }))))

  it.scoped("is done once, whichever process is told, and how often", () =>
    Effect.gen(function*() {
      const process = yield* processes
      yield* Effect.gen(function*() {
        const { say, stage, tasks } = yield* atCheck
        yield* say("pause", { id: "same" })
        yield* say("resume")
        assert.strictEqual((yield* say("pause", { id: "same" }))._tag, "Done")
        assert.isTrue(Option.isNone((yield* tasks.get("ET-2")).paused))
        assert.strictEqual(yield* stage, "check active")
      }).pipe(Effect.provide(process({ stages })))
      yield* Effect.gen(function*() {
        const tasks = yield* Tasks
        const { sql } = yield* Storage
        const commanding = makeCommanding({ events: yield* StageEvents, people: Option.none(), sql, tasks })
        const at = yield* epochMillis
        const given = {
          commentId: CommentId("same"),
          itemId: item,
          project: "ET",
          at: EpochMillis(at + 1),
          by: "lea",
          command: { word: "pause", text: "" },
          isSigned: true,
          forbidden: undefined
        } as const
        assert.include((yield* commanding(given)).words, "it was worked on before: ✅ /pause (lea): no more agents")
        assert.isTrue(Option.isNone((yield* tasks.get("ET-2")).paused))
        const other = yield* Effect.all(
          Array.from({ length: 4 }, () => commanding({ ...given, commentId: CommentId("other") })),
          { concurrency: "unbounded" }
        )
        assert.lengthOf(other.filter(({ words }) => words.startsWith("it was worked on before")), 3)
        assert.lengthOf((yield* told).filter((line) => line.includes("/pause (lea)")), 2)
      }).pipe(Effect.provide(process({ stages })))
    }))

  it.effect("/retry ends the launch that was, owes one more, and takes back what was said of the attempt before", () =>
    Effect.gen(function*() {
      const { id, say, tasks } = yield* atCheck
      assert.include((yield* say("retry")).words, "was not done: check has no agent")
      assert.include((yield* say("answer", { text: "yes" })).words, "was not done: no question is open")
      yield* say("approve")
      yield* tasks.advance(id)
      const before = yield* tasks.get("ET-2")
      assert.strictEqual(before.launch.pipe(Option.map(({ state }) => state), Option.getOrNull), "waiting")
      yield* tasks.report("ET-2", { stage: "release", outcome: "failed", reason: "no rights" })
      yield* say("reject", { text: "no" })
      assert.include((yield* say("retry")).words, "✅ /retry (lea): deployer is launched again for release")
      const after = yield* tasks.get("ET-2")
      assert.notStrictEqual(after.entry, before.entry)
      assert.strictEqual(after.stage, "release")
      assert.isTrue(Option.isSome(after.launch))
      assert.deepStrictEqual(after.decisions.map(({ stage }) => stage), ["check"])
      assert.deepStrictEqual(after.reports.map(({ stage }) => stage), ["build"])
      assert.deepInclude(after.receipt.stages.find(({ stage }) => stage === "release"), { attempts: 2 })
    }).pipe(Effect.provide(tasksOnly({ stages }))))

  it.effect("is not asked for where no setting says who may give it", () =>
    Effect.gen(function*() {
      const { tasks } = yield* atCheck
      const asked = "🙋 check waits for a person, and no setting says who may answer here (ORCH_COMMANDS). " +
        "Who runs plane-sync can overrule the stage."
      assert.include((yield* told).at(-1), asked)
      yield* tasks.overrule("ET-2", { stage: "check", by: "jo", reason: "looked at" })
      assert.include((yield* told).at(-1), asked.replace("check", "release"))
    }).pipe(Effect.provide(tasksOnly({ stages }))))

  it.effect("that is older than the launch of its stage's agent launches nobody: it may be about another one", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(60_000)
      const { id, say, tasks } = yield* atCheck
      yield* say("approve")
      yield* TestClock.setTime(120_000)
      yield* tasks.advance(id)
      const { entry } = yield* tasks.get("ET-2")
      const { words } = yield* say("retry", { at: EpochMillis(90_000) })
      assert.include(words, "the comment was written before deployer was launched for release last")
      assert.strictEqual((yield* tasks.get("ET-2")).entry, entry)
    }).pipe(Effect.provide(tasksOnly({ stages }))))

  it.effect("that was only read does nothing and brings one reply, also if its hook comes later", () =>
    Effect.gen(function*() {
      const { id, say, stage, tasks } = yield* atCheck
      const replies = Effect.map(told, (events) => events.filter((event) => event.includes("/approve was not done")))
      for (let times = 0; times < 2; times++) {
        yield* say("approve", { id: "lost", isSigned: false })
        yield* tasks.advance(id)
        assert.strictEqual(yield* stage, "check active")
        assert.lengthOf(yield* replies, 1)
      }
      // Not said where the person may not: anybody with an API token can have made it.
      yield* say("approve", { id: "foreign", isSigned: false, forbidden: "who may command is a setting" })
      assert.lengthOf(yield* replies, 1)

      // It may have been written again, as the reply has asked for.
      assert.include((yield* say("approve", { id: "lost" })).words, "it was worked on before")
      yield* tasks.advance(id)
      assert.strictEqual(yield* stage, "check active")
      // Nobody was told of this one, so it counts once its hook comes.
      assert.include((yield* say("approve", { id: "foreign" })).words, "✅ /approve (lea): check is approved")
      yield* tasks.advance(id)
      assert.strictEqual(yield* stage, "release active")
      // What was decided by its hook is not read as one that is lost, and not done again.
      assert.include((yield* say("approve", { id: "foreign", isSigned: false })).words, "it was worked on before")
      yield* tasks.advance(id)
      assert.strictEqual(yield* stage, "release active")
      assert.lengthOf(yield* replies, 1)
    }).pipe(Effect.provide(tasksOnly({ stages }))))

  it.effect("of another project's hook, or of before the start, does nothing and brings no reply", () =>
    Effect.gen(function*() {
      const { say, tasks } = yield* atCheck
      const { sql } = yield* Storage
      const commanding = makeCommanding({ events: yield* StageEvents, people: Option.none(), sql, tasks })
      const given = {
        commentId: CommentId("foreign"),
        itemId: item,
        project: "OPS",
        at: EpochMillis(Number.MAX_SAFE_INTEGER),
        by: "lea",
        command: { word: "cancel", text: "" },
        isSigned: true,
        forbidden: undefined
      } as const
      assert.strictEqual((yield* commanding(given))._tag, "Nothing")
      const { startedAt } = yield* tasks.get("ET-2")
      assert.strictEqual((yield* say("cancel", { at: EpochMillis(startedAt.epochMillis - 1) }))._tag, "Nothing")
      assert.strictEqual((yield* tasks.get("ET-2")).status, "active")
      assert.deepStrictEqual((yield* told).filter((line) => line.includes("/cancel")), [])
    }).pipe(Effect.provide(tasksOnly({ stages }))))
})

describe("/pause", () => {
  it.scoped("launches no agent until /resume, also after a restart, while the stages go on", () =>
    Effect.gen(function*() {
      const calls: Array<string> = []
      const note = (what: string) => ({ agent }: Launch) => Effect.sync(() => void calls.push(`${what} ${agent}`))
      const launcher = Layer.succeed(AgentLauncher, { launch: note("launch"), stop: note("stop") })
      const database = `${yield* folder}/events.sqlite`
      const program = running({ stages, launcher, database })
      yield* Effect.gen(function*() {
        const { say, stage } = yield* atCheck
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(yield* stage, "check active")
        calls.length = 0
        yield* say("pause")
        yield* say("approve")
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* stage, "release active")
        assert.deepStrictEqual(calls, [])
      }).pipe(Effect.provide(program))
      yield* Effect.gen(function*() {
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(calls, [])
        const tasks = yield* Tasks
        const { sql } = yield* Storage
        const commanding = makeCommanding({ events: yield* StageEvents, people: Option.none(), sql, tasks })
        const { words } = yield* commanding({
          commentId: CommentId("resume"),
          itemId: item,
          project: "ET",
          at: yield* epochMillis,
          by: "lea",
          command: { word: "resume", text: "" },
          isSigned: true,
          forbidden: undefined
        })
        assert.include(words, "✅ /resume (lea): its agents are launched again")
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(calls, ["launch deployer"])
      }).pipe(Effect.provide(program))
    }))
})

describe("a stage that waits for a person", () => {
  const warningsWith = (settings: Readonly<Record<string, string>>) =>
    Effect.suspend(() => {
      const lines: Array<string> = []
      const logger = Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ logLevel, message }) => {
          if (logLevel === LogLevel.Warning) lines.push(String(message))
        })
      )
      return Effect.as(
        Effect.scoped(Layer.build(Layer.provide(running({ stages, settings }), logger))),
        lines
      )
    })

  it.effect("is said at the start where nobody may answer, with the setting", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* warningsWith({}), [
        "ORCH_COMMANDS is empty, so nobody may say /approve to tasks of ET at check, release, which have the gate " +
        "human: expected the people who may, by e-mail address or id, there or in \"commands\" of ET in plane-sync.json"
      ])
      assert.deepStrictEqual(yield* warningsWith({ ORCH_COMMANDS: "lea@example.org" }), [])
    }))
})

describe("the statements of commands", () => {
  it.scoped("read by an index, and never a whole table", () =>
    Effect.gen(function*() {
      const { explaining, plans, scans } = makePlans()
      yield* Effect.gen(function*() {
        const { say } = yield* atCheck
        yield* say("status", { id: "same" })
        yield* say("status", { id: "same" })
        const { read, sql } = yield* Storage
        assert.lengthOf([...yield* read(knownComments(sql, [CommentId("same"), CommentId("other")]))], 1)
      }).pipe(Effect.provide(running({ stages })), explaining)
      const missing = yield* unexplained("people", plans)
      assert.deepStrictEqual(missing.filter((at) => at.startsWith("people/Commanding.ts")), [])
      assert.deepStrictEqual(scans(/^SCAN \w+ USING (COVERING )?INDEX /), [])
    }))
})
