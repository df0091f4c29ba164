import { Duration } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { EventSequence } from "../domain/Ids.js"
import type { StateId } from "../domain/StageStates.js"
import type { Fragment, Sql } from "../storage/Sql.js"
import { aheadOf, knowsNewer, tolerated } from "./Heard.js"
import { idleDue, patientFirst } from "./Idle.js"
import type { Lane } from "./Lane.js"
import type { SeenState } from "./Outcome.js"
import type { Placed } from "./Placing.js"
import { placing } from "./Placing.js"
import type { Tally } from "./Tally.js"
import { leastUrgent } from "./Urgency.js"

/** How urgent a lane is because of what it owes, `stateEvent` included: see `claim`. */
export const urgency = (sql: Sql, stateEvent: Fragment) =>
  sql`CASE
    WHEN EXISTS (SELECT 1 FROM plane_sync_event e WHERE e.lane = plane_sync_lane.id AND urgent = 1 AND comment = 'pending')
      THEN 0
    WHEN ${stateEvent} IS NOT NULL THEN 1 ELSE 2 END`

/** The same for a lane that is owed more by now: never less urgent than it was. */
export const moreUrgent = (sql: Sql) => {
  const now = urgency(sql, sql`state_event`)
  return sql`CASE WHEN urgency > ${now} THEN ${now} ELSE urgency END`
}

/** What is known of a lane's work item after a request, and the state that was asked for with it. */
export interface Asked {
  readonly seen: SeenState
  /** Whether `seen` is the result of our own PATCH. */
  readonly answered: boolean
  readonly asked: StateId
  /**
   * The state was not set, because a person has cancelled or completed the work item. So it does not count as asked
   * for: once that person has moved the work item on, the next stage's state is set, whichever it is.
   */
  readonly respected: boolean
  /** A state was sent, and Plane has answered: what it has replaced, and whose API token it was. */
  readonly placed?: Placed | undefined
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
  { asked, looks = false, patient = false, told = false }: {
    readonly patient?: boolean
    /** Whether a comment of it is in Plane now. */
    readonly told?: boolean
    readonly looks?: boolean
    readonly asked?: Asked
  } = {}
) => {
  const owed = tally.take(lane.id)
  // What was learned goes into the same statement, because a turn is short only with few statements.
  const placement = asked?.placed === undefined ? undefined : placing(sql, lane, asked, asked.placed)
  const learned = asked === undefined
    ? sql``
    : sql`${knows(sql, asked.seen, asked.now)}, ${asked.answered ? hears(sql, asked.seen, asked.now) : sql``}
      asked = ${nowAsked(sql, lane, asked)}, ${placement?.columns ?? sql``} restore = NULL,
      respected = ${asked.respected ? 1 : 0}, state_event = nullif(state_event, ${asked.closed}),`
  const idle = { checkAt: placement?.checkAt }
  // They keep nothing waiting that comes meanwhile.
  const isPatient = sql`owed + ${owed} = 0 AND ${patientFirst(sql, idle)}`
  return sql`UPDATE plane_sync_lane SET ${learned} holder = NULL, problem = ${problem},
    patient = CASE WHEN ${isPatient} THEN 1 ELSE ${sql.literal(patient ? "1" : "0")} END,
    ${told ? sql`first_word = 0,` : sql``}
    urgency = CASE WHEN ${isPatient} THEN ${sql.literal(String(leastUrgent))}
      ELSE ${urgency(sql, sql`nullif(state_event, ${asked?.closed ?? null})`)} END, owed = owed + ${owed},
    due_at = ${looks ? dueAt : sql`CASE owed + ${owed} WHEN 0 THEN ${idleDue(sql, idle)} ELSE ${dueAt} END`}
    WHERE id = ${lane.id}`
}

/** What counts as asked for. A person's move that was set again was never asked for by a stage. */
const nowAsked = (sql: Sql, { restore }: Lane, { asked, closed, respected }: Asked) =>
  restore === asked
    ? sql`asked`
    : respected
    ? sql`NULL`
    : sql`CASE WHEN left_until < ${closed} THEN ${asked} END`

const knows = (sql: Sql, { cancelled, completed, readAt, state, updatedAt }: SeenState, now: EpochMillis) => {
  // A hook that came in meanwhile may have told something newer.
  const isOlder = knowsNewer(sql, updatedAt, now)
  const unlessOlder = (column: string, value: string | number | null | Fragment) =>
    sql`${sql.literal(column)} = CASE WHEN ${isOlder} THEN ${sql.literal(column)} ELSE ${value} END`
  return sql.join(", ", [
    unlessOlder("state", state),
    unlessOlder("cancelled", cancelled ? 1 : 0),
    unlessOlder("completed", completed ? 1 : 0),
    unlessOlder("read_at", readAt),
    // The lane is held by whoever reads: a moment of the monotonic clock means nothing to another process.
    unlessOlder("read_by", sql`holder`),
    unlessOlder("updated_at", updatedAt)
  ])
}

/** How much nearer to ours a sender's clock must have come for its later moments to be smaller. */
const corrected = Duration.toMillis("1 minute")

// A hook may already have told how a person has moved the work item since. If its sender's clock was ahead and has been
// corrected, its moment is larger all the same, and tells nothing.
const hears = (sql: Sql, { state, updatedAt }: SeenState, now: EpochMillis) => {
  const ahead = updatedAt === null ? 0 : aheadOf(updatedAt, now)
  const isOlder = sql`coalesce(heard_at > ${updatedAt ?? ""}
    AND heard_ahead <= ${Math.max(Duration.toMillis(tolerated), ahead + corrected)}, false)`
  return sql`heard_state = CASE WHEN ${isOlder} THEN heard_state ELSE ${state} END,
    heard_at = CASE WHEN ${isOlder} THEN heard_at ELSE ${updatedAt} END,
    heard_ahead = CASE WHEN ${isOlder} THEN heard_ahead ELSE ${ahead} END, late_state = NULL,`
}

/** Stores the state that a look has seen. */
export const see = (sql: Sql, lane: Lane, seen: SeenState, now: EpochMillis) =>
  sql`UPDATE plane_sync_lane SET ${knows(sql, seen, now)} WHERE id = ${lane.id}`

/** Forgets which state the work item is in, and what was to be set again. */
export const forget = (sql: Sql, lane: Lane) =>
  sql`UPDATE plane_sync_lane SET state = NULL, cancelled = 0, completed = 0, read_at = NULL, asked = NULL,
    restore = NULL WHERE id = ${lane.id}`
