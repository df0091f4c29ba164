import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { Sql } from "../storage/Sql.js"
import { touch } from "./DueTasks.js"
import { resumeLaunches } from "./Launches.js"
import type { Task } from "./Task.js"

/**
 * No more agents are launched for the task, until `resumeLaunching`; one that is at work goes on. What is owed by then is
 * held when its turn comes. Runs within a transaction that has locked the task.
 */
export const pauseLaunches = (
  sql: Sql,
  { id }: Pick<Task, "id">,
  by: string,
  now: EpochMillis
): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`UPDATE plane_sync_task SET launches_paused_by = ${by}, launches_paused_at = ${now},
    updated_at = ${now}, revision = revision + 1 WHERE id = ${id}`)

/**
 * The agents of the task are launched again. What is held has its turn once the gates were asked; those of a task that
 * is done are not. Runs within a transaction that has locked the task.
 */
export const resumeLaunching = (
  sql: Sql,
  { id, status }: Pick<Task, "id" | "status">,
  now: EpochMillis
): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    yield* sql`UPDATE plane_sync_task SET launches_paused_by = NULL, launches_paused_at = NULL, updated_at = ${now}
      WHERE id = ${id}`
    if (status === "done") yield* resumeLaunches(sql, id)
    if (status === "active") yield* touch(sql, id, now)
  })
