import type { SqlError } from "@effect/sql/SqlError"
import { Duration, Effect } from "effect"
import type { Setting } from "../base/Setting.js"
import { defineSetting, integer } from "../base/Setting.js"
import type { EpochMillis } from "../base/Time.js"
import { earlier, later } from "../base/Time.js"
import type { Stage } from "../domain/Stage.js"
import type { Covers } from "../outbox/Covers.js"
import { flag } from "../storage/Dialect.js"
import type { Fragment, Sql } from "../storage/Sql.js"
import { lockTask, waitForTurn } from "./Locks.js"
import { projectOfTask } from "./ProjectOfTask.js"
import type { TaskId } from "./Task.js"

/** `ORCH_LAUNCHES`: how many agents may be at work at the same time. */
export const launchLimit: Setting<number> = defineSetting({
  name: "ORCH_LAUNCHES",
  about: "How many launched agents may be at work at the same time. The others wait for their turn.",
  accepts: integer(1, 100_000),
  default: "20"
})

/** A row of `plane_sync_launch`: the agent of a stage, from the commit that enters the stage until its work is over. */
export interface LaunchRow {
  /** The id of the transition that entered the stage. */
  readonly id: string
  readonly dueAt: EpochMillis
  readonly taskId: TaskId
  readonly stage: Stage
  readonly agent: string
}

/** After this time an agent of which nothing was heard does not count as at work any more. */
export const longestWork = Duration.hours(6)

/** For this long a stop that fails is tried again. */
const stopFor = Duration.hours(6)

/**
 * The longest time from a turn's claim, or from the mark that it is tried, to the end of what follows. After this time
 * the process that has claimed it is gone.
 */
const lease = Duration.minutes(1)

const columns = `entry AS id, due_at AS "dueAt", task AS "taskId", stage, agent`

/** A subquery: a list of the launch for the present stage of the task `t`, as JSON (`TaskLaunch`), if there is one. */
export const launchList = (sql: Sql): Fragment => {
  const launch = sql.jsonObjects({
    since: sql`l.since`,
    state: sql`CASE l.state WHEN 'calling' THEN 'working' WHEN 'working' THEN 'working' WHEN 'stopping' THEN 'stopping'
      ELSE 'waiting' END`,
    position: sql`CASE l.state WHEN 'owed' THEN
      (SELECT count(*) FROM plane_sync_launch o WHERE o.state = 'owed' AND o.number <= l.number) END`
  })
  return sql`(SELECT ${launch} FROM plane_sync_launch l
    WHERE l.entry = t.entry AND NOT (l.state = 'working' AND l.at_work = 0))`
}

/** The task is where this launch belongs to, and is such a one. */
const taskIs = (sql: Sql, such: Fragment) =>
  sql`EXISTS (SELECT 1 FROM plane_sync_task t WHERE t.id = plane_sync_launch.task
    AND t.entry = plane_sync_launch.entry AND ${such})`

// A stage that ends the pipeline may have an agent, too.
const mayLaunch = (sql: Sql) => taskIs(sql, sql`t.status IN ('active', 'done') AND t.launches_paused_by IS NULL`)

/**
 * A task has entered a stage: its agent, if it has one, is to be launched. The work for the stages before is over. The
 * launch is held until the gates of the stage have been asked, because if all of them hold the stage is only passed.
 */
export const oweLaunch = (
  sql: Sql,
  { agent, areGatesAsked = false, entry, stage, taskId }: {
    readonly entry: string
    readonly taskId: TaskId
    readonly stage: Stage
    readonly agent: string | undefined
    /** They were asked before it was entered, and do not all hold. */
    readonly areGatesAsked?: boolean
  },
  now: EpochMillis
): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    yield* sql`DELETE FROM plane_sync_launch WHERE task = ${taskId} AND state <> 'stopping'`
    if (agent === undefined) return
    yield* sql`INSERT INTO plane_sync_launch (entry, task, stage, agent, state, since)
      VALUES (${entry}, ${taskId}, ${stage}, ${agent}, ${areGatesAsked ? "owed" : "held"}, ${now})`
  })

/** Somebody has reported on a stage: the agent that was launched for it is not at work any more. */
export const endReported = (sql: Sql, taskId: TaskId, stage: Stage): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`DELETE FROM plane_sync_launch
    WHERE task = ${taskId} AND stage = ${stage} AND (at_work = 1 OR state = 'working') AND tried_at IS NOT NULL
      AND state <> 'stopping'`)

/**
 * A task has ended by another's word than its gates': what was to be launched for it is not launched any more, and what
 * may be at work is to be stopped. An agent whose launcher is just being called is stopped after that call.
 */
export const endLaunches = (sql: Sql, taskId: TaskId, now: EpochMillis): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    yield* sql`DELETE FROM plane_sync_launch WHERE task = ${taskId} AND tried_at IS NULL`
    yield* sql`UPDATE plane_sync_launch
      SET state = 'stopping', since = ${now}, due_at = CASE WHEN state = 'calling' THEN due_at ELSE ${now} END
      WHERE task = ${taskId} AND state <> 'stopping'`
  })

