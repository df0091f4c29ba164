import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { ItemId } from "../domain/Ids.js"
import type { NormalizedKey, WorkItemKey } from "../domain/WorkItemKey.js"
import type { Fragment, Sql } from "../storage/Sql.js"

// A key that was looked up is a lane whose `target` is the lane of the work item; that lane is named by the item id.

/** A subquery: the item id of the work item that a key was found to be; NULL while that is not known. */
export const itemOfKey = (sql: Sql, key: NormalizedKey | Fragment): Fragment =>
  sql`(SELECT item.work_item FROM plane_sync_lane spelling JOIN plane_sync_lane item ON item.id = spelling.target
    WHERE spelling.name = ${key})`

/** A subquery: why a key was not found when it was last looked up; NULL if it was found, or not looked up. */
export const problemOfKey = (sql: Sql, key: NormalizedKey | Fragment): Fragment =>
  sql`(SELECT missing.problem FROM plane_sync_lane missing
    WHERE missing.name = ${key} AND missing.work_item IS NULL AND missing.target IS NULL)`

/** A subquery to select from: the keys (column `key`) that were found to be this work item. */
export const keysOfItem = (sql: Sql, itemId: ItemId): Fragment =>
  sql`(SELECT spelling.name AS key FROM plane_sync_lane item JOIN plane_sync_lane spelling ON spelling.target = item.id
    WHERE item.name = ${itemId})`

/** A subquery to select from: the keys (column `key`) that were found to be one of these work items (column `item`). */
export const keysOfItems = (sql: Sql, ids: ReadonlyArray<ItemId>): Fragment =>
  sql`(SELECT item.name AS item, spelling.name AS key FROM plane_sync_lane item
    JOIN plane_sync_lane spelling ON spelling.target = item.id WHERE item.name IN ${sql.texts(ids)})`

/**
 * A subquery: the identifier of the project that a work item, or else a key, was found to be in. NULL if neither is
 * known, or neither is of a project that was set.
 */
export const projectOfItem = (sql: Sql, itemId: ItemId | Fragment | null, key: NormalizedKey | Fragment): Fragment =>
  sql`coalesce((SELECT nullif(project, '') FROM plane_sync_lane WHERE name = ${itemId}),
    (SELECT nullif(project, '') FROM plane_sync_lane WHERE name = ${key}))`

/** The identifier of the project of a work item, or of a key: as it was kept, or else as the key has it. */
export const readProject = (
  sql: Sql,
  { itemId, key }: { readonly itemId: ItemId | undefined; readonly key: WorkItemKey }
): Effect.Effect<string, SqlError> =>
  Effect.map(
    sql<{ project: string | null }>`SELECT ${projectOfItem(sql, itemId ?? null, key.normalized)} AS project`,
    ([row]) => row?.project ?? key.identifier
  )

/** The item id of the work item that a key was found to be. */
export const readItemOfKey = (sql: Sql, key: NormalizedKey): Effect.Effect<ItemId | undefined, SqlError> =>
  Effect.map(
    sql<{ itemId: ItemId | null }>`SELECT ${itemOfKey(sql, key)} AS "itemId"`,
    ([row]) => row?.itemId ?? undefined
  )
