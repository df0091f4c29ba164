import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { EventSequence, ItemId } from "../domain/Ids.js"
import type { Sql } from "../storage/Sql.js"
import { closeState, superseded } from "./Debt.js"
import type { Lane } from "./Lane.js"
import { forget, free } from "./LaneUpdate.js"
import type { LaneDead, Settlement } from "./Outcome.js"
import type { EventStatus } from "./StoredEvent.js"
import type { Tally } from "./Tally.js"

// Ids begin with 1.
const noDelivery = 0

const letterColumns = (sql: Sql) =>
  sql`(lane, kind, status, first_event, last_event, body, occurred_at, planned_at, settled_at, attempts, answer, code,
    reason)`

const why = (sql: Sql, { answer, attempts, code, reason }: LaneDead, now: EpochMillis) =>
  sql`${now}, ${now}, ${attempts ?? 0}, ${answer ?? null}, ${code}, ${reason}`

/**
 * Makes dead letters of the oldest owed comments, at most `limit`, except those that `delivery` tells, and returns how
 * many.
 */
const commentsDead = (
  sql: Sql,
  tally: Tally,
  lane: Lane,
  dead: LaneDead,
  now: EpochMillis,
  { delivery, limit }: { readonly delivery: number | null; readonly limit?: number }
) =>
  Effect.gen(function*() {
    const letters = yield* sql<{ id: number; sequence: EventSequence }>`INSERT INTO plane_sync_delivery ${
      letterColumns(sql)
    }
      SELECT lane, 'comment', 'dead', sequence, sequence, '', occurred_at, ${why(sql, dead, now)}
      FROM plane_sync_event WHERE lane = ${lane.id} AND status = 'pending' AND comment = 'pending'
        AND delivery IS DISTINCT FROM ${delivery ?? noDelivery} ORDER BY sequence ${
      sql.literal(limit === undefined ? "" : `LIMIT ${limit}`)
    }
      RETURNING id, first_event AS sequence`
    const rows = yield* sql<{ status: EventStatus }>`UPDATE plane_sync_event
      SET comment = 'dead', state = ${superseded(sql, lane.id)}, delivery = CAST(value ->> 0 AS bigint)
      FROM ${sql.each(letters.map(({ id, sequence }) => [id, sequence]))}
      WHERE sequence = CAST(value ->> 1 AS bigint) RETURNING status`
    tally.settled(lane.id, rows)
    return letters.length
  })

/**
 * Makes a batch of the dead letters that `settle` would write, while the lane is still held, and returns how many. It
 * is repeated before `settle` until a batch is smaller than `limit`, so that no transaction grows with what a lane
 * owes. Runs within a transaction.
 */
export const buryAhead = (
  sql: Sql,
  tally: Tally,
  settlement: Settlement,
  now: EpochMillis,
  limit: number
): Effect.Effect<number, SqlError> => {
  const { job, outcome } = settlement
  if (outcome._tag !== "LaneDead") return Effect.succeed(0)
  const delivery = job._tag === "Send" ? job.delivery.id : null
  return commentsDead(sql, tally, job.lane, outcome, now, { delivery, limit })
}

/** Makes dead letters of all that a lane owes: one for each comment, and one for the latest state. */
export const laneDead = (sql: Sql, tally: Tally, lane: Lane, dead: LaneDead, now: EpochMillis) =>
  Effect.gen(function*() {
    const { answer, code, gone, reason } = dead
    yield* commentsDead(sql, tally, lane, dead, now, { delivery: null })
    const retried = yield* sql<{ status: EventStatus }>`UPDATE plane_sync_event
      SET comment = 'dead', state = ${superseded(sql, lane.id)}
      WHERE lane = ${lane.id} AND status = 'pending' AND comment = 'retried' RETURNING status`
    tally.settled(lane.id, retried)
    yield* sql`UPDATE plane_sync_delivery SET status = 'dead', settled_at = ${now}, answer = ${answer ?? null},
      code = ${code}, reason = ${reason} WHERE lane = ${lane.id} AND status = 'retried'`
    const [latest] = yield* sql<{ id: number; sequence: EventSequence }>`INSERT INTO plane_sync_delivery ${
      letterColumns(sql)
    }
      SELECT lane, 'state', 'dead', sequence, sequence, '', occurred_at, ${why(sql, dead, now)}
      FROM plane_sync_event WHERE state = 'pending'
        AND sequence = (SELECT state_event FROM plane_sync_lane WHERE id = ${lane.id})
      RETURNING id, last_event AS sequence`
    if (latest !== undefined) {
      yield* sql`UPDATE plane_sync_event SET state_delivery = ${latest.id} WHERE sequence = ${latest.sequence}`
      yield* closeState(sql, tally, lane.id, latest.sequence, "dead")
    }
    yield* sql`UPDATE plane_sync_lane SET gone = ${gone ? 1 : 0}, attempts = 0, misses = 0
      WHERE id = ${lane.id}`
    yield* forget(sql, lane)
    yield* free(sql, tally, lane, now, reason)
  })

/**
 * A look that was due anyway has found that a work item is gone. What is owed to it is not sent before it is looked at
 * again, because Plane takes a comment for a deleted work item as if it were there.
 */
export const noteGone = (sql: Sql, itemId: ItemId) =>
  sql`UPDATE plane_sync_lane SET gone = 1 WHERE name = ${itemId} AND gone = 0`
