import type { SqlError } from "@effect/sql/SqlError"
import type { DateTime } from "effect"
import { Effect, Option, Schema } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { utc } from "../base/Time.js"
import type { CommentId, ItemId, LaneId } from "../domain/Ids.js"
import { EventSequence } from "../domain/Ids.js"
import type { StateId } from "../domain/StageStates.js"
import type { NormalizedKey } from "../domain/WorkItemKey.js"
import { flag } from "../storage/Dialect.js"
import type { Fragment, Sql } from "../storage/Sql.js"
import type { DeliveryKind } from "./DeliveryKind.js"
import { namesOf } from "./Fold.js"
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
  /** How long Plane took for its last sending, in milliseconds; null if nobody has measured it. */
  readonly took: number | null
  readonly reason: string | null
  /** Its earlier sendings, the oldest first. */
  readonly tries: ReadonlyArray<Try>
  /** The events whose comment it is. None of a state. */
  readonly tells: ReadonlyArray<EventSequence>
  /** It is about the living comment. */
  readonly isLiving: boolean
}

/** What a work item is owed, what was done and what went wrong. */
export interface WorkItemRow {
  /** Null while all its events are new, and not folded into a lane yet. */
  readonly lane: LaneId | null
  /** Its lane's name: the key, while only that is known, or the item id. */
  readonly name: NormalizedKey | ItemId
  /** The identifier of its project; empty if its key begins with none that was set. */
  readonly project: string
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
  WHEN 'pending' THEN (SELECT l.problem FROM plane_sync_lane l WHERE l.id = coalesce(e.lane,
    (SELECT coalesce(named.target, named.id) FROM plane_sync_lane named WHERE named.name = e.lane_name))) END AS reason`

const laneOf = (sql: Sql, key: NormalizedKey) =>
  Effect.map(
    sql<{ id: LaneId }>`SELECT coalesce(target, id) AS id FROM plane_sync_lane WHERE name = ${key}`,
    ([lane]) => lane?.id
  )

/** How the new events of a work item may name it: by its key, and by all the names of its lane. */
const newNames = (sql: Sql, key: NormalizedKey, lane: LaneId | undefined) =>
  lane === undefined ? sql.texts([key]) : namesOf(sql, lane)

const statuses: ReadonlyArray<EventStatus> = ["pending", "delivered", "dead", "discarded"]

export const readEvents = (
  sql: Sql,
  query: EventQuery
): Effect.Effect<ReadonlyArray<StoredEvent>, SqlError> =>
  Effect.gen(function*() {
    const { workItem } = query
    const lane = workItem === undefined ? undefined : yield* laneOf(sql, workItem)
    const before = sql`sequence < ${query.cursor ?? Number.MAX_SAFE_INTEGER}`
    // A lane's events are indexed by their status: the newest of each are the newest of all.
    const newest = (condition: Fragment) =>
      sql`SELECT * FROM (SELECT sequence FROM plane_sync_event WHERE ${condition} AND ${before}
        ORDER BY sequence DESC LIMIT ${query.limit}) newest`
    const wanted = query.status === undefined ? statuses : [query.status]
    const isWanted = query.status === undefined ? sql`true` : sql`status = ${query.status}`
    const condition = workItem !== undefined
      ? sql`sequence IN (${
        sql.join(" UNION ALL ", [
          ...wanted.map((status) => newest(sql`lane = ${lane ?? null} AND status = ${status}`)),
          newest(sql`folded = 0 AND lane_name IN ${newNames(sql, workItem, lane)} AND ${isWanted}`)
        ])
      })`
      : query.status !== undefined
      ? sql`${before} AND status = ${query.status}`
      : before
    return yield* sql<StoredEvent>`SELECT ${sql.literal(eventColumns)} FROM plane_sync_event e
      WHERE ${condition} ORDER BY sequence DESC LIMIT ${query.limit}`
  })

/**
 * Up to which sequence every event is there that will ever be. To be read before the events themselves, and not at the
 * same moment: see `settledNumber`.
 */
export const readSettled = (sql: Sql): Effect.Effect<EventSequence, SqlError> =>
  Effect.map(
    sql<{ upTo: EventSequence }>`${sql.settledNumber("plane_sync_event", "sequence")}`,
    ([row]) => row?.upTo ?? EventSequence(0)
  )

/** Events after a sequence, oldest first, as far as they are settled. */
export const readEventsAfter = (sql: Sql, sequence: EventSequence, upTo: EventSequence, limit: number) =>
  sql<StoredEvent>`SELECT ${sql.literal(eventColumns)} FROM plane_sync_event e
    WHERE sequence > ${sequence} AND sequence <= ${upTo} ORDER BY sequence LIMIT ${limit}`

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
    // New events are owed as well.
    const [added] = yield* sql<
      { readonly events: number; readonly project: string | null; readonly dueAt: EpochMillis | null }
    >`SELECT count(*) AS events, max(project) AS project, min(published_at) AS "dueAt" FROM plane_sync_event
      WHERE folded = 0 AND lane_name IN ${newNames(sql, key, id)} AND status = 'pending'`
    const [known] = yield* sql<
      Omit<WorkItemRow, "events" | "deliveries" | "gone" | "looks"> & {
        readonly gone: number
        readonly looks: string | null
      }
    >`
      SELECT id AS lane, name, project, looks, work_item AS "itemId", owed, due_at AS "dueAt", state, gone, problem
      FROM plane_sync_lane WHERE id = ${id ?? null}`
    if (added === undefined || (known === undefined && added.events === 0)) return undefined
    const lane = known === undefined
      ? {
        lane: null,
        name: key,
        project: added.project ?? "",
        looks: null,
        itemId: null,
        owed: added.events,
        dueAt: added.dueAt,
        state: null,
        gone: 0,
        problem: null
      }
      : { ...known, owed: known.owed + added.events, dueAt: known.dueAt ?? added.dueAt }
    const events = yield* readEvents(sql, { workItem: key, limit })
    const spellings = yield* sql<{ looks: string }>`SELECT looks FROM plane_sync_lane
      WHERE target = ${lane.lane} AND looks IS NOT NULL`
    const looks = [lane, ...spellings].flatMap(({ looks }) => triesOf(looks))
    const deliveries = yield* sql<
      Omit<DeliveryRecord, "tries" | "tells" | "isLiving"> & {
        readonly tries: string | null
        readonly tells: string
        readonly isLiving: number
      }
    >`SELECT id, kind, status, first_event AS "firstEvent",
        last_event AS "lastEvent", external_id AS "externalId", body, attempts, planned_at AS "plannedAt",
        sent_at AS "sentAt", settled_at AS "settledAt", plane_id AS "commentId", answer, took, reason,
        tries,
        ${flag(sql, sql`living IS NOT NULL`)} AS "isLiving",
        (SELECT ${sql.jsonList(sql`sequence`)} FROM (SELECT sequence FROM plane_sync_event e
          WHERE e.delivery = plane_sync_delivery.id ORDER BY sequence) told) AS tells
      FROM plane_sync_delivery WHERE lane = ${id ?? null} ORDER BY id DESC LIMIT ${limit}`
    return {
      ...lane,
      gone: lane.gone === 1,
      events,
      deliveries: deliveries.map((row) => ({
        ...row,
        tries: triesOf(row.tries),
        tells: sequencesOf(row.tells),
        isLiving: row.isLiving === 1
      })),
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
    const rows = yield* sql<{ status: EventStatus; events: number }>`SELECT status, events FROM plane_sync_count
      UNION ALL SELECT status, events FROM plane_sync_count_of`
    const added = yield* sql<{ status: EventStatus; events: number }>`SELECT status, count(*) AS events
      FROM (SELECT status || '' AS status FROM plane_sync_event WHERE folded = 0) added GROUP BY status`
    const counts = { pending: 0, dead: 0, delivered: 0, discarded: 0 }
    for (const row of [...rows, ...added]) counts[row.status] += row.events
    const [oldest] = yield* sql<{ publishedAt: EpochMillis }>`SELECT published_at AS "publishedAt" FROM plane_sync_event
      WHERE status = 'pending' ORDER BY sequence LIMIT 1`
    return { ...counts, oldestAt: Option.map(Option.fromNullable(oldest), ({ publishedAt }) => utc(publishedAt)) }
  })
