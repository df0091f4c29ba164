import type { SqlError } from "@effect/sql/SqlError"
import type { DateTime } from "effect"
import { Effect, Option, Schema } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { utc } from "../base/Time.js"
import type { CommentId, ItemId, LaneId } from "../domain/Ids.js"
import { EventSequence } from "../domain/Ids.js"
import type { StateId } from "../domain/StageStates.js"
import type { NormalizedKey } from "../domain/WorkItemKey.js"
import type { Sql } from "../storage/Sql.js"
import type { DeliveryKind } from "./DeliveryKind.js"
import { folded } from "./Fold.js"
import type { EventStatus, StoredEvent } from "./StoredEvent.js"
import type { Try } from "./Tries.js"
import { triesOf } from "./Tries.js"

/** A page of events, newest first. `cursor` is the sequence of the last event of the page before. */
export interface EventQuery {
  readonly status?: EventStatus | undefined
  readonly workItem?: NormalizedKey | undefined
  readonly limit: number
  readonly cursor?: number | undefined
}

/** A request that is or was owed to Plane, and what became of it. */
export interface DeliveryRecord {
  readonly id: number
  readonly kind: DeliveryKind
  readonly status: EventStatus | "retried"
  readonly firstEvent: EventSequence
  readonly lastEvent: EventSequence
  readonly externalId: string | null
  readonly body: string
  readonly attempts: number
  readonly plannedAt: EpochMillis
  readonly sentAt: EpochMillis | null
  readonly settledAt: EpochMillis | null
  readonly commentId: CommentId | null
  readonly answer: number | null
  readonly reason: string | null
  /** Its earlier sendings, the oldest first. */
  readonly tries: ReadonlyArray<Try>
  /** The events whose comment it is. None of a state. */
  readonly tells: ReadonlyArray<EventSequence>
}

/** What a work item is owed, what was done and what went wrong. */
export interface WorkItemRow {
  readonly lane: LaneId
  /** Null while the key has not been found. */
  readonly itemId: ItemId | null
  readonly owed: number
  readonly dueAt: EpochMillis | null
  readonly state: StateId | null
  readonly gone: boolean
  /** Why it waits, in words. */
  readonly problem: string | null
  readonly events: ReadonlyArray<StoredEvent>
  readonly deliveries: ReadonlyArray<DeliveryRecord>
  /** The look-ups that did not find it, the oldest first. */
  readonly looks: ReadonlyArray<Try>
}

export interface OutboxStatus {
  readonly pending: number
  readonly dead: number
  readonly delivered: number
  readonly discarded: number
  /** When the oldest event that still owes something was published. */
  readonly oldestAt: Option.Option<DateTime.Utc>
}

const eventColumns = `e.sequence, e.id, e.work_item AS "workItem", e.body, e.occurred_at AS "occurredAt",
  e.published_at AS "publishedAt", e.status, e.comment, e.state,
  CASE e.status WHEN 'dead' THEN
    coalesce((SELECT d.reason FROM plane_sync_delivery d WHERE d.id = e.delivery AND d.status = 'dead'),
      (SELECT d.reason FROM plane_sync_delivery d WHERE d.id = e.state_delivery AND d.status = 'dead'))
  WHEN 'delivered' THEN (SELECT d.reason FROM plane_sync_delivery d WHERE d.id = e.state_delivery AND d.status = 'delivered')
  WHEN 'pending' THEN (SELECT l.problem FROM plane_sync_lane l WHERE l.id = e.lane) END AS reason`

const laneOf = (sql: Sql, key: NormalizedKey) =>
  Effect.map(
    sql<{ id: LaneId }>`SELECT coalesce(target, id) AS id FROM plane_sync_lane WHERE name = ${key}`,
    ([lane]) => lane?.id
  )

const statuses: ReadonlyArray<EventStatus> = ["pending", "delivered", "dead", "discarded"]

export const readEvents = (
  sql: Sql,
  query: EventQuery
): Effect.Effect<ReadonlyArray<StoredEvent>, SqlError> =>
  Effect.gen(function*() {
    const lane = query.workItem === undefined ? undefined : yield* laneOf(sql, query.workItem)
    if (query.workItem !== undefined && lane === undefined) return []
    const before = sql`sequence < ${query.cursor ?? Number.MAX_SAFE_INTEGER}`
    // A lane's events are indexed by their status: the newest of each are the newest of all.
    const ofLane = (status: EventStatus) =>
      sql`SELECT * FROM (SELECT sequence FROM plane_sync_event
        WHERE lane = ${
        lane ?? null
      } AND status = ${status} AND ${before} ORDER BY sequence DESC LIMIT ${query.limit}) newest`
    const condition = lane !== undefined
      ? sql`sequence IN (${
        sql.join(" UNION ALL ", (query.status === undefined ? statuses : [query.status]).map(ofLane))
      })`
      : query.status !== undefined
      ? sql`${before} AND status = ${query.status}`
      : before
    return yield* sql<StoredEvent>`SELECT ${sql.literal(eventColumns)} FROM plane_sync_event e
      WHERE ${condition} ORDER BY sequence DESC LIMIT ${query.limit}`
  })

