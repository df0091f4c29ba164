import type { SqlError } from "@effect/sql/SqlError"
import type { Effect } from "effect"
import type { ItemId } from "../domain/Ids.js"
import type { NormalizedKey } from "../domain/WorkItemKey.js"
import type { Sql } from "../storage/Sql.js"

/** How Plane calls a work item. */
export interface ItemName {
  /** The item id or the key that was asked for. */
  readonly name: ItemId | NormalizedKey
  /** Null while Plane has not told. */
  readonly title: string | null
  readonly number: number | null
  /** The identifier of its project; empty if its key begins with none that was set. */
  readonly project: string
  /** How many of its events Plane was not told of yet, but for those that are not folded. */
  readonly owed: number
}

/** What is known of these work items. Each is asked for by its item id, or by its key. */
export const itemNames = (
  sql: Sql,
  names: ReadonlyArray<ItemId | NormalizedKey>
): Effect.Effect<ReadonlyArray<ItemName>, SqlError> =>
  sql<ItemName>`SELECT lane.name, item.title, item.number, item.project, item.owed FROM plane_sync_lane lane
    JOIN plane_sync_lane item ON item.id = coalesce(lane.target, lane.id) WHERE lane.name IN ${sql.texts(names)}`