/** The gates of an active task were asked, and it stays: what was held is in its place among those that wait. */
export const resumeLaunches = (sql: Sql, taskId: TaskId): Effect.Effect<void, SqlError> =>
  Effect.asVoid(
    sql`UPDATE plane_sync_launch SET state = 'owed', due_at = 0 WHERE task = ${taskId} AND state = 'held'`
  )

const atWork = (sql: Sql) => sql`(SELECT count(*) FROM plane_sync_launch WHERE at_work = 1)`

/** Launches of the tasks of these projects. */
const launchesOf = (sql: Sql, of: Covers) =>
  of(sql`coalesce((SELECT ${projectOfTask(sql)} FROM plane_sync_task t WHERE t.id = plane_sync_launch.task), '')`)

const dueRows = (sql: Sql, state: Fragment, limit: number, furthest: EpochMillis) =>
  sql`SELECT * FROM (SELECT ${sql.literal(columns)} FROM plane_sync_launch
      WHERE ${state} AND due_at > ${furthest} ORDER BY due_at, number LIMIT ${limit}) far
    UNION ALL SELECT * FROM (SELECT ${sql.literal(columns)} FROM plane_sync_launch
      WHERE ${state} AND due_at <= ${furthest} ORDER BY due_at, number LIMIT ${limit}) near`

/**
 * The first `limit` launches that may be done, those that are due first. What was put off before the clock was set
 * back, so that it is due after `furthest`, is due. Where as many agents as may be are at work, only those that are
 * among them.
 */
export const readOwedLaunches = (
  sql: Sql,
  { furthest, limit, most, now, of }: {
    readonly of: Covers
    readonly limit: number
    readonly now: EpochMillis
    readonly furthest: EpochMillis
    /** `ORCH_LAUNCHES`. */
    readonly most: number
  }
): Effect.Effect<ReadonlyArray<LaunchRow>, SqlError> => {
  const isOurs = launchesOf(sql, of)
  const hasTurn = sql`(at_work = 1 OR ${atWork(sql)} < ${most}) AND ${isOurs}`
  return Effect.map(
    sql<LaunchRow>`${dueRows(sql, sql`state = 'calling' AND ${isOurs}`, limit, furthest)}
      UNION ALL ${dueRows(sql, sql`state = 'owed' AND due_at > 0 AND ${hasTurn}`, limit, furthest)}
      UNION ALL SELECT * FROM (SELECT ${sql.literal(columns)} FROM plane_sync_launch
        WHERE state = 'owed' AND due_at = 0 AND ${hasTurn} ORDER BY number LIMIT ${limit}) waiting`,
    (rows) => {
      const isDue = ({ dueAt }: LaunchRow) => dueAt <= now || dueAt > furthest
      return [...rows.filter(isDue), ...rows.filter((row) => !isDue(row)).sort((one, other) => one.dueAt - other.dueAt)]
    }
  )
}

/**
 * Launches that had failed are to be done now, because what was wrong may have been mended; and those in which the
 * program ended. Only for the start, while nobody performs them here. On Postgres another replica may be calling a
 * launcher just now, so there its lease counts.
 */
export const makeCallsDue = (sql: Sql, now: EpochMillis, of: Covers): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`UPDATE plane_sync_launch SET due_at = ${now}
    WHERE state IN ('owed', ${sql.isShared ? "owed" : "calling"}) AND due_at > 0 AND ${launchesOf(sql, of)}`)

/**
 * Takes the turn of a launch, if there is one left, no other process has taken it, and its task is not paused. Says
 * whether it did. What there is nothing left to launch for is deleted.
 */
export const claimLaunch = (
  sql: Sql,
  { dueAt, id, taskId }: LaunchRow,
  most: number,
  now: EpochMillis
): Effect.Effect<boolean, SqlError> =>
  Effect.gen(function*() {
    yield* waitForTurn(sql, "plane_sync_launch_claim")
    yield* lockTask(sql, taskId)
    const isIt = sql`entry = ${id} AND state IN ('owed', 'calling') AND due_at = ${dueAt}`
    const [claimed] = yield* sql`UPDATE plane_sync_launch SET state = 'calling', at_work = 1, due_at = ${
      later(now, lease)
    }, since = CASE WHEN state = 'calling' THEN since ELSE ${now} END
      WHERE ${isIt} AND (at_work = 1 OR ${atWork(sql)} < ${most}) AND ${mayLaunch(sql)} RETURNING 1`
    if (claimed !== undefined) return true
    yield* holdOrDelete(sql, isIt)
    return false
  })

/** Nobody is launched in this program, so a launch that is owed is over. */
export const dropLaunch = (sql: Sql, { id }: Pick<LaunchRow, "id">): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`DELETE FROM plane_sync_launch WHERE entry = ${id} AND state IN ('owed', 'calling')`)

