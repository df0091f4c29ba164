import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { later } from "../base/Time.js"
import type { EventSequence } from "../domain/Ids.js"
import { StateId } from "../domain/StageStates.js"
import { flag } from "../storage/Dialect.js"
import type { Sql } from "../storage/Sql.js"
import type { Delivery } from "./Delivery.js"
import type { CheckJob, Job, PerhapsTwice } from "./Job.js"
import type { Lane } from "./Lane.js"
import { free } from "./LaneUpdate.js"
import type { CheckOutcome, LookAgain, TwinsOutcome } from "./Outcome.js"
import type { EventStatus } from "./StoredEvent.js"
import type { Tally } from "./Tally.js"

const words = {
  lost: "another change of the work item has undone the state, so it is set again",
  undone: "it has undone a person's move, and that move is set again",
  lostAgain: "set again, because another change of the work item had undone it",
  undoneAgain: "a person's move that a state had undone was set again"
}

/** What is told of a state that was set again, with its delivery. */
export const mendedWords = ({ placed, placedFor, restore }: Lane, { body, lastEvent }: Delivery) =>
  restore === body
    ? { reason: words.undoneAgain }
    : placedFor === lastEvent && placed === body
    ? { reason: words.lostAgain }
    : {}

/** How many comments one look compares. */
const maxTwins = 20

const doubtOf = (lane: Lane): CheckJob | undefined => {
  const { doubt, doubted, itemId } = lane
  return doubt === null || doubted === null || lane.checkAt === null || itemId === null
    ? undefined
    : { _tag: "Check", lane, itemId, doubt, doubted }
}

const twinsOf = (sql: Sql, lane: Lane): Effect.Effect<Job | undefined, SqlError> =>
  Effect.gen(function*() {
    const { itemId } = lane
    if (lane.twinsAt === null || itemId === null) return undefined
    const comments = yield* sql<PerhapsTwice>`SELECT id AS delivery, plane_id AS "commentId",
        external_id AS "externalId", made_by AS "madeBy",
        ${flag(sql, sql`living IS NOT NULL`)} AS "isLiving"
      FROM plane_sync_delivery WHERE lane = ${lane.id} AND twins = 1 AND plane_id IS NOT NULL
        AND external_id IS NOT NULL ORDER BY id LIMIT ${sql.literal(String(maxTwins))}`
    return { _tag: "Twins", lane, itemId, comments }
  })

/**
 * Whether a moment has come. One that is further ahead than Plane or the quiet time asks to wait was stored before the
 * clock was set back.
 */
export const isDue = (at: EpochMillis | null, now: EpochMillis) =>
  at !== null && (at <= now || at > later(now, "1 hours"))

/** What is to be checked of a lane's work item before anything is sent to it. */
export const overdueCheck = (sql: Sql, lane: Lane, now: EpochMillis): Effect.Effect<Job | undefined, SqlError> =>
  isDue(lane.checkAt, now)
    ? Effect.succeed(doubtOf(lane))
    : isDue(lane.twinsAt, now)
    ? twinsOf(sql, lane)
    : Effect.sync(() => undefined)

/** What is to be checked of a lane that was due and owes nothing. */
export const waitingCheck = (sql: Sql, lane: Lane): Effect.Effect<Job | undefined, SqlError> =>
  Effect.suspend(() => {
    const check = doubtOf(lane)
    return check === undefined ? twinsOf(sql, lane) : Effect.succeed(check)
  })

/** Writes down how a check of a doubt has ended. */
export const checked = (
  sql: Sql,
  tally: Tally,
  job: CheckJob,
  outcome: CheckOutcome,
  now: EpochMillis
): Effect.Effect<unknown, SqlError> => {
  const { lane } = job
  switch (outcome._tag) {
    case "Later":
      return Effect.zipRight(
        sql`UPDATE plane_sync_lane SET check_at = ${outcome.dueAt}, checks = checks + ${outcome.counted ? 1 : 0}
          WHERE id = ${lane.id}`,
        free(sql, tally, lane, now, outcome.reason)
      )
    case "Stands":
      return Effect.zipRight(
        sql`UPDATE plane_sync_lane SET check_at = NULL WHERE id = ${lane.id}`,
        free(sql, tally, lane, now, null)
      )
    case "SetAgain":
      return Effect.gen(function*() {
        yield* sql`UPDATE plane_sync_lane SET check_at = NULL, confirmed = 1 WHERE id = ${lane.id}`
        const isOwed = job.doubt === "lost"
          ? yield* oweLost(sql, tally, lane, outcome.readAt)
          : yield* oweUndone(sql, tally, job, now)
        if (isOwed) {
          yield* sql`UPDATE plane_sync_delivery SET reason = ${words[job.doubt]} WHERE status = 'delivered'
            AND id = (SELECT state_delivery FROM plane_sync_event WHERE sequence = ${lane.placedFor})`
        }
        yield* free(sql, tally, lane, now, isOwed ? words[job.doubt] : null)
      })
  }
}

