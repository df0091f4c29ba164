import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { CanonicalKey } from "../domain/WorkItemKey.js"
import type { Fragment, Sql } from "../storage/Sql.js"
import type { TaskId } from "./Task.js"

/** A pull request, as far as it leads to tasks. */
export interface TaskPullRequest {
  readonly repository: number
  readonly number: number
  /** The keys of the work items that it is about. */
  readonly keys: ReadonlyArray<CanonicalKey>
}

/**
 * The tasks that a pull request concerns: those that are linked to it, and those of the keys that it names, in any
 * spelling. In the order of their ids, in which tasks are locked.
 */
export const readTasksOf = (
  sql: Sql,
  { keys, number, repository }: TaskPullRequest
): Effect.Effect<ReadonlyArray<TaskId>, SqlError> =>
  Effect.map(
    sql<{ id: TaskId }>`SELECT id FROM plane_sync_task
        WHERE repository_id = ${repository} AND pull_request = ${number}
      UNION SELECT id FROM plane_sync_task WHERE canonical IN ${sql.texts(keys)}
      ORDER BY id`,
    (found) => found.map(({ id }) => id)
  )

/**
 * A condition: no unfinished task is linked to the pull request, or of a key that it names. Its columns, and a query
 * for its keys, are handed in.
 */
export const concernsNoTask = (
  sql: Sql,
  { keys, number, repository }: { readonly [Column in keyof TaskPullRequest]: Fragment }
): Fragment =>
  sql`NOT EXISTS (SELECT 1 FROM plane_sync_task t
      WHERE t.repository_id = ${repository} AND t.pull_request = ${number} AND t.status <> 'done')
    AND NOT EXISTS (SELECT 1 FROM plane_sync_task t WHERE t.canonical IN (${keys}) AND t.status <> 'done')`
