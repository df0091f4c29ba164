import { Duration } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { later } from "../base/Time.js"
import type { EventSequence } from "../domain/Ids.js"
import type { PlaneMoment } from "../domain/PlaneMoment.js"
import { momentOf } from "../domain/PlaneMoment.js"
import type { StateId } from "../domain/StageStates.js"
import type { Fragment, Sql } from "../storage/Sql.js"
import { aheadOf, tolerated } from "./Heard.js"
import type { Lane } from "./Lane.js"
import type { SeenState } from "./Outcome.js"
import type { Tally } from "./Tally.js"

/** How urgent a lane is because of what it owes, `stateEvent` included: see `claim`. */
export const urgency = (sql: Sql, stateEvent: Fragment) =>
  sql`CASE
    WHEN EXISTS (SELECT 1 FROM plane_sync_event e WHERE e.lane = plane_sync_lane.id AND urgent = 1 AND comment = 'pending')
      THEN 0
    WHEN ${stateEvent} IS NOT NULL THEN 1 ELSE 2 END`

/** What is known of a lane's work item after a request, and the state that was asked for with it. */
export interface Asked {
  readonly seen: SeenState
  /** Whether `seen` is the result of our own PATCH. */
  readonly answered: boolean
  readonly asked: StateId
  /** The state was not set, because a person has cancelled or completed the work item. */
  readonly respected: boolean
  /** The event whose state is no longer owed. */
  readonly closed: EventSequence
  /** When that became known. */
  readonly now: EpochMillis
}

/**
 * Frees a lane. It is due at `dueAt` if it owes anything, or a task waits for its look-up (`looks`). A patient lane is
 * due as soon as it owes more.
 */
export const free = (
  sql: Sql,
  tally: Tally,
  lane: Lane,
  dueAt: EpochMillis,
  problem: string | null,
  { asked, looks = false, patient = false }: {
    readonly patient?: boolean
    readonly looks?: boolean
    readonly asked?: Asked
  } = {}
) => {
  const owed = tally.take(lane.id)
  // What was learned goes into the same statement, because a turn is short only with few statements.
  const learned = asked === undefined
    ? sql``
    : sql`${knows(sql, asked.seen, asked.now)}, ${asked.answered ? hears(sql, asked.seen, asked.now) : sql``}
      asked = iif(left_until >= ${asked.closed}, NULL, ${asked.asked}),
      respected = ${asked.respected ? 1 : 0}, state_event = nullif(state_event, ${asked.closed}),`
  return sql`UPDATE plane_sync_lane SET ${learned} holder = NULL, problem = ${problem}, patient = ${patient ? 1 : 0},
    urgency = ${urgency(sql, sql`nullif(state_event, ${asked?.closed ?? null})`)}, owed = owed + ${owed},
    due_at = CASE owed + ${owed} WHEN 0 THEN ${looks ? dueAt : null} ELSE ${dueAt} END WHERE id = ${lane.id}`
}

/**
 * A condition: what a lane knows of its work item is newer than a moment of Plane. What is dated in the future says
 * nothing of that, because the sender's clock was ahead.
 */
export const knowsNewer = (sql: Sql, updatedAt: PlaneMoment | null, now: EpochMillis) =>
  sql`coalesce(updated_at > ${updatedAt ?? ""} AND updated_at <= ${momentOf(later(now, tolerated))}, 0)`

const knows = (sql: Sql, { cancelled, completed, readAt, state, updatedAt }: SeenState, now: EpochMillis) => {
  // A hook that came in meanwhile may have told something newer.
  const isOlder = knowsNewer(sql, updatedAt, now)
  return sql`state = iif(${isOlder}, state, ${state}), cancelled = iif(${isOlder}, cancelled, ${cancelled ? 1 : 0}),
    completed = iif(${isOlder}, completed, ${completed ? 1 : 0}),
    read_at = iif(${isOlder}, read_at, ${readAt}), read_by = iif(${isOlder}, read_by, ${reader(sql)}),
    updated_at = iif(${isOlder}, updated_at, ${updatedAt})`
}

/** The process that reads: a moment of the monotonic clock means nothing to another process, or after a restart. */
export const reader = (sql: Sql) => sql`(SELECT holder FROM plane_sync_sender)`

/** How much nearer to ours a sender's clock must have come for its later moments to be smaller. */
const corrected = Duration.toMillis("1 minute")

// A hook may already have told how a person has moved the work item since. If its sender's clock was ahead and has been
// corrected, its moment is larger all the same, and tells nothing.
const hears = (sql: Sql, { state, updatedAt }: SeenState, now: EpochMillis) => {
  const ahead = updatedAt === null ? 0 : aheadOf(updatedAt, now)
  const isOlder = sql`coalesce(heard_at > ${updatedAt ?? ""}
    AND heard_ahead <= ${Math.max(Duration.toMillis(tolerated), ahead + corrected)}, 0)`
  return sql`heard_state = iif(${isOlder}, heard_state, ${state}), heard_at = iif(${isOlder}, heard_at, ${updatedAt}),
    heard_ahead = iif(${isOlder}, heard_ahead, ${ahead}), late_state = NULL,`
}

/** Stores the state that a look has seen. */
export const see = (sql: Sql, lane: Lane, seen: SeenState, now: EpochMillis) =>
  sql`UPDATE plane_sync_lane SET ${knows(sql, seen, now)} WHERE id = ${lane.id}`

/** Forgets which state the work item is in. */
export const forget = (sql: Sql, lane: Lane) =>
  sql`UPDATE plane_sync_lane SET state = NULL, cancelled = 0, completed = 0, read_at = NULL, asked = NULL
    WHERE id = ${lane.id}`
