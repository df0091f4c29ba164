import { assert } from "@effect/vitest"
import { Effect, Either } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { defaultTexts } from "../../src/domain/CommentTexts.js"
import { EventSequence, ItemId, LaneId } from "../../src/domain/Ids.js"
import { PlaneMoment } from "../../src/domain/PlaneMoment.js"
import { StateId } from "../../src/domain/StageStates.js"
import { CanonicalKey, NormalizedKey, WorkItemKey } from "../../src/domain/WorkItemKey.js"
import { isKnownEnded, readBelieved } from "../../src/outbox/Believed.js"
import type { Covers } from "../../src/outbox/Covers.js"
import { coverTogether } from "../../src/outbox/Covers.js"
import { readDeadGroups } from "../../src/outbox/DeadGroups.js"
import { deadOfItems } from "../../src/outbox/DeadOfItems.js"
import { itemsAtStage, oweState } from "../../src/outbox/Differences.js"
import { usageOfItem } from "../../src/outbox/EventUsage.js"
import {
  itemOfKey,
  keysOfItem,
  keysOfItems,
  problemOfKey,
  readItemOfKey,
  readProject
} from "../../src/outbox/ItemKeys.js"
import { noteGone } from "../../src/outbox/LaneDeath.js"
import { ifLeader } from "../../src/outbox/Leader.js"
import { followTask, leaveStates } from "../../src/outbox/LeftStates.js"
import { observe } from "../../src/outbox/Observation.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { preview } from "../../src/outbox/Preview.js"
import { answerProbe, askForProbe, openProbeRequest, probeSeen } from "../../src/outbox/ProbeRequests.js"
import { readReplicas, showReplica } from "../../src/outbox/Replicas.js"
import { readHoldings } from "../../src/outbox/Spread.js"
import { readStateChanges } from "../../src/outbox/StateChanges.js"
import type { NewEvent } from "../../src/outbox/StoredEvent.js"
import { makeTally } from "../../src/outbox/Tally.js"
import { everythingElse, keepTurnsAway } from "../../src/outbox/Turns.js"
import { giveLinks, takeLink } from "../../src/outbox/WantedLinks.js"
import { readWorkItemLinks } from "../../src/outbox/WorkItemLinks.js"
import { nextStep } from "../../src/sending/NextStep.js"
import { Storage } from "../../src/StorageLayers.js"
import type { MovableClock } from "../support/MovableClock.js"
import { everyOutcome } from "./EveryOutcome.js"

const event = (n: number, type: string, workItem: string): NewEvent => ({
  id: `event-${n}`,
  workItem,
  lane: NormalizedKey(workItem),
  body: `{"type":"${type}","workItem":"${workItem}"}`,
  stage: type === "task_completed" ? "done" : undefined,
  urgent: n % 2 === 0,
  occurredAt: EpochMillis(n),
  publishedAt: EpochMillis(n),
  project: "ET",
  unfit: n === 7 ? "unfit" : undefined,
  usage: n % 4 === 0 ? { model: "sonnet", costUsd: 1 } : undefined
})

const planning = {
  comments: "joined",
  setting: "the table",
  texts: defaultTexts,
  pipeline: [],
  linkAddress: Either.right
} as const

