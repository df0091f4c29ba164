import type { SqlError } from "@effect/sql/SqlError"
import { Duration, Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { Sql } from "../storage/Sql.js"
import type { TaskId } from "./Task.js"

/** A task whose gates are to be asked. */
export interface DueTask {
  readonly id: TaskId
  readonly dueAt: EpochMillis
}

/**
 * A new fact about a task is stored, like a report or a review. Its gates are to be asked again, and what they say
 * about the task as it was before does not count.
 */
export const touch = (sql: Sql, taskId: TaskId, now: EpochMillis): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`UPDATE plane_sync_task SET due_at = ${now}, revision = revision + 1 WHERE id = ${taskId}`)

/** The gates of every active task are to be asked. */
export const makeActiveDue = (sql: Sql, now: EpochMillis): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`UPDATE plane_sync_task SET due_at = ${now}
    WHERE id IN (SELECT id FROM plane_sync_task WHERE status = 'active' ORDER BY id ${sql.locked})`)

/** The longest time after which the gates of a task are asked again. */
export const longestWait = Duration.minutes(10)

/** The first `limit` tasks whose gates are to be asked: those due after `furthest`, then in the order of due times. */
export const readDueTasks = (
  sql: Sql,
  limit: number,
  furthest: EpochMillis
): Effect.Effect<ReadonlyArray<DueTask>, SqlError> =>
  sql<DueTask>`SELECT * FROM (SELECT id, due_at AS "dueAt" FROM plane_sync_task
      WHERE due_at > ${furthest} ORDER BY due_at, id LIMIT ${limit}) far
    UNION ALL SELECT * FROM (SELECT id, due_at AS "dueAt" FROM plane_sync_task
      WHERE due_at <= ${furthest} ORDER BY due_at, id LIMIT ${limit}) near
    LIMIT ${limit}`
