import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { CanonicalKey } from "../domain/WorkItemKey.js"
import type { Fragment, Sql } from "../storage/Sql.js"
import type { TaskId } from "./Task.js"

/** A pull request, as far as it leads to tasks. */
export interface TaskPullRequest {
  readonly repository: number
  readonly number: number
  /** The key that it names, if it names one. */
  readonly workItem: CanonicalKey | null
}

/**
 * The tasks that a pull request concerns: those that are linked to it, and those of the key that it names, in any
 * spelling.
 */
export const readTasksOf = (
  sql: Sql,
  { number, repository, workItem }: TaskPullRequest
): Effect.Effect<ReadonlyArray<TaskId>, SqlError> =>
  Effect.map(
    sql<{ id: TaskId }>`SELECT id FROM plane_sync_task
        WHERE repository_id = ${repository} AND pull_request = ${number}
      UNION SELECT id FROM plane_sync_task WHERE canonical = ${workItem}`,
    (found) => found.map(({ id }) => id)
  )

/**
 * A condition: no unfinished task is linked to the pull request, or of the key that it names. Its columns are handed
 * in.
 */
export const concernsNoTask = (
  sql: Sql,
  { number, repository, workItem }: { readonly [Column in keyof TaskPullRequest]: Fragment }
): Fragment =>
  sql`NOT EXISTS (SELECT 1 FROM plane_sync_task t
      WHERE t.repository_id = ${repository} AND t.pull_request = ${number} AND t.status <> 'done')
    AND NOT EXISTS (SELECT 1 FROM plane_sync_task t WHERE t.canonical = ${workItem} AND t.status <> 'done')`