/** Whatever the outbox can be asked, once. */
export const everything = Effect.fnUntraced(function*(shift: MovableClock["shift"]) {
  const outbox = yield* Outbox
  for (let n = 0; n < 12; n++) {
    yield* outbox.publish(event(n, n % 2 === 0 ? "task_completed" : "other", `ET-${n % 3}`))
  }
  yield* outbox.publish(event(0, "task_completed", "ET-0"))
  yield* Effect.scoped(outbox.becomeLeader({ holder: "before" }))
  yield* outbox.becomeLeader({ holder: "me" })
  // A heartbeat.
  yield* shift(31_000)
  yield* everyOutcome(shift)
  // As if the clock had been set back since: it is due too far ahead.
  yield* outbox.publish({ ...event(12, "task_completed", "ET-9"), publishedAt: EpochMillis(1e12) })
  yield* outbox.fold({ holder: "me" })
  // A later stage of the same work item takes the place of the one that is owed.
  yield* outbox.publish(event(13, "task_completed", "ET-9"))
  yield* outbox.fold({ holder: "me" })
  yield* outbox.nextDue(["ET", ""], "1 second")
  yield* outbox.unfoundKeys("ET", 3)
  yield* outbox.newFirstWord(["ET"])
  yield* outbox.keepPlace("OLD", { id: "there", listed: undefined })
  yield* outbox.keepPlace("ET", { id: "there", listed: undefined })
  yield* outbox.keepPlace("ET", { id: "elsewhere", listed: undefined })
  yield* outbox.places
  yield* outbox.sortLanes(["ET"])
  yield* outbox.left([])
  for (const status of [undefined, "pending", "dead"] as const) {
    for (const workItem of [undefined, NormalizedKey("ET-1")]) {
      yield* outbox.events({ status, workItem, limit: 10, cursor: 100 })
    }
  }
  yield* outbox.eventsAfter(EventSequence(0), 10)
  yield* outbox.workItem(NormalizedKey("ET-1"), 10)
  yield* outbox.leftAlone(LaneId(1))
  yield* outbox.status
  const letters = yield* outbox.deadLetters({ limit: 10 })
  yield* outbox.deadLetters({ limit: 10, code: "gone" })
  yield* outbox.deadLetter(letters[0]?.id ?? 0)
  yield* outbox.retry({ id: letters[0]?.id ?? 0 })
  yield* outbox.retry({ code: "refused" })
  yield* outbox.discard({ code: "gone" })
  yield* outbox.discard({ code: "unfit" })
  const observation = {
    itemId: ItemId("item-1"),
    key: CanonicalKey("ET-9"),
    state: StateId("b"),
    cancelled: false,
    completed: false,
    receivedAt: EpochMillis(0),
    updatedAt: PlaneMoment("2026-11-24T00:00:00.000000Z"),
    isAside: false
  }
  const { read, sql, write } = yield* Storage
  yield* write(observe(sql, observation))
  yield* read(
    sql`SELECT ${itemOfKey(sql, NormalizedKey("ET-1"))} AS item, (SELECT max(key) FROM ${
      keysOfItem(sql, ItemId("item-1"))
    } spellings) AS key`
  )
  yield* read(sql`SELECT max(key) AS key FROM ${keysOfItems(sql, [ItemId("item-1")])} spellings`)
  yield* read(
    sql`SELECT ${usageOfItem(sql, sql.literal("l.work_item"), sql.literal("l.name"))} AS used FROM plane_sync_lane l
      WHERE l.name = 'ET-1'`
  )
  yield* read(readDeadGroups(sql))
  yield* read(deadOfItems(sql, [ItemId("item-1"), NormalizedKey("ET-1")]))
  yield* leftState
  yield* read(readItemOfKey(sql, NormalizedKey("ET-1")))
  const key = yield* Effect.orDieWith(WorkItemKey.parse("ET-1"), (why) => new Error(why))
  yield* read(readProject(sql, { itemId: ItemId("item-1"), key }))
  yield* read(readBelieved(sql, [ItemId("item-1")]))
  yield* read(isKnownEnded(sql, ItemId("item-1"), PlaneMoment("2026-10-05T08:00:00Z")))
  yield* read(readStateChanges(sql, EpochMillis(0)))
  for (const { lane } of yield* itemsAtStage({ read, sql }, "ET")) {
    yield* write(oweState(sql, { lane }, StateId("b"), EpochMillis(0)))
  }
  const stages = new Map([["done", { id: StateId("c") }]])
  const plan = nextStep({ ...planning, stages, states: () => new Map([["done", StateId("c")]]) })
  for (const lane of [null, ...Array.from({ length: 8 }, (_, n) => LaneId(n + 1))]) {
    yield* read(preview(sql, { lane, name: NormalizedKey("ET-1") }, { plan }, EpochMillis(0)))
  }
  // Over a file nobody is shown.
  const shared = new Proxy(sql, { get: (sql, name): unknown => name === "isShared" || Reflect.get(sql, name) })
  yield* Effect.scoped(Effect.zipRight(showReplica({ sql: shared, write }, "me"), Effect.yieldNow()))
  yield* readReplicas({ read, sql })
  yield* readHoldings({ read, sql })
  const ofProjects = (covers: Covers) =>
    read(sql`SELECT 1 FROM plane_sync_project WHERE ${covers(sql`plane_sync_project.identifier`)}`)
  yield* ofProjects(coverTogether(sql, [{ holder: "me", projects: ["ET"] }, { holder: "you", projects: ["OPS"] }]))
  yield* ofProjects(coverTogether(sql, []))
  yield* write(Effect.gen(function*() {
    yield* keepTurnsAway(shared)
    yield* ifLeader(shared, { holder: "me", projects: [everythingElse] }, EpochMillis(0), sql`1`)
    for (const [from, to] of [[undefined, "pending"], ["pending", undefined]] as const) {
      const tally = makeTally(sql, "OPS")
      tally.moved(null, from, to)
      yield* tally.write
    }
  }))
  yield* outbox.forgetGone
  assert.isTrue(yield* outbox.isLeader("me"))
  assert.strictEqual((yield* outbox.leaderOf("ET"))?.holder, "me")
  const asked = yield* askForProbe(yield* Storage)
  yield* openProbeRequest(yield* Storage, "me")
  yield* answerProbe(yield* Storage, "me", { asked: asked ?? 0, open: true, reason: null })
  assert.deepInclude(yield* probeSeen(yield* Storage, EpochMillis(0)), { open: true })
  yield* outbox.prune(EpochMillis(0))
})