/** Makes the state of the event owed again that our last PATCH was for, if no later stage's state is. */
const oweAgain = (sql: Sql, tally: Tally, lane: Lane) =>
  Effect.gen(function*() {
    const [row] = yield* sql<{ owed: EventSequence | null; before: EventStatus | null }>`SELECT state_event AS owed,
        (SELECT status FROM plane_sync_event WHERE sequence = placed_for) AS before
      FROM plane_sync_lane WHERE id = ${lane.id}`
    if (row === undefined || row.owed !== null) return row !== undefined
    const [after] = yield* sql<{ status: EventStatus }>`UPDATE plane_sync_event SET state = 'pending'
      WHERE sequence = ${lane.placedFor} RETURNING status`
    // The event may have been deleted since.
    if (after === undefined || row.before === null) return false
    tally.moved(lane.id, row.before, after.status)
    yield* sql`UPDATE plane_sync_lane SET state_event = placed_for WHERE id = ${lane.id}`
    return true
  })

/**
 * The state of ours is owed again, unless something else is wanted by now. What was just read is what is known of the
 * work item, so that no other look is needed; hooks that show the state that is back are no news.
 */
const oweLost = (sql: Sql, tally: Tally, lane: Lane, readAt: number) =>
  Effect.gen(function*() {
    const [row] = yield* sql`UPDATE plane_sync_lane SET heard_state = replaced,
        heard_at = CASE WHEN heard_at > coalesce(updated_at, '') THEN heard_at ELSE coalesce(updated_at, '') END,
        read_at = ${readAt},
        read_by = holder, asked = NULL
      WHERE id = ${lane.id} AND state = replaced AND asked = placed AND state_event IS NULL RETURNING 1`
    return row === undefined ? false : yield* oweAgain(sql, tally, lane)
  })

/**
 * The state of the person's move is to be set, before anything else. A PATCH of ours that got no answer is not repeated
 * any more; Plane may have executed it, so a hook that shows its state is our own echo.
 */
const oweUndone = (sql: Sql, tally: Tally, { doubted, lane }: CheckJob, now: EpochMillis) =>
  Effect.gen(function*() {
    const [left] = yield* sql<{ body: string }>`UPDATE plane_sync_delivery SET status = 'discarded',
        settled_at = ${now}, reason = ${words.undone}
      WHERE lane = ${lane.id} AND status = 'pending' AND kind = 'state' RETURNING body`
    const sent = left === undefined ? lane.placed : StateId(left.body)
    if (!(yield* oweAgain(sql, tally, lane))) return false
    yield* sql`UPDATE plane_sync_lane SET restore = ${doubted}, placed = ${sent},
      late_state = ${left === undefined ? sql`late_state` : sent} WHERE id = ${lane.id}`
    return true
  })

/**
 * Plane has a comment, and may execute, or have executed, another attempt as well: it is looked for once more.
 */
export const perhapsTwice = (sql: Sql, { id: lane, placedBy }: Lane, { id }: Delivery, { at, by }: LookAgain) =>
  Effect.zipRight(
    sql`UPDATE plane_sync_delivery SET twins = 1, made_by = ${by ?? placedBy} WHERE id = ${id}`,
    sql`UPDATE plane_sync_lane SET twins_at = ${at} WHERE id = ${lane}`
  )

/** Writes down what has become of comments that Plane may have executed twice. */
export const compared = (
  sql: Sql,
  tally: Tally,
  lane: Lane,
  outcome: TwinsOutcome,
  now: EpochMillis
): Effect.Effect<unknown, SqlError> =>
  Effect.gen(function*() {
    if (outcome._tag === "Later") {
      yield* sql`UPDATE plane_sync_lane SET twins_at = ${outcome.dueAt},
        checks = checks + ${outcome.counted ? 1 : 0} WHERE id = ${lane.id}`
      yield* free(sql, tally, lane, now, outcome.reason)
      return
    }
    for (const { delivery, reason } of outcome.comments) {
      yield* sql`UPDATE plane_sync_delivery SET twins = 0, reason = coalesce(${reason ?? null}, reason)
        WHERE id = ${delivery}`
    }
    // Another comment may have been added meanwhile, or there were more than one look compares.
    yield* sql`UPDATE plane_sync_lane SET checks = 0, twins_at = CASE WHEN EXISTS (SELECT 1 FROM plane_sync_delivery
      WHERE lane = ${lane.id} AND twins = 1) THEN CAST(${later(now, "1 minute")} AS bigint) END WHERE id = ${lane.id}`
    yield* free(sql, tally, lane, now, null)
  })
