import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { ItemId } from "../domain/Ids.js"
import type { PlaneMoment } from "../domain/PlaneMoment.js"
import type { Sql } from "../storage/Sql.js"

/** A work item of a task whose comments are to be read, because it was changed. */
export interface Unread {
  readonly itemId: ItemId
  /** When Plane changed it, as a list has shown: what comments are read up to. */
  readonly changed: PlaneMoment
}

/** Notes work items that a list shows. One that is noted keeps its place in the line. */
export const noteUnread = (
  sql: Sql,
  project: string,
  items: ReadonlyArray<Unread>,
  now: EpochMillis
): Effect.Effect<void, SqlError> =>
  Effect.asVoid(
    sql`INSERT INTO plane_sync_unread (item, project, changed, since, listed_at)
      SELECT value ->> 0, value ->> 1, value ->> 2, CAST(value ->> 3 AS bigint), CAST(value ->> 3 AS bigint)
      FROM ${sql.each(items.map(({ changed, itemId }) => [itemId, project, changed, now]))} WHERE true
      ON CONFLICT (item) DO UPDATE SET project = excluded.project, changed = excluded.changed,
        listed_at = excluded.listed_at WHERE excluded.changed > plane_sync_unread.changed`
  )

/**
 * Those that were listed before a moment, the longest waiting first. What was listed after now, the clock was
 * set back.
 */
export const readUnread = (
  sql: Sql,
  project: string,
  { before, limit, now }: { readonly before: EpochMillis; readonly now: EpochMillis; readonly limit: number }
): Effect.Effect<ReadonlyArray<Unread>, SqlError> =>
  sql<Unread>`SELECT item AS "itemId", changed FROM plane_sync_unread
    WHERE project = ${project} AND (listed_at <= ${before} OR listed_at > ${now}) ORDER BY since, item LIMIT ${limit}`

export const isAnyUnread = (sql: Sql, project: string): Effect.Effect<boolean, SqlError> =>
  Effect.map(
    sql`SELECT 1 FROM plane_sync_unread WHERE project = ${project} LIMIT 1`,
    (rows) => rows.length > 0
  )

/** Their comments were read. What was changed again meanwhile stays. */
export const forgetUnread = (sql: Sql, items: ReadonlyArray<Unread>): Effect.Effect<void, SqlError> =>
  Effect.asVoid(
    sql`DELETE FROM plane_sync_unread WHERE (item, changed) IN (SELECT value ->> 0, value ->> 1
      FROM ${sql.each(items.map(({ changed, itemId }) => [itemId, changed]))})`
  )

/** The others come first in the next round. */
export const putLast = (sql: Sql, itemId: ItemId, now: EpochMillis): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`UPDATE plane_sync_unread SET since = ${now} WHERE item = ${itemId}`)
