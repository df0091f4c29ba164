import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { Stage } from "../domain/Stage.js"
import type { Sql } from "../storage/Sql.js"
import type { TaskId } from "./Task.js"

// All of these run within the transaction of what they count, after the task's row is locked. Of a task that an older
// version has started nothing is counted: a sum that lacks its beginning would not be true.

/** The task is not active at its stage any more, or has left it. */
export const stopTime = (sql: Sql, taskId: TaskId, now: EpochMillis): Effect.Effect<void, SqlError> =>
  // The clock may have been set back.
  Effect.asVoid(sql`UPDATE plane_sync_task_stage
    SET millis = millis + CASE WHEN since < ${now} THEN ${now} - since ELSE 0 END, since = NULL
    WHERE task = ${taskId} AND since IS NOT NULL`)

/** The task begins its first stage: from now on it is counted. */
export const beginTime = (sql: Sql, taskId: TaskId, stage: Stage, now: EpochMillis): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`INSERT INTO plane_sync_task_stage (task, stage, attempts, since)
    VALUES (${taskId}, ${stage}, 1, ${now})
    ON CONFLICT (task, stage) DO UPDATE SET attempts = plane_sync_task_stage.attempts + 1, since = excluded.since`)

/**
 * The task is active at a stage from now on. `attempts`: 1 if work on the stage begins, 0 if it goes on after a pause.
 */
export const goOnTime = (
  sql: Sql,
  taskId: TaskId,
  { attempts, stage }: { readonly stage: Stage; readonly attempts: 0 | 1 },
  now: EpochMillis
): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`INSERT INTO plane_sync_task_stage (task, stage, attempts, since)
    SELECT t.id, ${stage}, ${attempts}, ${now} FROM plane_sync_task t WHERE t.id = ${taskId}
      AND EXISTS (SELECT 1 FROM plane_sync_task_stage known WHERE known.task = t.id)
    ON CONFLICT (task, stage) DO UPDATE
      SET attempts = plane_sync_task_stage.attempts + excluded.attempts, since = excluded.since`)

/** Failures of gates are told at a stage. */
export const countFailures = (
  sql: Sql,
  taskId: TaskId,
  stage: Stage,
  failures: number
): Effect.Effect<void, SqlError> =>
  failures === 0
    ? Effect.void
    : Effect.asVoid(sql`INSERT INTO plane_sync_task_stage (task, stage, failures)
      SELECT t.id, ${stage}, ${failures} FROM plane_sync_task t WHERE t.id = ${taskId}
        AND EXISTS (SELECT 1 FROM plane_sync_task_stage known WHERE known.task = t.id)
      ON CONFLICT (task, stage) DO UPDATE SET failures = plane_sync_task_stage.failures + excluded.failures`)