/** Events after a sequence, oldest first. */
export const readEventsAfter = (sql: Sql, sequence: EventSequence, limit: number) =>
  sql<StoredEvent>`SELECT ${sql.literal(eventColumns)} FROM plane_sync_event e
    WHERE sequence > ${sequence} ORDER BY sequence LIMIT ${limit}`

const unfolded = (sql: Sql) =>
  sql`FROM plane_sync_event e WHERE e.lane = l.id AND e.status = 'pending' AND e.sequence > ${folded(sql)}`

const sequencesOf = Schema.decodeSync(
  Schema.parseJson(Schema.Array(Schema.Number.pipe(Schema.fromBrand(EventSequence))))
)

export const readWorkItem = (
  sql: Sql,
  key: NormalizedKey,
  limit: number
): Effect.Effect<WorkItemRow | undefined, SqlError> =>
  Effect.gen(function*() {
    const id = yield* laneOf(sql, key)
    // Events that are not folded yet are owed as well.
    const [lane] = yield* sql<
      Omit<WorkItemRow, "events" | "deliveries" | "gone" | "looks"> & {
        readonly gone: number
        readonly looks: string | null
      }
    >`
      SELECT id AS lane, looks, work_item AS "itemId", owed + (SELECT count(*) ${unfolded(sql)}) AS owed,
        coalesce(due_at, (SELECT min(published_at) ${unfolded(sql)})) AS "dueAt", state, gone, problem
      FROM plane_sync_lane l WHERE id = ${id ?? null}`
    if (lane === undefined) return undefined
    const events = yield* readEvents(sql, { workItem: key, limit })
    const spellings = yield* sql<{ looks: string }>`SELECT looks FROM plane_sync_lane
      WHERE target = ${lane.lane} AND looks IS NOT NULL`
    const looks = [lane, ...spellings].flatMap(({ looks }) => triesOf(looks))
    const deliveries = yield* sql<
      Omit<DeliveryRecord, "tries" | "tells"> & { readonly tries: string | null; readonly tells: string }
    >`SELECT id, kind, status, first_event AS "firstEvent",
        last_event AS "lastEvent", external_id AS "externalId", body, attempts, planned_at AS "plannedAt",
        sent_at AS "sentAt", settled_at AS "settledAt", plane_id AS "commentId", answer, reason, tries,
        (SELECT ${sql.jsonList(sql`sequence`)} FROM (SELECT sequence FROM plane_sync_event e
          WHERE e.delivery = plane_sync_delivery.id ORDER BY sequence) told) AS tells
      FROM plane_sync_delivery WHERE lane = ${id ?? null} ORDER BY id DESC LIMIT ${limit}`
    return {
      ...lane,
      gone: lane.gone === 1,
      events,
      deliveries: deliveries.map((row) => ({ ...row, tries: triesOf(row.tries), tells: sequencesOf(row.tells) })),
      looks: looks.sort((one, other) => one.at - other.at)
    }
  })

/** How many lanes of a project are due and owe a look-up, counted up to `most`. */
export const readUnfoundKeys = (
  sql: Sql,
  project: string,
  now: EpochMillis,
  most: number
): Effect.Effect<number, SqlError> =>
  Effect.map(
    sql`SELECT 1 FROM plane_sync_lane WHERE project = ${project} AND work_item IS NULL AND due_at <= ${now}
      LIMIT ${most}`,
    (rows) => rows.length
  )

export const readStatus = (sql: Sql): Effect.Effect<OutboxStatus, SqlError> =>
  Effect.gen(function*() {
    const rows = yield* sql<{ status: EventStatus; events: number }>`SELECT status, events FROM plane_sync_count`
    const added = yield* sql<{ status: EventStatus; events: number }>`SELECT status, count(*) AS events
      FROM plane_sync_event WHERE sequence > ${folded(sql)} GROUP BY status || ''`
    const counts = { pending: 0, dead: 0, delivered: 0, discarded: 0 }
    for (const row of [...rows, ...added]) counts[row.status] += row.events
    const [oldest] = yield* sql<{ publishedAt: EpochMillis }>`SELECT published_at AS "publishedAt" FROM plane_sync_event
      WHERE status = 'pending' ORDER BY sequence LIMIT 1`
    return { ...counts, oldestAt: Option.map(Option.fromNullable(oldest), ({ publishedAt }) => utc(publishedAt)) }
  })
