import type { SqlError } from "@effect/sql/SqlError"
import type { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { flag } from "../storage/Dialect.js"
import type { Sql } from "../storage/Sql.js"

/** A hook, as far as it tells that hooks of Plane come. Ids are Plane's, in lower case; null where none is told. */
export interface HookNews {
  readonly id: number
  /** 1: it is a hook of Plane. All else is null otherwise. */
  readonly isPlanes: number
  readonly at: EpochMillis | null
  readonly project: string | null
  readonly itemId: string | null
  readonly state: string | null
  readonly by: string | null
}

/** The type of what was read in Plane because no hook has told it: it is worked on like a hook, and is none. */
export const readByUs = "repair"

/** Bodies are large, so a statement that reads few is short. */
export const newsBatch = 100

/** How many of the newest hooks are looked at where none was before. */
const mostAtFirst = 200

/** The hooks that came after one, oldest first, a batch of them; after none only the newest. */
export const readHookNews = (sql: Sql, after: number): Effect.Effect<ReadonlyArray<HookNews>, SqlError> => {
  const at = (...path: ReadonlyArray<string>) => sql.textAt(sql`b.body`, path)
  const first = after > 0
    ? sql`${after}`
    : sql`(SELECT max(id) FROM plane_sync_webhook) - ${sql.literal(String(mostAtFirst))}`
  return sql<HookNews>`SELECT w.id, ${flag(sql, sql`b.id IS NOT NULL`)} AS "isPlanes",
      CASE WHEN b.id IS NOT NULL THEN w.received_at END AS at,
      lower(${at("data", "project")}) AS project, lower(${at("data", "id")}) AS "itemId",
      lower(coalesce(${at("data", "state", "id")}, ${at("data", "state")})) AS state,
      lower(${at("activity", "actor", "id")}) AS by
    FROM plane_sync_webhook w LEFT JOIN plane_sync_webhook_body b
      ON b.id = w.id AND w.source = 'plane' AND w.event <> ${readByUs}
    WHERE w.id > ${first} ORDER BY w.id LIMIT ${sql.literal(String(newsBatch))}`
}
