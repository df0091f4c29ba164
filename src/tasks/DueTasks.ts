import type { SqlError } from "@effect/sql/SqlError"
import { Duration, Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { Covers } from "../outbox/Covers.js"
import type { Sql } from "../storage/Sql.js"
import { projectOfTask } from "./ProjectOfTask.js"
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
export const makeActiveDue = (sql: Sql, now: EpochMillis, of: Covers): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`UPDATE plane_sync_task SET due_at = ${now} WHERE id IN (SELECT t.id FROM plane_sync_task t
    WHERE t.status = 'active' AND ${of(projectOfTask(sql))} ORDER BY t.id ${sql.locked})`)

/** The longest time after which the gates of a task are asked again. */
export const longestWait = Duration.minutes(10)

/** The first `limit` tasks whose gates are to be asked: those due after `furthest`, then in the order of due times. */
export const readDueTasks = (
  sql: Sql,
  limit: number,
  furthest: EpochMillis,
  of: Covers
): Effect.Effect<ReadonlyArray<DueTask>, SqlError> => {
  const isOurs = of(projectOfTask(sql))
  return sql<DueTask>`SELECT * FROM (SELECT t.id, t.due_at AS "dueAt" FROM plane_sync_task t
      WHERE t.due_at > ${furthest} AND ${isOurs} ORDER BY t.due_at, t.id LIMIT ${limit}) far
    UNION ALL SELECT * FROM (SELECT t.id, t.due_at AS "dueAt" FROM plane_sync_task t
      WHERE t.due_at <= ${furthest} AND ${isOurs} ORDER BY t.due_at, t.id LIMIT ${limit}) near
    LIMIT ${limit}`
}
