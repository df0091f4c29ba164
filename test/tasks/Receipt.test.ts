import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Layer, Option, TestClock } from "effect"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { eventOfBody } from "../../src/outbox/StoredEvent.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { Storage } from "../../src/storage/Storage.js"
import { Pipeline } from "../../src/tasks/Pipeline.js"
import { QualityGates, Verdict } from "../../src/tasks/QualityGate.js"
import type { Task } from "../../src/tasks/Task.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { inMemory } from "../sending/Pipeline.js"
import { make } from "../support/MovableClock.js"
import { onBoth, settable } from "./Orchestration.js"

const minutes = (count: number) => count * 60_000

const stages = [
  { stage: "build", gates: ["ci"], agent: "builder" },
  { stage: "check", gates: ["reported"], agent: "checker" },
  { stage: "done", gates: [] }
]

const advanced = (key: string) =>
  Effect.gen(function*() {
    const tasks = yield* Tasks
    yield* tasks.advance((yield* tasks.get(key)).id)
    return yield* tasks.get(key)
  })

const start = (workItem: string) =>
  Effect.zipRight(Effect.flatMap(Tasks, (tasks) => tasks.start({ workItem })), advanced(workItem))

const report = (key: string, ...[given]: [Omit<Parameters<TaskStore["Type"]["report"]>[1], "stage">]) =>
  Effect.zipRight(
    Effect.flatMap(Tasks, (tasks) => tasks.report(key, { stage: "check", ...given })),
    advanced(key)
  )

const sonnet = { model: "sonnet", inputTokens: 1_000, outputTokens: 200, costUsd: 0.5 }

/** The bodies of the events that tell an end, oldest first. */
const ends = Effect.gen(function*() {
  const rows = yield* (yield* Outbox).events({ limit: 200 })
  return rows.toReversed().map(({ body }) => body).filter((body) => body.includes("task_completed"))
})

const receiptIn = (body: string | undefined) =>
  Option.getOrThrow(Option.filter(
    eventOfBody(body ?? ""),
    (event): event is Extract<StageEvent, { _tag: "TaskCompleted" }> => event._tag === "TaskCompleted"
  )).receipt

/** Two attempts, two failed gates, a stop, a pause, and two reports with usage; then it is done. */
const life = (ci: ReturnType<typeof settable>, shift: (millis: number) => Effect.Effect<void>, key = "ET-2") =>
  Effect.gen(function*() {
    const tasks = yield* Tasks
    ci.say(Verdict.Pending({ why: "it runs" }))
    const { id } = yield* start(key)
    yield* shift(minutes(20))
    ci.say(Verdict.Failed({ reason: "3 of 80 failed" }))
    yield* advanced(key)
    yield* tasks.stop(id, "cancelled")
    yield* shift(minutes(600))
    ci.say(Verdict.Pending({ why: "it runs" }))
    yield* start(key)
    yield* shift(minutes(10))
    yield* tasks.pause(id, "waits")
    yield* shift(minutes(60))
    yield* start(key)
    ci.say(Verdict.Passed())
    yield* advanced(key)
    yield* tasks.link(id, { repository: { id: 1, name: "acme/widgets" }, pullRequest: 12, headSha: "a1" })
    yield* report(key, { outcome: "failed", reason: "no tests", usage: sonnet })
    yield* shift(minutes(5))
    return yield* report(key, { outcome: "passed", usage: { ...sonnet, inputTokens: 500 } })
  })

const first = {
  stages: [
    { stage: "build", seconds: 1_800, attempts: 2, failedGates: 1 },
    { stage: "check", seconds: 300, attempts: 1, failedGates: 1 }
  ],
  pullRequests: ["acme/widgets#12"],
  usage: [{ model: "sonnet", inputTokens: 1_500, outputTokens: 400, costUsd: 1 }]
}

