import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
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
  Effect.asVoid(sql`UPDATE plane_sync_task SET due_at = ${now} WHERE status = 'active'`)

/** The first `limit` tasks whose gates are to be asked, in the order in which they are due. */
export const readDueTasks = (sql: Sql, limit: number): Effect.Effect<ReadonlyArray<DueTask>, SqlError> =>
  sql<DueTask>`SELECT id, due_at AS "dueAt" FROM plane_sync_task
    WHERE due_at IS NOT NULL ORDER BY due_at LIMIT ${limit}`
