import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import { EpochMillis } from "../base/Time.js"
import type { Sql } from "../storage/Sql.js"
import type { TaskId } from "./Task.js"

/** A task that has changed. */
export interface ChangedTask {
  readonly id: TaskId
  readonly workItem: string
  readonly updatedAt: EpochMillis
  /** Rises with every change of it. */
  readonly revision: number
}

/** The tasks that have changed at a moment or later, in that order. */
export const changedTasks = (
  sql: Sql,
  since: EpochMillis,
  limit: number
): Effect.Effect<ReadonlyArray<ChangedTask>, SqlError> =>
  sql<ChangedTask>`SELECT id, work_item AS "workItem", updated_at AS "updatedAt", revision FROM plane_sync_task
    WHERE updated_at >= ${since} ORDER BY updated_at, id LIMIT ${limit}`

/** When a task was last changed; 0 while there is none. */
export const latestChange = (sql: Sql): Effect.Effect<EpochMillis, SqlError> =>
  Effect.map(
    sql<{ at: EpochMillis }>`SELECT updated_at AS at FROM plane_sync_task ORDER BY updated_at DESC, id DESC LIMIT 1`,
    ([row]) => row?.at ?? EpochMillis(0)
  )
