import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { Sql } from "../storage/Sql.js"

/** More than Plane takes in an hour with one API token. */
const mostRead = 4_000

/** How many events were told by a comment since a moment, among the newest 4,000 requests. */
export const countToldSince = (sql: Sql, since: EpochMillis): Effect.Effect<number, SqlError> =>
  Effect.map(
    sql<{ told: number }>`SELECT count(*) AS told
      FROM (SELECT id, kind, settled_at FROM plane_sync_delivery WHERE status = 'delivered'
        ORDER BY id DESC LIMIT ${sql.literal(String(mostRead))}) near
      JOIN plane_sync_event event ON event.delivery = near.id
      WHERE near.kind <> 'state' AND near.settled_at >= ${since}`,
    ([row]) => row?.told ?? 0
  )
