import { assert, it } from "@effect/vitest"
import { DateTime, Effect, Option, TestClock } from "effect"
import { MonotonicMillis } from "../../src/base/Time.js"
import { ItemId } from "../../src/domain/Ids.js"
import { PlaneMoment } from "../../src/domain/PlaneMoment.js"
import { StateId } from "../../src/domain/StageStates.js"
import { CanonicalKey } from "../../src/domain/WorkItemKey.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { TaskId } from "../../src/tasks/Task.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { onBoth, told } from "./Orchestration.js"

const one = ItemId("11111111-1111-4111-8111-111111111111")
const two = ItemId("22222222-2222-4222-8222-222222222222")

onBoth("starting a task", ({ tasksOnly }) => {
  it.effect("publishes nothing, and is idempotent", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_000)
      const tasks = yield* Tasks
      const task = yield* tasks.start({ workItem: "ET-002" })
      assert.deepInclude(task, {
        workItem: "ET-002",
        itemId: Option.none(),
        stage: "created",
        status: "active",
        agent: Option.none(),
        startedAt: DateTime.unsafeMake(1_000),
        verdicts: [],
        reports: []
      })
      assert.deepStrictEqual(yield* tasks.start({ workItem: "ET-002" }), task)
      assert.strictEqual((yield* tasks.start({ workItem: "et-2" })).id, task.id)
      assert.deepStrictEqual(yield* told, [])
      assert.strictEqual((yield* tasks.list({ limit: 10 })).length, 1)
    }).pipe(Effect.provide(tasksOnly())))

  it.effect("a paused task goes on, a stopped one enters its stage again, and one that is done stays done", () =>
    Effect.gen(function*() {
      const tasks = yield* Tasks
      const { entry, id } = yield* tasks.start({ workItem: "ET-2" })
      yield* tasks.pause(id, "a person moved it to Todo")
      assert.strictEqual((yield* tasks.get("ET-2")).status, "paused")
      yield* tasks.advance(id)
      assert.deepStrictEqual(yield* told, [])
      assert.deepInclude(yield* tasks.start({ workItem: "ET-2" }), { status: "active", entry })
      yield* tasks.advance(id)
      const stopped = yield* tasks.get("ET-2")
      yield* tasks.stop(id, "cancelled")
      yield* tasks.report("ET-2", { stage: "analysis", outcome: "passed" })
      yield* tasks.advance(id)
      assert.deepInclude(yield* tasks.get("ET-2"), { status: "stopped", stage: "analysis", entry: stopped.entry })
      const again = yield* tasks.start({ workItem: "ET-2" })
      assert.deepInclude(again, { status: "active", stage: "analysis" })
      assert.notStrictEqual(again.entry, stopped.entry)
      assert.deepStrictEqual(yield* told, ["created → analysis (analyst)"])
    }).pipe(Effect.provide(tasksOnly())))

  it.effect("one uuid is one task, whatever it is called; one key can be two work items", () =>
    Effect.gen(function*() {
      const tasks = yield* Tasks
      // Named "ET-002 …" in Plane, and number 57 there.
      const named = yield* tasks.start({ workItem: "ET-002", itemId: one })
      assert.strictEqual((yield* tasks.start({ workItem: "ET-57", itemId: one })).id, named.id)
      const second = yield* tasks.start({ workItem: "ET-2", itemId: two })
      assert.notStrictEqual(second.id, named.id)
      assert.strictEqual((yield* tasks.get("ET-002")).id, named.id)
      assert.strictEqual((yield* tasks.get("ET-2")).id, second.id)
      assert.strictEqual(Option.getOrUndefined(yield* tasks.byItemId(two))?.id, second.id)
      assert.isTrue(Option.isNone(yield* tasks.byItemId(ItemId("3"))))
    }).pipe(Effect.provide(tasksOnly())))

  it.effect("what was started by its key is known by its uuid as soon as Plane was asked for the key", () =>
    Effect.gen(function*() {
      const tasks = yield* Tasks
      const outbox = yield* Outbox
      const events = yield* StageEvents
      const task = yield* tasks.start({ workItem: "ET-002" })
      yield* events.publish({ _tag: "TaskCompleted", workItem: "ET-002" })
      yield* outbox.becomeLeader({ holder: "me" })
      const plan = () => ({ _tag: "Look" }) as const
      const job = yield* outbox.turn({ holder: "me", claim: { projects: ["ET", ""], urgentAfter: 1, plan } })
      if (job?._tag !== "Look") return assert.fail("a look-up")
      const seen = {
        state: StateId("a"),
        cancelled: false,
        completed: false,
        readAt: MonotonicMillis(0),
        updatedAt: PlaneMoment("2026-11-23T21:10:39.731779Z")
      }
      yield* outbox.turn({
        holder: "me",
        settlement: {
          _tag: "Looked",
          job,
          outcome: { _tag: "Found", itemId: ItemId(one), key: CanonicalKey("ET-2"), seen }
        }
      })
      assert.strictEqual(Option.getOrUndefined(yield* tasks.byItemId(one))?.id, task.id)
      assert.deepInclude(yield* tasks.start({ workItem: "ET-57", itemId: one }), {
        id: task.id,
        itemId: Option.some(one)
      })
    }).pipe(Effect.scoped, Effect.provide(tasksOnly())))

  it.effect("an agent of its own takes the place of the pipeline's", () =>
    Effect.gen(function*() {
      const tasks = yield* Tasks
      const { id } = yield* tasks.start({ workItem: "ET-2", agent: "claude" })
      yield* tasks.advance(id)
      assert.deepStrictEqual((yield* tasks.get("ET-2")).agent, Option.some("claude"))
      assert.deepStrictEqual(yield* told, ["created → analysis (claude)"])
    }).pipe(Effect.provide(tasksOnly())))

  it.effect("what is no key is refused in words", () =>
    Effect.gen(function*() {
      const tasks = yield* Tasks
      assert.match(
        (yield* Effect.flip(tasks.start({ workItem: "nonsense" }))).message,
        /"nonsense" is not a work item key/
      )
      assert.strictEqual((yield* Effect.flip(tasks.get("ET-9")))._tag, "NoTask")
      assert.isTrue(Option.isNone(yield* tasks.byKey("nonsense")))
    }).pipe(Effect.provide(tasksOnly())))
})

