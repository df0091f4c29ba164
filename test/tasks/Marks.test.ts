import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Option } from "effect"
import { EpochMillis, epochMillis, utc } from "../../src/base/Time.js"
import { ItemId } from "../../src/domain/Ids.js"
import { momentOf } from "../../src/domain/PlaneMoment.js"
import { StateId } from "../../src/domain/StageStates.js"
import { CanonicalKey } from "../../src/domain/WorkItemKey.js"
import { observe } from "../../src/outbox/Observation.js"
import { Storage } from "../../src/storage/Storage.js"
import type { MarkChange, MarkMeaning } from "../../src/tasks/Marks.js"
import { meaningOfMark } from "../../src/tasks/Marks.js"
import type { TaskStatus } from "../../src/tasks/Task.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { onBoth } from "./Orchestration.js"

describe("what a label or an assignee that starts tasks means", () => {
  const means = (
    status: TaskStatus | "none",
    more: { readonly at?: number; isEnded?: boolean; isNew?: boolean } = {}
  ) =>
    meaningOfMark({
      mark: { at: EpochMillis(more.at ?? 9), isEnded: more.isEnded ?? false, isNew: more.isNew ?? false },
      task: status === "none" ? undefined : { status, startedAt: DateTime.unsafeMake(5) }
    })

  it("is one thing for each status of the task", () => {
    const table: Readonly<
      Record<TaskStatus | "none", readonly [MarkMeaning, ofNew: MarkMeaning, before: MarkMeaning]>
    > = {
      none: ["start", "start", "start"],
      active: ["there", "there", "there"],
      paused: ["goOn", "there", "goOn"],
      stopped: ["goOn", "there", "goOn"],
      done: ["startAnew", "there", "old"]
    }
    for (const status of ["none", "active", "paused", "stopped", "done"] as const) {
      const [usual, ofNew, before] = table[status]
      assert.strictEqual(means(status), usual, status)
      assert.strictEqual(means(status, { isNew: true }), ofNew, status)
      assert.strictEqual(means(status, { at: 5 }), before, status)
      assert.strictEqual(means(status, { isEnded: true }), "ended", status)
    }
  })
})

onBoth("a work item that is given a label which starts tasks", ({ processes, tasksOnly }) => {
  const itemId = ItemId("11111111-1111-4111-8111-111111111111")

  const given = (at: EpochMillis, more: Partial<MarkChange> = {}) =>
    Effect.flatMap(Tasks, (tasks) =>
      tasks.marked({ workItem: "ET-2", itemId }, {
        given: Option.some(`gave it the label "agent"`),
        at: utc(at),
        updatedAt: momentOf(at),
        who: Option.some("lea"),
        isNew: false,
        isEnded: false,
        ...more
      }))

  const task = Effect.flatMap(Tasks, (tasks) => Effect.map(tasks.get("ET-2"), ({ status }) => status))

  const past = (seconds: number) => Effect.map(epochMillis, (now) => EpochMillis(now - 60_000 + seconds * 1_000))

  it.scopedLive("has a task, once for each time that it is given", () =>
    Effect.gen(function*() {
      const tasks = yield* Tasks
      assert.strictEqual(yield* given(yield* past(1)), "start")
      const { id } = yield* tasks.get("ET-2")
      const second = yield* past(2)
      yield* tasks.stop(id, "by hand")
      assert.strictEqual(yield* given(second, { given: Option.none() }), "taken")
      assert.strictEqual(yield* task, "stopped")
      const third = yield* past(3)
      assert.strictEqual(yield* given(third), "goOn")
      assert.strictEqual(yield* task, "active")
      yield* tasks.stop(id, "by hand")
      for (const late of [third, second]) assert.strictEqual(yield* given(late), "old")
      assert.strictEqual(yield* task, "stopped")
    }).pipe(Effect.provide(tasksOnly())))

  it.scopedLive("has none if what is known of it is newer and says that the work is over", () =>
    Effect.gen(function*() {
      const { sql, write } = yield* Storage
      const at = yield* past(2)
      yield* write(observe(sql, {
        itemId,
        key: CanonicalKey("ET-2"),
        state: StateId("381a2833-3c4e-4be5-bd0f-be84cb946ad8"),
        cancelled: false,
        completed: true,
        updatedAt: momentOf(at),
        receivedAt: at,
        isAside: false
      }))
      assert.strictEqual(yield* given(yield* past(1)), "ended")
      assert.strictEqual(yield* given(yield* past(3)), "start")
    }).pipe(Effect.provide(tasksOnly())))

  it.scopedLive("has one task, whichever of two processes hear of it at once", () =>
    Effect.gen(function*() {
      const process = yield* processes
      const at = yield* past(1)
      const meanings = yield* Effect.all(
        [1, 2].map(() => Effect.provide(given(at), process())),
        { concurrency: "unbounded" }
      )
      assert.sameMembers(meanings, ["start", "old"])
    }))
})
