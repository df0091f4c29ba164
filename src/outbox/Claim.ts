import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import { later } from "../base/Time.js"
import type { EpochMillis } from "../base/Time.js"
import type { EventSequence } from "../domain/Ids.js"
import { flag } from "../storage/Dialect.js"
import type { Sql } from "../storage/Sql.js"
import { dueAssignees, joinedAssignees } from "./Assignees.js"
import { bury } from "./Bury.js"
import { isDue, overdueCheck, waitingCheck } from "./Checks.js"
import type { ClaimedRow } from "./ClaimedLane.js"
import { claimedColumns, laneOf } from "./ClaimedLane.js"
import { closeState } from "./Debt.js"
import type { Delivery } from "./Delivery.js"
import { deliveryColumns, owedColumns } from "./DeliveryRow.js"
import { readUsed } from "./EventUsage.js"
import { idleDue } from "./Idle.js"
import type { Job, SendJob } from "./Job.js"
import type { Lane } from "./Lane.js"
import { free } from "./LaneUpdate.js"
import { closeLeft } from "./LeftStates.js"
import { dueLink, readShownLinks } from "./Links.js"
import { encodeLiving, leaveUntold } from "./Living.js"
import { nextLane } from "./NextLane.js"
import type { ClaimPolicy, Owed, OwedEvent, Plan, Retried, Step, Told } from "./Plan.js"
import { maxOwedComments } from "./Plan.js"
import type { Tally } from "./Tally.js"
import { withCrash, withLastTry } from "./Tries.js"

interface OwedRow extends OwedEvent {
  readonly urgent: number
  readonly state: string
}

// A transaction stays short: a worker that finds more lanes without a request to send leaves the rest to its next
// claim.
const maxLanes = 64
const maxSteps = 64

/** Claims the next lane (`nextLane`), and commits to its next request, if any lane is due. Runs within a transaction. */
export const claim = (
  sql: Sql,
  tally: Tally,
  holder: string,
  policy: ClaimPolicy,
  now: EpochMillis
): Effect.Effect<Job | undefined, SqlError> =>
  Effect.gen(function*() {
    const next = nextLane(sql, policy, now)
    for (let tries = 0; tries < maxLanes; tries++) {
      const [row] = yield* sql<
        ClaimedRow
      >`UPDATE plane_sync_lane SET holder = ${holder} WHERE id = (${next}) AND holder IS NULL
        RETURNING ${sql.literal(claimedColumns)}`
      if (row === undefined) return undefined
      const job = yield* nextJob(sql, tally, row, policy, now)
      if (job !== undefined) return job
    }
    return undefined
  })

// A bug that one event brings to light must not stop the others, because every later claim would meet it again.
export const planned = (policy: Pick<ClaimPolicy, "plan">, owed: Owed): Step => {
  try {
    return policy.plan(owed)
  } catch (error) {
    const event = owed.state ?? owed.comments[0] ?? owed.retried?.events[0]
    return event === undefined
      ? { _tag: "Wait", dueAt: later(owed.now, "1 minute") }
      : { _tag: "Unfit", event, reason: `a bug in plane-sync: ${String(error)}` }
  }
}

const nextJob = (
  sql: Sql,
  tally: Tally,
  row: ClaimedRow,
  policy: ClaimPolicy,
  now: EpochMillis
): Effect.Effect<Job | undefined, SqlError> =>
  Effect.gen(function*() {
    const lane = laneOf(row)
    const overdue = yield* overdueCheck(sql, lane, now)
    if (overdue !== undefined) return overdue
    const { hasPending, stateEvent } = yield* closeLeft(sql, tally, lane, row.stateEvent, now)
    const pending = hasPending && row.pending === 1 ? yield* sendAgain(sql, lane, now) : undefined
    if (pending !== undefined && lane.itemId !== null) return yield* sending(sql, lane, pending, now)
    if (row.retried === 1) yield* discardEmpty(sql, lane)
    for (let steps = 0; steps < maxSteps; steps++) {
      const owed = yield* readOwed(sql, lane, stateEvent, row.retried === 1, now)
      if (owed === undefined && lane.itemId === null && lane.ofTask) {
        return { _tag: "Look", lane, key: lane.name, since: now, owes: false }
      }
      if (owed === undefined) {
        const waiting = yield* waitingJob(sql, lane, now)
        if (waiting !== undefined) return waiting
        yield* free(sql, tally, lane, now, null)
        yield* correctOwed(sql, lane)
        return undefined
      }
      const step = planned(policy, owed)
      switch (step._tag) {
        case "Look":
          return { _tag: "Look", lane, key: owed.key, since: owed.since, owes: true }
        case "Send":
          return yield* sending(sql, lane, yield* plan(sql, lane, step.plan, now), now)
        case "SendAgain": {
          const { body, delivery, externalId } = step
          yield* sql`UPDATE plane_sync_delivery SET tries = ${withLastTry(sql)}, status = 'pending', attempts = 0,
            reason = '', body = ${body},
            external_id = ${externalId} WHERE id = ${delivery.id}`
          const again = yield* sendAgain(sql, lane, now)
          return again && (yield* sending(sql, lane, again, now))
        }
        case "StateHolds":
          yield* closeState(sql, tally, lane.id, step.event.sequence, "delivered")
          break
        case "Unfit":
          yield* bury(sql, tally, lane, owed, step.event, step.reason, now)
          break
        case "LeaveUntold":
          yield* leaveUntold(sql, tally, lane, step, now)
          break
        case "Wait":
          yield* free(sql, tally, lane, step.dueAt, step.reason ?? null, { patient: true })
          return undefined
      }
    }
    yield* free(sql, tally, lane, now, null)
    return undefined
  })

