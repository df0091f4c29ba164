import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { ItemId } from "../domain/Ids.js"
import { keysOfItems } from "../outbox/ItemKeys.js"
import type { Sql } from "../storage/Sql.js"
import type { TaskStatus } from "./Task.js"

/** Whether a task has not ended: it is active or paused. */
export const isGoing = ({ status }: { readonly status: TaskStatus }): boolean =>
  status === "active" || status === "paused"

/** Of these work items, those whose task has not ended. */
export const itemsOfGoingTasks = (sql: Sql, ids: ReadonlyArray<ItemId>): Effect.Effect<ReadonlySet<ItemId>, SqlError> =>
  Effect.map(
    // Without a condition on the status: SQLite would take the index of that one.
    sql<{ item: ItemId; status: TaskStatus }>`SELECT plane_id AS item, status FROM plane_sync_task
        WHERE plane_id IN ${sql.texts(ids)}
      UNION ALL SELECT found.item, t.status FROM ${keysOfItems(sql, ids)} found
        JOIN plane_sync_task t ON t.key = found.key AND t.plane_id IS NULL`,
    (rows) => new Set(rows.filter(isGoing).map(({ item }) => item))
  )
