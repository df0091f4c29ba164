import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { CommentId, EventSequence, LaneId } from "../domain/Ids.js"
import type { Sql } from "../storage/Sql.js"
import type { DeadCode } from "./DeadCode.js"
import type { Delivery, Ended } from "./Delivery.js"
import type { EventStatus } from "./StoredEvent.js"
import type { Tally } from "./Tally.js"

/** How an event's comment, or its state, came to be no longer owed. */
export type Closed = "delivered" | "superseded" | "dead"

/** What becomes of an event's state when its comment is settled: superseded, unless it is the latest. */
export const superseded = (sql: Sql, lane: LaneId) =>
  sql`CASE WHEN state = 'pending'
    AND sequence IS DISTINCT FROM (SELECT state_event FROM plane_sync_lane WHERE id = ${lane})
    THEN 'superseded' ELSE state END`

/** Closes the state of an event, unless a later stage that was published meanwhile has superseded it already. */
export const closeStateOfEvent = (sql: Sql, tally: Tally, lane: LaneId, sequence: EventSequence, as: Closed) =>
  Effect.map(
    sql<{ status: EventStatus }>`UPDATE plane_sync_event SET state = ${as}
      WHERE sequence = ${sequence} AND state = 'pending' RETURNING status`,
    (rows) => tally.settled(lane, rows)
  )

/** Closes the state of an event: it is no longer owed. */
export const closeState = (sql: Sql, tally: Tally, lane: LaneId, sequence: EventSequence, as: Closed) =>
  Effect.zipRight(
    closeStateOfEvent(sql, tally, lane, sequence, as),
    sql`UPDATE plane_sync_lane SET state_event = NULL WHERE id = ${lane} AND state_event = ${sequence}`
  )

/** Closes what a delivery settles: the comments of the events that it tells, or the state that it sets. */
export const closeDebts = (
  sql: Sql,
  tally: Tally,
  { id, kind, lane, lastEvent }: Delivery,
  as: Closed,
  now: EpochMillis
) =>
  kind === "state"
    ? Effect.asVoid(closeState(sql, tally, lane, lastEvent, as))
    : Effect.map(
      sql<{ status: EventStatus; publishedAt: EpochMillis }>`UPDATE plane_sync_event
        SET comment = ${as}, state = ${superseded(sql, lane)}
        WHERE delivery = ${id} AND comment IN ('pending', 'retried') RETURNING status, published_at AS "publishedAt"`,
      (rows) => {
        tally.settled(lane, rows)
        if (as === "delivered") tally.told(rows, now)
      }
    )

/** Writes down how a delivery ended. */
export const closeDelivery = (
  sql: Sql,
  delivery: Ended,
  status: "delivered" | "dead" | "discarded",
  now: EpochMillis,
  told: {
    readonly commentId?: CommentId | null
    readonly code?: DeadCode
    readonly reason?: string
    readonly answer?: number | undefined
    /** Nothing was sent this time. */
    readonly unsent?: true
  }
) =>
  sql`UPDATE plane_sync_delivery SET status = ${status}, settled_at = ${now}, reason = ${told.reason ?? null},
    sent_at = ${told.unsent === true ? null : sql`sent_at`},
    took = ${told.unsent === true ? null : delivery.took ?? null}, answer = ${told.answer ?? null}, code = ${
    told.code ?? null
  },
    plane_id = coalesce(${told.commentId ?? null}, plane_id) WHERE id = ${delivery.id}`