const holdOrDelete = (sql: Sql, isIt: Fragment) =>
  Effect.gen(function*() {
    yield* sql`UPDATE plane_sync_launch SET state = 'held', at_work = 0 WHERE ${isIt}
      AND ${taskIs(sql, sql`(t.status = 'paused' OR t.launches_paused_by IS NOT NULL AND t.status <> 'stopped')`)}`
    yield* sql`DELETE FROM plane_sync_launch WHERE ${isIt} AND NOT ${taskIs(sql, sql`t.status <> 'stopped'`)}`
  })

/**
 * Marks a launch as tried, which is committed before the launcher is called: from then on an agent may be at work. Says
 * whether it is still to be called, because the task may have been paused, stopped or moved meanwhile.
 */
export const beginCall = (sql: Sql, { id, taskId }: LaunchRow, now: EpochMillis): Effect.Effect<boolean, SqlError> =>
  Effect.gen(function*() {
    yield* lockTask(sql, taskId)
    const isIt = sql`entry = ${id} AND state = 'calling'`
    const [begun] = yield* sql`UPDATE plane_sync_launch SET tried_at = coalesce(tried_at, ${now}), due_at = ${
      later(now, lease)
    } WHERE ${isIt} AND ${mayLaunch(sql)} RETURNING 1`
    if (begun !== undefined) return true
    yield* holdOrDelete(sql, isIt)
    yield* makeStopDue(sql, id, now)
    return false
  })

/** The launcher is not being called any more, so what came meanwhile may be stopped. */
const makeStopDue = (sql: Sql, entry: string, now: EpochMillis) =>
  sql`UPDATE plane_sync_launch SET due_at = ${now} WHERE entry = ${entry} AND state = 'stopping'`

/** The launcher has done its part: the agent is at work. */
export const launched = (sql: Sql, { id }: LaunchRow, now: EpochMillis): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    yield* sql`UPDATE plane_sync_launch SET state = 'working', since = ${now}, due_at = ${later(now, longestWork)}
      WHERE entry = ${id} AND state = 'calling'`
    yield* makeStopDue(sql, id, now)
  })

/** The launcher has failed, or did not answer in time: then the agent may be at work. It is due again after a pause. */
export const notLaunched = (
  sql: Sql,
  { id }: LaunchRow,
  { mayBeAtWork, pause }: { readonly mayBeAtWork: boolean; readonly pause: Duration.Duration },
  now: EpochMillis
): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    yield* sql`UPDATE plane_sync_launch SET state = 'owed', since = ${now}, due_at = ${later(now, pause)},
      at_work = ${mayBeAtWork ? flag(sql, sql`tried_at > ${earlier(now, longestWork)}`) : 0}
      WHERE entry = ${id} AND state = 'calling'`
    yield* makeStopDue(sql, id, now)
  })

/** The first `limit` agents at work by the moment at which they do not count any more. See `startDueWork`. */
export const readWorking = (sql: Sql, limit: number, furthest: EpochMillis, of: Covers) =>
  sql<LaunchRow>`${
    dueRows(sql, sql`state = 'working' AND at_work = 1 AND ${launchesOf(sql, of)}`, limit, furthest)
  } LIMIT ${limit}`

/**
 * The agent's time is over: it does not count any more, but is still stopped when its task is, because it may be at
 * work. Where the clock was set back, its time begins anew. Says whether it is over.
 */
export const endWork = (sql: Sql, { dueAt, id }: LaunchRow, now: EpochMillis): Effect.Effect<boolean, SqlError> => {
  const isIt = sql`entry = ${id} AND state = 'working'`
  return dueAt <= now
    ? Effect.as(sql`UPDATE plane_sync_launch SET at_work = 0, since = ${now}, due_at = 0 WHERE ${isIt}`, true)
    : Effect.as(
      sql`UPDATE plane_sync_launch SET since = ${now}, due_at = ${later(now, longestWork)} WHERE ${isIt}`,
      false
    )
}

/** The first `limit` agents that are to be stopped. See `startDueWork`. */
export const readOwedStops = (sql: Sql, limit: number, furthest: EpochMillis, of: Covers) =>
  sql<LaunchRow>`${dueRows(sql, sql`state = 'stopping' AND ${launchesOf(sql, of)}`, limit, furthest)} LIMIT ${limit}`

/** The agent has been stopped. */
export const stopped = (sql: Sql, { id }: Pick<LaunchRow, "id">): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`DELETE FROM plane_sync_launch WHERE entry = ${id} AND state = 'stopping'`)

/**
 * A stop has failed. It is due again after a pause, and holds up no launch until then. Says whether there is another
 * try.
 */
export const notStopped = (
  sql: Sql,
  { id }: LaunchRow,
  pause: Duration.Duration,
  now: EpochMillis
): Effect.Effect<boolean, SqlError> =>
  Effect.gen(function*() {
    const [again] = yield* sql`UPDATE plane_sync_launch SET at_work = 0, due_at = ${later(now, pause)}
      WHERE entry = ${id} AND state = 'stopping' AND since > ${earlier(now, stopFor)} RETURNING 1`
    if (again === undefined) yield* stopped(sql, { id })
    return again !== undefined
  })