/** A person ends the task of a work item while one of its states is being sent. */
const leftState = Effect.gen(function*() {
  const outbox = yield* Outbox
  const { read, sql, write } = yield* Storage
  const item = { key: NormalizedKey("ET-77"), itemId: ItemId("item-77"), project: "ET" }
  yield* write(followTask(sql, item, EpochMillis(0)))
  yield* write(noteGone(sql, ItemId("another")))
  // Links of a key, and of the work item that it is found to be.
  const log = { kind: "log", title: "Log", url: "https://example.com/log" }
  const key = { key: NormalizedKey("ET-78"), itemId: undefined, project: "ET" }
  yield* write(giveLinks(sql, item, [log]))
  yield* write(giveLinks(sql, key, [log]))
  yield* read(readWorkItemLinks(sql, item))
  yield* write(takeLink(sql, key, "log"))
  yield* read(sql`SELECT ${problemOfKey(sql, item.key)} AS problem`)
  yield* write(observe(sql, {
    itemId: item.itemId,
    key: CanonicalKey("ET-77"),
    state: StateId("b"),
    cancelled: false,
    completed: true,
    receivedAt: EpochMillis(0),
    updatedAt: PlaneMoment("2026-11-24T00:00:00.000000Z"),
    isAside: false
  }))
  yield* outbox.publish(event(77, "task_completed", "ET-77"))
  const states = new Map([["done", StateId("c")]])
  const stages = new Map([["done", { id: StateId("c") }]])
  const claim = { projects: ["ET", ""], urgentAfter: 1, plan: nextStep({ ...planning, stages, states: () => states }) }
  yield* outbox.turn({ holder: "me", claim: { ...claim, firstWord: EventSequence(1_000) } })
  for (let turns = 0; turns < 40; turns++) {
    const job = yield* outbox.turn({ holder: "me", claim })
    if (job?._tag !== "Send" || job.itemId !== item.itemId || job.delivery.kind !== "state") continue
    const later = { _tag: "Later", dueAt: EpochMillis(0), counted: true, maybeDone: true, reason: "no answer" } as const
    yield* outbox.turn({ holder: "me", settlement: { _tag: "Sent", job, outcome: later } })
    yield* write(leaveStates(sql, item))
    const [row] = yield* sql<{ asked: string | null }>`SELECT asked FROM plane_sync_lane WHERE name = ${item.itemId}`
    assert.isNull(row?.asked)
    const next = yield* outbox.turn({ holder: "me", claim })
    return assert.deepInclude(next, { _tag: "Send", itemId: item.itemId })
  }
  return assert.fail("the state was never sent")
})
