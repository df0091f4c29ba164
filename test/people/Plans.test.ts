import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { firstOwed, noticeFailed, noticesOf, noticeTaken, oweNotice, pruneNotices } from "../../src/people/Notices.js"
import { countDead, discardDead, readDead, retryDead } from "../../src/people/NoticesGivenUp.js"
import {
  closeWait,
  countOpenWaits,
  dueEscalations,
  endEscalation,
  escalateWait,
  openWait,
  openWaits,
  openWaitsMark,
  openWaitsOf,
  pruneWaits,
  reachedNow,
  renameEntry,
  renameRetried,
  waitingTasks,
  waitOf,
  waitsOfEntries,
  waitsOfEntry
} from "../../src/people/Waits.js"
import { Storage } from "../../src/storage/Storage.js"
import { TaskId } from "../../src/tasks/Task.js"
import { makePlans } from "../support/QueryPlans.js"
import { unexplained } from "../support/Statements.js"
import { stepByStep } from "../support/StepByStep.js"

const { explaining, plans, scans } = makePlans()

const now = EpochMillis(1_000)
const taskId = TaskId(1)
const key = { taskId, entry: "one", reason: "asked", same: "this" } as const

/** Whatever is asked of waits and notices, once. */
const everything = Effect.gen(function*() {
  const { read, sql, write } = yield* Storage
  const given = {
    ...key,
    workItem: "ET-2",
    stage: "review",
    question: "Why?",
    agent: null,
    told: null,
    first: "lea",
    escalateAt: now
  }
  const wait = Option.getOrThrow(Option.fromNullable(yield* write(openWait(sql, given, now))))
  assert.isUndefined(yield* write(openWait(sql, given, now)))
  yield* write(oweNotice(sql, "opened", wait, now))
  assert.lengthOf(yield* read(dueEscalations(sql, { after: 0, now, furthest: now, limit: 10 })), 1)
  yield* write(escalateWait(sql, wait, "jo", now))
  yield* write(endEscalation(sql, { ...wait, step: 2 }))
  yield* write(renameEntry(sql, taskId, { from: "one", to: "two" }))
  yield* write(renameRetried(sql, taskId, { from: "one", to: "two" }))
  assert.isUndefined(yield* read(waitOf(sql, key)))
  assert.lengthOf(yield* read(waitsOfEntry(sql, taskId, "two")), 1)
  yield* read(reachedNow(sql, taskId))
  assert.lengthOf(yield* read(waitsOfEntries(sql, [{ taskId, entry: "two" }])), 1)
  assert.lengthOf(yield* read(openWaits(sql, { after: 0, limit: 10 })), 1)
  assert.lengthOf(yield* read(openWaitsOf(sql, [taskId])), 1)
  assert.deepStrictEqual(yield* read(openWaitsMark(sql)), { waits: 1, newest: wait.id })
  assert.deepStrictEqual(yield* read(countOpenWaits(sql)), [{ reason: "asked", waits: 1, firstAt: now }])
  yield* read(sql`SELECT 1 FROM plane_sync_wait WHERE id = 1 AND task IN ${waitingTasks(sql)}`)
  yield* write(closeWait(sql, wait.id, { state: "answered", why: "so", by: "lea" }, now))
  const notice = yield* read(firstOwed(sql))
  yield* write(noticeFailed(sql, notice?.id ?? 0, { reason: "no", dueAt: now }, now))
  const id = notice?.id ?? 0
  yield* write(noticeFailed(sql, id, { reason: "no", dueAt: undefined }, now))
  assert.lengthOf(yield* read(readDead(sql, { limit: 10 })), 1)
  assert.strictEqual(yield* read(countDead(sql)), 1)
  // Nobody is needed any more.
  assert.lengthOf(yield* write(retryDead(sql, { after: 0, upTo: id })), 0)
  assert.lengthOf(yield* write(discardDead(sql, { after: 0, upTo: id })), 1)
  yield* write(noticeTaken(sql, id, now))
  assert.lengthOf(yield* read(noticesOf(sql, [wait.id])), 1)
  assert.isFalse(yield* write(pruneNotices(sql, EpochMillis(2_000))))
  assert.isFalse(yield* write(pruneWaits(sql, EpochMillis(2_000))))
  assert.lengthOf(yield* read(waitsOfEntry(sql, taskId, "two")), 0)
})

describe("the statements of people", () => {
  it.scoped("read by an index, and never a whole table", () =>
    Effect.gen(function*() {
      yield* everything
      const missing = yield* unexplained("people", plans)
      // Those are explained where commands are given: Commanding.test.ts.
      assert.deepStrictEqual(missing.filter((at) => !at.startsWith("people/Commanding.ts")), [])
      assert.deepStrictEqual(
        scans(/^SCAN plane_sync_(wait|notice) USING (COVERING )?INDEX plane_sync_(wait_open|notice_status)/),
        []
      )
    }).pipe(Effect.provide(stepByStep), explaining))
})
