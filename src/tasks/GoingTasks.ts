import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { ItemId } from "../domain/Ids.js"
import { keysOfItems } from "../outbox/ItemKeys.js"
import type { Sql } from "../storage/Sql.js"

/** Of these work items, those whose task has not ended: it is active or paused. */
export const itemsOfGoingTasks = (sql: Sql, ids: ReadonlyArray<ItemId>): Effect.Effect<ReadonlySet<ItemId>, SqlError> =>
  Effect.map(
    sql<{ item: ItemId }>`SELECT plane_id AS item FROM plane_sync_task
        WHERE plane_id IN ${sql.texts(ids)} AND status IN ('active', 'paused')
      UNION SELECT found.item FROM ${keysOfItems(sql, ids)} found
        JOIN plane_sync_task t ON t.key = found.key AND t.plane_id IS NULL
        WHERE t.status IN ('active', 'paused')`,
    (rows) => new Set(rows.map(({ item }) => item))
  )