onBoth("finding tasks", ({ tasksOnly }) => {
  it.effect("by pull request and key; in pages by status", () =>
    Effect.gen(function*() {
      const tasks = yield* Tasks
      const ids: Array<TaskId> = []
      for (const workItem of ["ET-1", "ET-2", "ET-3"]) ids.push((yield* tasks.start({ workItem })).id)
      const none = TaskId(0)
      const [first = none, second = none, third = none] = ids
      const link = { repository: { id: 7, name: "team/app" }, pullRequest: 12, headSha: "abc" }
      yield* tasks.link(first, link)
      yield* tasks.link(second, link)
      yield* tasks.link(third, { ...link, repository: { id: 8, name: "team/other" } })
      assert.deepInclude(Option.getOrThrow(yield* tasks.byId(second)), {
        id: second,
        repository: Option.some(link.repository),
        pullRequest: Option.some(12),
        headSha: Option.some("abc")
      })
      const tasksOf = (repository: number, workItem: string | null) =>
        Effect.map(
          tasks.tasksOf({ repository, number: 12, keys: workItem === null ? [] : [CanonicalKey(workItem)] }),
          (found) => found.map(({ id }) => id)
        )
      assert.sameMembers(yield* tasksOf(7, "ET-3"), ids)
      assert.sameMembers(yield* tasksOf(7, "ET-1"), [first, second])
      assert.deepStrictEqual(yield* tasksOf(8, null), [third])
      assert.deepStrictEqual(yield* tasksOf(9, "ET-9"), [])
      yield* tasks.stop(second, "cancelled")
      const page = (query: Parameters<typeof tasks.list>[0]) =>
        Effect.map(tasks.list(query), (found) => found.map(({ workItem }) => workItem))
      assert.deepStrictEqual(yield* page({ limit: 2 }), ["ET-3", "ET-2"])
      assert.deepStrictEqual(yield* page({ limit: 2, cursor: second }), ["ET-1"])
      assert.deepStrictEqual(yield* page({ limit: 5, status: "active" }), ["ET-3", "ET-1"])
      assert.deepStrictEqual(yield* page({ limit: 5, status: "stopped" }), ["ET-2"])
    }).pipe(Effect.provide(tasksOnly())))
})
