import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Either, Fiber, Layer, Logger, Option, TestClock } from "effect"
import { Outbox } from "../../src/outbox/Outbox.js"
import { eventOfBody } from "../../src/outbox/StoredEvent.js"
import { Storage } from "../../src/StorageLayers.js"
import { AgentLauncher } from "../../src/tasks/AgentLauncher.js"
import { activeTask, pauseByHand } from "../../src/tasks/ByHand.js"
import type { NotOverruled } from "../../src/tasks/Overrule.js"
import { Verdict } from "../../src/tasks/QualityGate.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { folder } from "../http/Server.js"
import { forge, onBoth, running, settable, tasksOnly, told } from "./Orchestration.js"

const merged = { by: "lea", reason: "merged by hand" }

/** A task at a stage, to which it is overruled. */
const at = (stage: string, workItem = "ET-2") =>
  Effect.gen(function*() {
    const tasks = yield* Tasks
    let task = yield* tasks.start({ workItem })
    while (task.stage !== stage) task = (yield* tasks.overrule(workItem, { ...merged, stage: task.stage })).task
    return task
  })

const overrule = (stage: string, words: { readonly by: string; readonly reason: string } = merged) =>
  Effect.flatMap(Tasks, (tasks) => tasks.overrule("ET-2", { stage, ...words }))

const refusal = (stage: string, words?: { readonly by: string; readonly reason: string }) =>
  Effect.map(Effect.flip(overrule(stage, words)), ({ message }) => message)

const launches = Effect.gen(function*() {
  const { read, sql } = yield* Storage
  return yield* read(sql<{ stage: string; agent: string; entry: string }>`SELECT entry, stage, agent
    FROM plane_sync_launch`)
})

const overruledBy = Effect.gen(function*() {
  const rows = yield* (yield* Outbox).events({ limit: 200 })
  return rows.toReversed().map(({ body }) =>
    Option.match(eventOfBody(body), {
      onNone: () => body,
      onSome: (event) => event._tag === "StageChanged" ? `${event.to}: ${event.overruledBy ?? "-"}` : event._tag
    })
  )
})

