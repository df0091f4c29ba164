import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Option, TestClock } from "effect"
import { EpochMillis, utc } from "../../src/base/Time.js"
import { ItemId } from "../../src/domain/Ids.js"
import { PlaneMoment } from "../../src/domain/PlaneMoment.js"
import { StateId } from "../../src/domain/StageStates.js"
import { CanonicalKey } from "../../src/domain/WorkItemKey.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { Storage } from "../../src/storage/Storage.js"
import { keepAnswer } from "../../src/tasks/Answers.js"
import { decide } from "../../src/tasks/Decisions.js"
import { itemsOfGoingTasks } from "../../src/tasks/GoingTasks.js"
import { launchAgain } from "../../src/tasks/LaunchAgain.js"
import * as Launches from "../../src/tasks/Launches.js"
import { Pipeline } from "../../src/tasks/Pipeline.js"
import { concernsNoTask } from "../../src/tasks/PullRequestTasks.js"
import { tell } from "../../src/tasks/Story.js"
import { taskReader } from "../../src/tasks/TaskRows.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { makePlans } from "../support/QueryPlans.js"
import { unexplained } from "../support/Statements.js"
import { stepByStep } from "../support/StepByStep.js"
import { running } from "../tasks/Orchestration.js"
import { everything } from "./EveryStatement.js"

const { explaining, plans, scans } = makePlans()

const layer = Layer.provideMerge(Outbox.layer, stepByStep)

const pipelineOf = Effect.provide(Pipeline, Pipeline.layerDefault)

/** Whatever can be asked of tasks, once. */
const everyTask = Effect.gen(function*() {
  const tasks = yield* Tasks
  const { read, sql, write } = yield* Storage
  for (const workItem of ["ET-1", "ET-2", "ET-002"]) yield* tasks.start({ workItem })
  const { id } = yield* tasks.start({ workItem: "ET-3", itemId: ItemId("item-1"), agent: "claude" })
  yield* tasks.start({ workItem: "ET-4", itemId: ItemId("item-0") })
  yield* tasks.link(id, { repository: { id: 1, name: "team/app" }, pullRequest: 1, headSha: "abc" })
  yield* tasks.report("ET-3", { stage: "analysis", outcome: "failed", reason: "no" })
  yield* tasks.advance(id)
  yield* tasks.report("ET-3", { stage: "analysis", outcome: "passed", usage: { costUsd: 1 } })
  yield* tasks.advance(id)
  const order = { by: "lea", at: EpochMillis(0), entry: "entry-1", now: EpochMillis(0) }
  const item = { id, itemId: ItemId("item-1") }
  for (const _tag of ["approve", "retry", "pause", "resume", "status"] as const) {
    yield* write(tasks.obey(item, { ...order, order: { _tag } }))
  }
  yield* write(decide(sql, id, { stage: "a", outcome: "approved", reason: Option.none(), by: "lea" }, EpochMillis(0)))
  yield* tasks.overrule("ET-3", { stage: "architecture", by: "lea", reason: "by hand" })
  yield* tasks.list({ limit: 10 })
  yield* tasks.list({ limit: 10, status: "active", cursor: 3 })
  yield* tasks.list({ limit: 10, since: utc(EpochMillis(0)) })
  yield* tasks.tasksOf({ repository: 1, number: 1, keys: [CanonicalKey("ET-3")] })
  yield* tasks.byItemId(ItemId("item-1"))
  yield* write(tasks.touch(id))
  yield* write(tell(sql, id, EpochMillis(0), "a line"))
  const answer = { stage: "review", question: "Why?", agent: null, answer: "so", by: "lea" }
  yield* write(keepAnswer(sql, id, answer, EpochMillis(0)))
  const reader = taskReader(sql, yield* pipelineOf)
  yield* read(reader.active({ after: 0, limit: 2 }))
  const [row] = yield* read(reader.byIds([id]))
  if (row !== undefined) {
    yield* write(launchAgain(sql, row, { entry: "again", attempts: 1 }, EpochMillis(0)))
  }
  yield* tasks.story(id)
  yield* tasks.pause(id, "moved")
  yield* tasks.start({ workItem: "ET-3" })
  yield* tasks.pause(id, "moved")
  yield* tasks.stop(id, "cancelled")
  yield* tasks.start({ workItem: "ET-3" })
  const ends = {
    group: "completed",
    stateId: StateId("done"),
    at: utc(EpochMillis(0)),
    who: Option.none(),
    stateName: Option.none(),
    isNew: false
  }
  yield* tasks.applyMove(id, ends, new Map())
  yield* tasks.start({ workItem: "ET-3" })
  const mark = {
    given: Option.some("gave it the label"),
    updatedAt: PlaneMoment("1970-01-01T00:00:01Z"),
    isEnded: false
  }
  yield* tasks.marked({ workItem: "ET-5", itemId: ItemId("item-5") }, { ...ends, ...mark, at: utc(EpochMillis(1)) })
  yield* TestClock.adjust("1 minute")
  // For launches that fail, and stops that do; and for the deleting of pull requests.
  const launch = { id: "entry", dueAt: EpochMillis(0), taskId: id, stage: "analysis", agent: "claude" }
  const now = EpochMillis(0)
  const pause = Duration.seconds(1)
  yield* write(Launches.claimLaunch(sql, launch, 1, now))
  yield* write(Launches.beginCall(sql, launch, now))
  yield* write(Launches.dropLaunch(sql, launch))
  yield* write(Launches.launched(sql, launch, now))
  yield* write(Launches.notLaunched(sql, launch, { mayBeAtWork: true, pause }, now))
  yield* write(Launches.notLaunched(sql, launch, { mayBeAtWork: false, pause }, now))
  yield* write(Launches.resumeLaunches(sql, id))
  yield* write(Launches.endWork(sql, launch, now))
  yield* write(Launches.endWork(sql, { ...launch, dueAt: EpochMillis(1) }, now))
  yield* write(Launches.notStopped(sql, launch, pause, now))
  yield* read(itemsOfGoingTasks(sql, [ItemId("item-1")]))
  const one = sql.literal("1")
  yield* read(
    sql`SELECT ${concernsNoTask(sql, { repository: one, number: one, keys: sql`SELECT 'ET-1'` })} AS "concernsNone"`
  )
})

// In the order of an index, and cut by LIMIT.
const inOrder =
  /^SCAN (plane_sync_\w+|[a-z]) USING (COVERING )?INDEX plane_sync_(lane_due|delivery_status|event_status)/

describe("the outbox's statements", () => {
  it.scoped("for tasks read by an index, too", () =>
    Effect.gen(function*() {
      const { explaining, plans, scans } = makePlans()
      yield* everyTask.pipe(Effect.provide(running()), explaining)
      assert.isAbove(plans.size, 25)
      assert.deepStrictEqual(yield* unexplained("tasks", plans), [])
      assert.deepStrictEqual(scans(inOrder), [])
    }))

  it.scoped("read by an index, and never a whole table", () =>
    Effect.gen(function*() {
      yield* everything((millis) => TestClock.adjust(millis))
      assert.isAbove(plans.size, 100)
      assert.deepStrictEqual(yield* unexplained("outbox", plans), [])
      assert.deepStrictEqual(scans(inOrder), [])
    }).pipe(Effect.provide(layer), explaining))
})