onBoth("a task's receipt", ({ tasksOnly }) => {
  const ci = settable("ci")
  const parts = { stages, gates: [ci.gate] }

  /** A rule over time that passes at once. */
  const rule = <E>(
    name: string,
    body: (
      shift: (millis: number) => Effect.Effect<void>
    ) => Effect.Effect<void, E, Layer.Layer.Success<ReturnType<typeof tasksOnly>>>
  ) =>
    it.effect(name, () =>
      Effect.flatMap(Effect.clock, (clock) => {
        const movable = make(clock)
        return Effect.withClock(Effect.provide(body(movable.shift), tasksOnly(parts)), movable.clock)
      }))

  rule(
    "has all of its attempts and restarts, is stored with the end, and the task shows it while it goes on",
    (shift) =>
      Effect.gen(function*() {
        const task = yield* life(ci, shift)
        assert.strictEqual(task.status, "done")
        assert.deepStrictEqual(task.receipt, first)
        assert.deepStrictEqual((yield* ends).map(receiptIn), [first])

        // It is not at work any more.
        yield* shift(minutes(60))
        assert.deepStrictEqual((yield* (yield* Tasks).get("ET-2")).receipt, first)

        const again = yield* life(ci, shift)
        const second = {
          stages: [
            { stage: "build", seconds: 3_600, attempts: 4, failedGates: 2 },
            { stage: "check", seconds: 600, attempts: 2, failedGates: 2 }
          ],
          // The same one, once.
          pullRequests: ["acme/widgets#12"],
          usage: [{ model: "sonnet", inputTokens: 3_000, outputTokens: 800, costUsd: 2 }]
        }
        assert.deepStrictEqual(again.receipt, second)
        // What was told stays what it was.
        assert.deepStrictEqual((yield* ends).map(receiptIn), [first, second])
      })
  )

  rule(
    "a task that goes on shows the time up to now, and a clock that is set back takes none away",
    (shift) =>
      Effect.gen(function*() {
        ci.say(Verdict.Pending({ why: "it runs" }))
        yield* start("ET-2")
        yield* shift(90_500)
        const { receipt } = yield* (yield* Tasks).get("ET-2")
        assert.deepStrictEqual(receipt.stages, [{ stage: "build", seconds: 90, attempts: 1, failedGates: 0 }])
        yield* shift(-minutes(10))
        ci.say(Verdict.Passed())
        const { receipt: { stages: [build] } } = yield* advanced("ET-2")
        assert.deepStrictEqual(build, { stage: "build", seconds: 0, attempts: 1, failedGates: 0 })
      })
  )

  rule(
    "a report counts once, also if it is repeated after the stage was left, and again in the next attempt",
    (shift) =>
      Effect.gen(function*() {
        const tasks = yield* Tasks
        const used = Effect.map(
          tasks.get("ET-2"),
          ({ receipt: { usage } }) => usage.map(({ inputTokens }) => inputTokens)
        )
        ci.say(Verdict.Passed())
        // Ahead of its stage, and once more when that is reached.
        yield* tasks.start({ workItem: "ET-2" })
        const failed = { stage: "check", outcome: "failed", reason: "no", usage: { inputTokens: 1 } } as const
        yield* tasks.report("ET-2", failed)
        yield* advanced("ET-2")
        yield* tasks.report("ET-2", failed)
        assert.deepStrictEqual(yield* used, [1])
        const passed = { stage: "check", outcome: "passed", usage: { inputTokens: 10 } } as const
        yield* Effect.all([tasks.report("ET-2", passed), tasks.report("ET-2", passed)], { concurrency: 2 })
        assert.deepStrictEqual(yield* used, [11])
        assert.strictEqual((yield* advanced("ET-2")).status, "done")
        yield* tasks.report("ET-2", passed)
        assert.deepStrictEqual(yield* used, [11])
        yield* shift(1_000)
        yield* start("ET-2")
        yield* tasks.report("ET-2", passed)
        assert.deepStrictEqual(yield* used, [21])
        // By an id, whatever else they say. What one says without usage counts nothing.
        for (const id of ["one", "two", "one"]) yield* tasks.report("ET-2", { ...passed, id })
        yield* tasks.report("ET-2", { ...failed, id: "one" })
        yield* tasks.report("ET-2", { stage: "check", outcome: "passed" })
        assert.deepStrictEqual(yield* used, [41])
      })
  )

  rule(
    "of a task that an older version has started only what agents report is known, until it starts anew",
    (shift) =>
      Effect.gen(function*() {
        const { sql, write } = yield* Storage
        const old = (key: string) =>
          Effect.gen(function*() {
            ci.say(Verdict.Pending({ why: "it runs" }))
            yield* start(key)
            yield* write(sql`DELETE FROM plane_sync_task_stage WHERE true`)
            yield* shift(minutes(5))
            ci.say(Verdict.Failed({ reason: "red" }))
            yield* advanced(key)
            ci.say(Verdict.Passed())
            yield* advanced(key)
          })
        yield* old("ET-2")
        yield* report("ET-2", { outcome: "passed" })
        yield* old("ET-3")
        yield* report("ET-3", { outcome: "passed", usage: sonnet })
        const [none, used] = yield* ends
        assert.strictEqual(none, "{\"type\":\"task_completed\",\"workItem\":\"ET-2\"}")
        assert.deepStrictEqual(receiptIn(used), { stages: [], pullRequests: [], usage: [sonnet] })
        yield* start("ET-2")
        assert.isNotEmpty((yield* (yield* Tasks).get("ET-2")).receipt.stages)
      })
  )

  rule(
    "what events have used is added to the task, and not to the event that tells its end",
    (shift) =>
      Effect.gen(function*() {
        const tasks = yield* Tasks
        const { publish } = yield* StageEvents
        yield* publish(StageEvent.TaskCompleted({ workItem: "ET-2", usage: { model: "opus", costUsd: 3 } }))
        yield* publish(StageEvent.TaskCompleted({ workItem: "ET-3", usage: { model: "opus", costUsd: 4 } }))
        const { id, receipt } = yield* life(ci, shift)
        const usage = [{ model: "opus", costUsd: 3 }, ...first.usage]
        assert.deepStrictEqual(receipt, { ...first, usage })
        const [listed] = yield* tasks.list({ limit: 10 })
        assert.deepStrictEqual({ id: listed?.id, usage: listed?.receipt.usage }, { id, usage })
        assert.deepStrictEqual((yield* ends).map(receiptIn).slice(2), [first])
      })
  )

  rule(
    "a stage that is overruled, and a task that a person ends, are counted likewise",
    (shift) =>
      Effect.gen(function*() {
        const tasks = yield* Tasks
        ci.say(Verdict.Pending({ why: "it runs" }))
        yield* start("ET-2")
        yield* shift(minutes(1))
        yield* tasks.overrule("ET-2", { stage: "build", by: "lea", reason: "by hand" })
        yield* shift(minutes(2))
        yield* tasks.overrule("ET-2", { stage: "check", by: "lea", reason: "by hand" })
        const [end] = yield* ends
        assert.deepStrictEqual(receiptIn(end)?.stages, [
          { stage: "build", seconds: 60, attempts: 1, failedGates: 0 },
          { stage: "check", seconds: 120, attempts: 1, failedGates: 0 }
        ])
      })
  )

  rule(
    "usage that is none is refused with its field, and nothing of its report is stored",
    () =>
      Effect.gen(function*() {
        const tasks = yield* Tasks
        yield* start("ET-2")
        const given = { stage: "check", outcome: "passed", usage: { costUsd: Number.NaN } } as const
        const error = yield* Effect.flip(tasks.report("ET-2", given))
        assert.strictEqual(
          error.message,
          "usage.costUsd: NaN is not right: expected a number of US dollars from 0 to 1000000"
        )
        assert.deepStrictEqual((yield* tasks.get("ET-2")).reports, [])
      })
  )

  rule("tasks are listed by when they have changed last, also by a report of usage", (shift) =>
    Effect.gen(function*() {
      const tasks = yield* Tasks
      ci.say(Verdict.Pending({ why: "it runs" }))
      for (const key of ["ET-1", "ET-2", "ET-3"]) {
        yield* start(key)
        yield* shift(1_000)
      }
      const names = (found: ReadonlyArray<Task>) => found.map(({ workItem }) => workItem)
      const now = yield* DateTime.now
      assert.deepStrictEqual(names(yield* tasks.list({ limit: 10, since: now })), [])
      const { updatedAt } = yield* tasks.get("ET-2")
      assert.deepStrictEqual(names(yield* tasks.list({ limit: 10, since: updatedAt })), ["ET-3", "ET-2"])
      assert.deepStrictEqual(names(yield* tasks.list({ limit: 1, cursor: 3, since: updatedAt })), ["ET-2"])
      assert.deepStrictEqual(names(yield* tasks.list({ limit: 10, since: updatedAt, status: "done" })), [])
      yield* tasks.report("ET-1", { stage: "check", outcome: "passed", usage: sonnet })
      assert.deepStrictEqual(names(yield* tasks.list({ limit: 10, since: now })), ["ET-1"])
    }))
})