onBoth("overruling a stage", ({ processes, tasksOnly }) => {
  it.effect("row 27: enters the next stage whatever the gates say, and says who did it and why", () => {
    const gates = forge()
    gates.ci.say(Verdict.Failed({ reason: "closed" }))
    return Effect.gen(function*() {
      const tasks = yield* Tasks
      const { id } = yield* at("development")
      yield* tasks.advance(id)
      const done = yield* overrule("development", { by: " lea ", reason: "merged\nby \u0007hand" })
      assert.deepInclude(done, { from: "development", to: "review", overruledBy: "lea: merged by hand" })
      assert.deepInclude(done.task, { stage: "review", status: "active", agent: Option.some("reviewer") })
      assert.deepStrictEqual((yield* told).slice(-2), [
        "development: ci failed: closed",
        "development → review (reviewer)"
      ])
      assert.strictEqual((yield* overruledBy).at(-1), "review: lea: merged by hand")
      const { entry } = done.task
      assert.deepInclude(yield* launches, { entry, stage: "review", agent: "reviewer" })
      // It goes on from there by its gates.
      gates.approval.say(Verdict.Passed())
      yield* tasks.advance(id)
      assert.strictEqual((yield* tasks.get("ET-2")).stage, "testing")
      assert.strictEqual((yield* overruledBy).at(-1), "testing: -")
    }).pipe(Effect.provide(tasksOnly(gates)))
  })

  it.effect("row 27: out of the stage before the last, the task is completed", () =>
    Effect.gen(function*() {
      yield* at("deploy")
      const { task } = yield* overrule("deploy", { by: "lea", reason: "merged by the command line" })
      assert.deepInclude(task, { stage: "done", status: "done" })
      assert.deepStrictEqual((yield* overruledBy).slice(-2), [
        "done: lea: merged by the command line",
        "TaskCompleted"
      ])
      assert.strictEqual(yield* refusal("deploy"), "The task of ET-2 is done: there is nothing to overrule")
    }).pipe(Effect.provide(tasksOnly())))

  it.effect("the log says who did it and why, in one line", () => {
    const lines: Array<string> = []
    const log = Logger.replace(Logger.defaultLogger, Logger.make(({ message }) => void lines.push(String(message))))
    return Effect.gen(function*() {
      const tasks = yield* Tasks
      yield* at("deploy")
      lines.length = 0
      yield* pauseByHand(tasks, "ET-2", { by: "jo", reason: "waits\nfor legal" })
      yield* tasks.start({ workItem: "ET-2" })
      yield* overrule("deploy", { by: "lea", reason: "merged\nby hand" })
      assert.deepStrictEqual(lines, [
        "ET-2 is paused at deploy: waits for legal (by jo)",
        "ET-2: deploy → done, overruled by lea: merged by hand"
      ])
    }).pipe(Effect.provide(Layer.provideMerge(tasksOnly(), log)))
  })

  it.effect("a repetition overrules no second stage", () =>
    Effect.gen(function*() {
      yield* at("development")
      yield* overrule("development")
      const events = yield* told
      assert.strictEqual(
        yield* refusal("development"),
        "The task of ET-2 is at review, not at development: overrule the stage that it is at"
      )
      assert.deepStrictEqual(yield* told, events)
    }).pipe(Effect.provide(tasksOnly())))

  it.effect("a task that does not move is not overruled, and the refusal says what to do", () =>
    Effect.gen(function*() {
      const tasks = yield* Tasks
      const { id } = yield* at("development")
      const events = yield* told
      yield* tasks.pause(id, "by lea")
      assert.strictEqual(
        yield* refusal("development"),
        "The task of ET-2 is paused at development: start it again (plane-sync task start ET-2), then overrule it"
      )
      yield* tasks.stop(id, "cancelled")
      assert.match(yield* refusal("development"), /^The task of ET-2 is stopped at development: start it again/)
      yield* tasks.start({ workItem: "ET-2" })
      assert.match(yield* refusal("devlopment"), /"devlopment" is not a stage: expected one of created, analysis/)
      for (const words of [{ by: " ", reason: "x" }, { by: "lea", reason: "\u0000\n" }]) {
        assert.strictEqual(
          yield* refusal("development", words),
          "Overruling a task takes the name of who does it, and the reason"
        )
      }
      const nobody = yield* Effect.flip(tasks.overrule("ET-9", { ...merged, stage: "development" }))
      assert.strictEqual(nobody._tag, "NoTask")
      assert.deepStrictEqual(yield* told, events)
      assert.strictEqual((yield* overrule("development")).to, "review")
    }).pipe(Effect.provide(tasksOnly())))

  it.scopedLive("two operators in two processes at once: one of them overrules, the other is told where the task is", () =>
    Effect.gen(function*() {
      const process = Layer.build((yield* processes)())
      const [one, two] = [yield* process, yield* process]
      yield* Effect.provide(at("development"), one)
      const both = yield* Effect.all(
        [one, two, one, two].map((process) => Effect.either(Effect.provide(overrule("development"), process))),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(both.filter(Either.isRight).length, 1)
      assert.deepStrictEqual(
        both.filter(Either.isLeft).map(({ left }) => left._tag),
        ["NotOverruled", "NotOverruled", "NotOverruled"] satisfies Array<NotOverruled["_tag"]>
      )
      assert.strictEqual((yield* Effect.provide(told, one)).filter((line) => line.startsWith("development")).length, 1)
    }))

  it.scopedLive("a fact that comes in between does not keep it from its stage", () =>
    Effect.gen(function*() {
      const process = Layer.build((yield* processes)())
      const [one, two] = [yield* process, yield* process]
      const { id } = yield* Effect.provide(at("development"), one)
      const { write } = Context.get(two, Storage)
      const facts = Effect.replicateEffect(write(Context.get(two, Tasks).touch(id)), 30, { discard: true })
      const [done] = yield* Effect.all([Effect.provide(overrule("development"), one), facts], {
        concurrency: "unbounded"
      })
      assert.strictEqual(done.to, "review")
    }))
})

onBoth("pausing and advancing by hand", ({ tasksOnly }) => {
  it.effect("an active task is paused, and stays so; a stopped or done one is not", () =>
    Effect.gen(function*() {
      const tasks = yield* Tasks
      const { id } = yield* at("deploy")
      for (const reason of [undefined, "waits for legal"]) {
        assert.strictEqual((yield* pauseByHand(tasks, "ET-2", { by: "lea", reason })).status, "paused")
      }
      assert.strictEqual(
        (yield* Effect.flip(activeTask(tasks, "ET-2"))).message,
        "The task of ET-2 is paused at deploy: it does not advance"
      )
      yield* tasks.stop(id, "cancelled")
      const why = Effect.map(Effect.flip(pauseByHand(tasks, "ET-2", { by: "lea" })), ({ message }) => message)
      assert.strictEqual(yield* why, "The task of ET-2 is stopped at deploy: there is nothing to pause")
      yield* tasks.start({ workItem: "ET-2" })
      assert.strictEqual((yield* activeTask(tasks, "ET-2")).stage, "deploy")
      yield* overrule("deploy")
      assert.strictEqual(yield* why, "The task of ET-2 is done at done: there is nothing to pause")
    }).pipe(Effect.provide(tasksOnly())))
})

describe("overruling a stage while the program runs", () => {
  it.effect("does not wait for a gate that hangs, whose verdict then counts for nothing", () => {
    const ci = settable("ci")
    const stages = [
      { stage: "build", gates: ["ci"] },
      { stage: "ship", agent: "shipper", gates: ["reported"] },
      { stage: "done", gates: [] }
    ]
    return Effect.gen(function*() {
      const tasks = yield* Tasks
      const { id } = yield* tasks.start({ workItem: "ET-2" })
      ci.say(Effect.as(Effect.sleep("20 seconds"), Verdict.Failed({ reason: "too late" })))
      const asked = yield* Effect.fork(tasks.advance(id))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* overrule("build")).task.stage, "ship")
      // Asked once more, about the stage that the task is at now.
      yield* TestClock.adjust("20 seconds")
      yield* TestClock.adjust("20 seconds")
      yield* Fiber.join(asked)
      assert.deepStrictEqual(yield* told, ["build → ship (shipper)"])
    }).pipe(Effect.provide(tasksOnly({ stages, gates: [ci.gate] })))
  })

  it.scoped("after a crash right behind it, the task goes on by itself, and its agent is launched", () =>
    Effect.gen(function*() {
      const database = `${yield* folder}/events.sqlite`
      const gates = forge()
      gates.approval.say(Verdict.Passed())
      yield* Effect.provide(Effect.zipRight(at("development"), overrule("development")), tasksOnly({ database }))
      const context = yield* Layer.build(running({ ...gates, database }))
      yield* TestClock.adjust("1 second")
      yield* Effect.repeat(Context.get(context, Tasks).get("ET-2"), { until: ({ stage }) => stage === "testing" })
      const launched = Effect.map(
        Context.get(context, Tasks).get("ET-2"),
        ({ launch }) => Option.getOrUndefined(launch)?.state
      )
      yield* Effect.repeat(launched, { until: (state) => state === "working" })
    }))

  it.effect("row 6: into a stage whose gates hold already, nobody is launched for it", () => {
    const gates = forge()
    gates.approval.say(Verdict.Passed())
    const launched: Array<string> = []
    const launcher = Layer.succeed(AgentLauncher, {
      launch: ({ agent }) => Effect.sync(() => void launched.push(agent)),
      stop: () => Effect.void
    })
    return Effect.gen(function*() {
      const tasks = yield* Tasks
      yield* tasks.start({ workItem: "ET-2" })
      yield* TestClock.adjust("1 millis").pipe(Effect.repeatN(3))
      for (const stage of ["analysis", "architecture", "development"]) {
        yield* overrule(stage)
        yield* TestClock.adjust("1 millis").pipe(Effect.repeatN(3))
      }
      assert.strictEqual((yield* tasks.get("ET-2")).stage, "testing")
      assert.deepStrictEqual(launched, ["analyst", "architect", "developer", "tester"])
    }).pipe(Effect.provide(running({ ...gates, launcher })))
  })
})