const sending = (sql: Sql, lane: Lane, delivery: Delivery, now: EpochMillis): Effect.Effect<SendJob, SqlError> =>
  Effect.gen(function*() {
    const { itemId } = lane
    if (itemId === null) return yield* Effect.dieMessage("only a work item can be written to")
    const people = delivery.kind === "state" ? yield* joinedAssignees(sql, lane, now) : []
    return { _tag: "Send", lane, itemId, delivery, people }
  })

/** What is to be done for a lane that was due and owes nothing: assignees first, because somebody waits. */
const waitingJob = (sql: Sql, lane: Lane, now: EpochMillis): Effect.Effect<Job | undefined, SqlError> =>
  Effect.gen(function*() {
    if (!isDue(lane.assignAt, now) && !isDue(lane.linksAt, now)) return yield* waitingCheck(sql, lane)
    const job = isDue(lane.assignAt, now) ? yield* dueAssignees(sql, lane, now) : undefined
    return job === undefined && isDue(lane.linksAt, now) ? yield* dueLink(sql, lane, now) : job
  })

// Nothing is left to read, so the sum is wrong if it says that something is owed. The lane would be claimed again and
// again for it.
const correctOwed = (sql: Sql, { id, name }: Lane) =>
  Effect.flatMap(
    sql`UPDATE plane_sync_lane SET owed = 0, due_at = ${idleDue(sql)} WHERE id = ${id} AND owed <> 0 RETURNING 1`,
    ([wrong]) =>
      wrong === undefined
        ? Effect.void
        : Effect.logError(`A bug in plane-sync, or an older one that wrote to the file: the sum of ${name} was wrong`)
  )

// Counted before it is sent, so that a request which crashes the process counts as well. A missing reason means that
// the last sending was never settled, as after a crash, so Plane may have executed it.
const sendAgain = (sql: Sql, lane: Lane, now: EpochMillis) =>
  Effect.map(
    sql<Delivery>`UPDATE plane_sync_delivery SET attempts = attempts + 1, sent_at = ${now},
      tried = tried + ${flag(sql, sql`reason IS NULL`)}, reason = NULL,
      tries = CASE WHEN reason IS NULL THEN ${withCrash(sql)} ELSE tries END
      WHERE lane = ${lane.id} AND status = 'pending' RETURNING ${sql.literal(deliveryColumns)}`,
    ([row]) => row
  )

const plan = (sql: Sql, lane: Lane, composed: Plan, now: EpochMillis) =>
  Effect.gen(function*() {
    const { body, events, externalId, failureKey, failures, insteadOf, kind, commentId, living } = composed
    const [first] = events
    const settles = living?.settles ?? events
    const last = events.at(-1) ?? first
    const [row] = yield* sql<Delivery>`INSERT INTO plane_sync_delivery (lane, kind, status, first_event, last_event,
        external_id, body, gate, failures, occurred_at, plane_id, attempts, planned_at, sent_at, part, living)
      VALUES (${lane.id}, ${kind}, 'pending', ${first.sequence}, ${last.sequence}, ${externalId}, ${body},
        ${failureKey}, ${failures}, ${first.occurredAt}, ${commentId}, 1, ${now}, ${now},
        ${kind === "state" || living !== undefined ? null : first.part},
        ${living === undefined ? null : encodeLiving(living.record)})
      RETURNING ${sql.literal(deliveryColumns)}`
    const delivery = row && { ...row, events: settles.length }
    if (delivery === undefined) return yield* Effect.dieMessage("an INSERT returns its row")
    if (insteadOf !== undefined) {
      yield* sql`UPDATE plane_sync_delivery SET tries = ${withLastTry(sql)}, status = 'discarded',
        reason = 'retried' WHERE id = ${insteadOf}`
    }
    // Each event by its sequence, not by a range, because events of another spelling of the key can lie in between.
    yield* kind === "state"
      ? sql`UPDATE plane_sync_event SET state_delivery = ${delivery.id} WHERE sequence = ${first.sequence}`
      : sql`UPDATE plane_sync_event SET delivery = ${delivery.id}
        WHERE sequence IN ${sql.numbers(settles.map((event) => event.sequence))}`
    return delivery
  })

