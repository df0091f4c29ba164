import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { ItemId } from "../domain/Ids.js"
import type { Stage } from "../domain/Stage.js"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import { leaveStates } from "../outbox/LeftStates.js"
import type { Sql } from "../storage/Sql.js"
import { endLaunches } from "./Launches.js"
import { stopTime } from "./StageTimes.js"
import { tell } from "./Story.js"
import type { Task, TaskStatus } from "./Task.js"

/** What a task becomes when it leaves the active ones. */
export type Left = Exclude<TaskStatus, "active">

/**
 * An active task (or one of the statuses in `from`) is paused, stopped or, by a person, done: it stays at its stage.
 * Says where that is, or undefined if nothing was changed. A task that stops or ends launches nothing more, its agent
 * is stopped, and one that ends sets no state more. Nothing is published. Runs within a transaction.
 */
export const leaveActive = (
  sql: Sql,
  task: Pick<Task, "id" | "itemId">,
  status: Left,
  why: string,
  now: EpochMillis
): Effect.Effect<{ readonly workItem: string; readonly stage: Stage } | undefined, SqlError> =>
  Effect.gen(function*() {
    const from: ReadonlyArray<TaskStatus> = status === "paused"
      ? ["active"]
      : status === "stopped"
      ? ["active", "paused"]
      : ["active", "paused", "stopped"]
    const [left] = yield* sql<{ workItem: string; stage: Stage; itemId: ItemId | null }>`UPDATE plane_sync_task
      SET status = ${status}, why = ${why}, due_at = NULL, updated_at = ${now}, revision = revision + 1
      WHERE id = ${task.id} AND status IN ${sql.texts(from)}
      RETURNING work_item AS "workItem", plane_id AS "itemId", stage`
    if (left === undefined) return left
    yield* stopTime(sql, task.id, now)
    yield* tell(sql, task.id, now, `${status === "done" ? "ended" : status} at ${left.stage}: ${why}`)
    if (status === "paused") return left
    yield* endLaunches(sql, task.id, now)
    if (status === "done") {
      yield* leaveStates(sql, {
        key: WorkItemKey.normalize(left.workItem),
        itemId: left.itemId ?? Option.getOrUndefined(task.itemId)
      })
    }
    return left
  })
