import type { SqlError } from "@effect/sql/SqlError"
import { Duration, Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { later } from "../base/Time.js"
import type { Stage } from "../domain/Stage.js"
import type { Sql } from "../storage/Sql.js"
import type { TaskId } from "./Task.js"

/** A launch that is to be done: a row of `plane_sync_launch`, which is deleted once it is done. */
export interface OwedLaunch {
  /** The id of the transition that entered the stage. */
  readonly id: string
  readonly dueAt: EpochMillis
  readonly taskId: TaskId
  readonly stage: Stage
  readonly agent: string
}

/** After this time a launch that failed is tried again. */
export const launchAgainAfter = Duration.minutes(1)

/** A task has entered a stage: its agent, if it has one, is to be launched. */
export const oweLaunch = (
  sql: Sql,
  launch: {
    readonly entry: string
    readonly taskId: TaskId
    readonly stage: Stage
    readonly agent: string | undefined
  },
  now: EpochMillis
): Effect.Effect<void, SqlError> =>
  launch.agent === undefined
    ? Effect.void
    : Effect.asVoid(sql`INSERT INTO plane_sync_launch (entry, task, stage, agent, due_at)
      VALUES (${launch.entry}, ${launch.taskId}, ${launch.stage}, ${launch.agent}, ${now})`)

/** The first `limit` launches: those that are due after `furthest`, then in the order of their due times. */
export const readOwedLaunches = (
  sql: Sql,
  limit: number,
  furthest: EpochMillis
): Effect.Effect<ReadonlyArray<OwedLaunch>, SqlError> =>
  sql<OwedLaunch>`SELECT * FROM (SELECT entry AS id, due_at AS "dueAt", task AS "taskId", stage, agent
      FROM plane_sync_launch WHERE due_at > ${furthest} ORDER BY due_at LIMIT ${limit})
    UNION ALL SELECT * FROM (SELECT entry AS id, due_at AS "dueAt", task AS "taskId", stage, agent
      FROM plane_sync_launch WHERE due_at <= ${furthest} ORDER BY due_at LIMIT ${limit})
    LIMIT ${limit}`

/** The launch is done, or there is nothing left to launch for. */
export const settleLaunch = (sql: Sql, { id }: OwedLaunch): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`DELETE FROM plane_sync_launch WHERE entry = ${id}`)

/** The launch failed: it is due again in a minute. */
export const postponeLaunch = (sql: Sql, { id }: OwedLaunch, now: EpochMillis): Effect.Effect<void, SqlError> =>
  Effect.asVoid(
    sql`UPDATE plane_sync_launch SET due_at = ${later(now, launchAgainAfter)} WHERE entry = ${id}`
  )

/** The task has stopped: what was to be launched for it is not launched any more. */
export const dropLaunches = (sql: Sql, taskId: TaskId): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`DELETE FROM plane_sync_launch WHERE task = ${taskId}`)
