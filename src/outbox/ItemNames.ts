import type { SqlError } from "@effect/sql/SqlError"
import type { Effect } from "effect"
import type { ItemId } from "../domain/Ids.js"
import type { NormalizedKey } from "../domain/WorkItemKey.js"
import type { Fragment, Sql } from "../storage/Sql.js"

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

/** A subquery: how Plane calls a work item, which is asked for by its item id, or by its key where that is NULL. */
export const titleOfItem = (sql: Sql, itemId: Fragment, key: Fragment): Fragment =>
  sql`(SELECT item.title FROM plane_sync_lane named JOIN plane_sync_lane item ON item.id = coalesce(named.target, named.id)
    WHERE named.name = coalesce(${itemId}, ${key}))`

/** How many events of these lanes are new, and not folded yet, by the name that they were published under. */
export const newEventsOf = (
  sql: Sql,
  names: ReadonlyArray<ItemId | NormalizedKey>
): Effect.Effect<ReadonlyArray<{ readonly name: string; readonly events: number }>, SqlError> =>
  sql<{ name: string; events: number }>`SELECT lane_name AS name, count(*) AS events FROM plane_sync_event
    WHERE folded = 0 AND lane_name IN ${sql.texts(names)} AND status = 'pending' GROUP BY lane_name`