const eventColumns = `${owedColumns}, urgent, state`

const hasEvents = (sql: Sql) => sql`EXISTS (SELECT 1 FROM plane_sync_event e WHERE e.delivery = plane_sync_delivery.id)`

// The events of such a letter have another one by now.
const discardEmpty = (sql: Sql, lane: Lane) =>
  sql`UPDATE plane_sync_delivery SET status = 'discarded', reason = 'retried'
    WHERE lane = ${lane.id} AND status = 'retried' AND NOT ${hasEvents(sql)}`

const readRetried = (sql: Sql, lane: Lane): Effect.Effect<Retried | undefined, SqlError> =>
  Effect.gen(function*() {
    const [delivery] = yield* sql<Delivery>`SELECT ${sql.literal(deliveryColumns)} FROM plane_sync_delivery
      WHERE lane = ${lane.id} AND status = 'retried' AND ${hasEvents(sql)} ORDER BY id LIMIT 1`
    if (delivery === undefined) return undefined
    const [first, ...others] = yield* sql<OwedEvent>`SELECT ${sql.literal(eventColumns)} FROM plane_sync_event
      WHERE delivery = ${delivery.id} ORDER BY sequence`
    if (first === undefined) return undefined
    // What its comment told before this count. The count itself is left out: whether Plane has executed it is not
    // known, and does not matter.
    const [told] = delivery.kind === "recount"
      ? yield* sql<{ failures: number }>`SELECT failures FROM plane_sync_delivery
        WHERE lane = ${lane.id} AND status = 'delivered' AND kind <> 'state' AND plane_id = ${delivery.commentId}
        ORDER BY id DESC LIMIT 1`
      : []
    const events = [first, ...others] as const
    return { delivery, events, counted: told?.failures ?? delivery.failures - events.length }
  })

// An event that only has the word in its texts costs a read, and changes nothing.
const mayBeEnd = ({ body }: OwedEvent) => body.includes("task_completed")

/** All that decides what a lane does next. Only reads. */
export const readOwed = (
  sql: Sql,
  lane: Lane,
  stateEvent: EventSequence | null,
  isRetried: boolean,
  now: EpochMillis,
  ofLane = sql`lane = ${lane.id} AND status = 'pending' AND comment = 'pending'`
): Effect.Effect<Owed | undefined, SqlError> =>
  Effect.gen(function*() {
    const columns = sql.literal(eventColumns)
    const comments = yield* sql<OwedRow>`SELECT ${columns} FROM plane_sync_event
      WHERE ${ofLane} ORDER BY sequence LIMIT ${sql.literal(String(maxOwedComments))}`
    const bySequence = (sequence: EventSequence) =>
      Effect.map(
        sql<OwedRow>`SELECT ${columns} FROM plane_sync_event WHERE sequence = ${sequence}`,
        ([event]) => event
      )
    // The state's event is usually one of those whose comments are owed.
    const latest = stateEvent === null
      ? undefined
      : comments.find(({ sequence }) => sequence === stateEvent) ?? (yield* bySequence(stateEvent))
    const state = latest?.state === "pending" ? latest : undefined
    const retried = isRetried ? yield* readRetried(sql, lane) : undefined
    const first = comments[0] ?? state ?? retried?.events[0]
    if (first === undefined) return undefined
    const [told] = comments[0]?.urgent === 1
      ? yield* sql<Omit<Told, "isLast"> & { isLast: number }>`SELECT kind, gate AS "failureKey", failures,
          plane_id AS "commentId", settled_at AS "settledAt",
          CASE WHEN EXISTS (SELECT 1 FROM plane_sync_event e WHERE e.lane = ${lane.id}
            AND e.status IN ('pending', 'delivered', 'dead', 'discarded') AND e.sequence > d.last_event
            AND e.sequence < ${first.sequence}) THEN 0 ELSE 1 END AS "isLast"
        FROM plane_sync_delivery d WHERE lane = ${lane.id} AND status = 'delivered' AND kind <> 'state'
          AND living IS NULL ORDER BY id DESC LIMIT 1`
      : []
    const hasEnd = lane.itemId !== null && (comments.some(mayBeEnd) || retried?.events.some(mayBeEnd) === true)
    return {
      lane,
      key: first.workItem,
      since: first.publishedAt,
      state,
      comments,
      told: told && { ...told, isLast: told.isLast === 1 },
      retried,
      used: hasEnd ? yield* readUsed(sql, lane.id) : [],
      links: lane.living.editedAt === null ? [] : yield* readShownLinks(sql, lane),
      now
    }
  })