describe("a receipt in Plane", () => {
  const ci = settable("ci")
  const layer = Layer.provideMerge(Tasks.layer, TaskStore.layer).pipe(
    Layer.provide(Layer.merge(Pipeline.layer(stages), QualityGates.layer([ci.gate]))),
    Layer.provideMerge(inMemory())
  )

  const last = (id: string) =>
    Effect.gen(function*() {
      yield* TestClock.adjust("1 hours")
      const comments = yield* (yield* PlaneSimulator).comments(id)
      return comments.map(({ html }) => html).filter((html) => html.includes("✅"))
    })

  it.effect("is adopted like any comment when the answer of its first sending is lost", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "a", number: 2 })
      yield* plane.misbehave({ _tag: "Status", status: 504, when: "after", count: 1, match: { text: "✅" } })
      yield* life(ci, (millis) => TestClock.adjust(millis))
      const [html = "", ...more] = yield* last(item.id)
      assert.include(html, "<li>Time: 35 min")
      assert.deepStrictEqual(more, [])
      assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 0 })
    }).pipe(Effect.provide(layer)))

  it.effect("of a host's own events has what all of them have used, of both spellings, over all restarts", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "a", number: 2 })
      const { publish } = yield* StageEvents
      const workItem = "ET-2"
      yield* publish(StageEvent.StageChanged({ workItem, from: "a", to: "b", usage: sonnet }))
      const failed = { stage: "b", check: "ci", reason: "red", usage: sonnet }
      yield* publish(StageEvent.QualityGateFailed({ ...failed, workItem: "ET-002" }))
      yield* TestClock.adjust("1 minutes")
      const completed = StageEvent.TaskCompleted({ workItem, id: "end", usage: { costUsd: 0.25, model: "<b>" } })
      for (let repeated = 0; repeated < 2; repeated++) yield* publish(completed)
      const told = "<p>✅ Task completed! PR merged and deployed.</p><ul><li>Usage: 2,000 tokens in, 400 tokens out, " +
        "$1.25 (sonnet, 2,000 tokens in, 400 tokens out, $1.00; &lt;b&gt;, $0.25)</li></ul>"
      assert.deepStrictEqual(yield* last(item.id), [told])
      yield* publish(StageEvent.StageChanged({ workItem, from: "done", to: "b", usage: sonnet }))
      yield* publish(StageEvent.TaskCompleted({ workItem }))
      assert.deepStrictEqual(yield* last(item.id), [
        told,
        "<p>✅ Task completed! PR merged and deployed.</p><ul><li>Usage: 3,000 tokens in, 600 tokens out, " +
        "$1.75 (sonnet, 3,000 tokens in, 600 tokens out, $1.50; &lt;b&gt;, $0.25)</li></ul>"
      ])
      const bodies = (yield* (yield* Outbox).events({ limit: 10 })).map(({ body }) => body)
      assert.lengthOf(bodies.filter((body) => body.includes("\"usage\":{\"model\":")), 4)
      const wrong = yield* publish(StageEvent.TaskCompleted({ workItem, usage: { inputTokens: -1 } }))
      assert.containSubset(wrong, {
        _tag: "Unfit",
        why: "usage.inputTokens: -1 is not right: expected a whole number of tokens from 0 to 1000000000000"
      })
    }).pipe(Effect.provide(layer)))

  it.effect("adds what a host's events have used to what reports of the task have, in the task as well", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const tasks = yield* Tasks
      const item = yield* plane.addWorkItem({ name: "a", number: 2 })
      const { publish } = yield* StageEvents
      yield* publish(StageEvent.StageChanged({ workItem: "ET-002", from: "a", to: "b", usage: sonnet }))
      yield* life(ci, (millis) => TestClock.adjust(millis))
      const [html = "", ...more] = yield* last(item.id)
      assert.include(html, "<li>Usage: 2,500 tokens in, 600 tokens out, $1.50, sonnet</li>")
      assert.deepStrictEqual(more, [])
      const { receipt: { usage } } = yield* tasks.get("ET-2")
      assert.deepStrictEqual(usage, [{ model: "sonnet", inputTokens: 2_500, outputTokens: 600, costUsd: 1.5 }])
      assert.deepStrictEqual((yield* ends).map(receiptIn), [first])
    }).pipe(Effect.provide(layer)))

  it.effect("stands below the line of the end, and a task of which nothing is known has the line alone", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const [item, other] = yield* Effect.forEach([2, 3], (number) => plane.addWorkItem({ name: "a", number }))
      yield* life(ci, (millis) => TestClock.adjust(millis))
      assert.deepStrictEqual(yield* last(item?.id ?? ""), [
        "<p>✅ Task completed! PR merged and deployed.</p><ul>" +
        "<li>Time: 35 min (build 30 min, check 5 min)</li><li>Attempts: build 2</li>" +
        "<li>Failed gates: 2 (build 1, check 1)</li><li>Pull request: acme/widgets#12</li>" +
        "<li>Usage: 1,500 tokens in, 400 tokens out, $1.00, sonnet</li></ul>"
      ])
      ci.say(Verdict.Passed())
      yield* start("ET-3")
      yield* report("ET-3", { outcome: "passed" })
      assert.deepStrictEqual(yield* last(other?.id ?? ""), ["<p>✅ Task completed! PR merged and deployed.</p>"])
    }).pipe(Effect.provide(layer)))
})
