import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { Sql } from "../storage/Sql.js"
import type { Tally } from "./Tally.js"

/** How many rows one transaction deletes, because publishing waits for it. */
export const pruneBatch = 500

/**
 * Deletes events that were published before `before` and owe nothing, and settled deliveries likewise: at most a batch
 * of each, the oldest first. Dead letters stay until they are discarded. Returns whether there may be more.
 */
export const prune = (sql: Sql, tally: Tally, before: EpochMillis): Effect.Effect<boolean, SqlError> =>
  Effect.gen(function*() {
    let more = false
    // Only the oldest are looked at: if the first is too young, so are all.
    for (const status of ["delivered", "discarded"] as const) {
      const events = yield* sql`DELETE FROM plane_sync_event WHERE sequence IN (
        SELECT sequence FROM (SELECT sequence, published_at, folded FROM plane_sync_event WHERE status = ${status}
          ORDER BY sequence LIMIT ${sql.literal(String(pruneBatch))}) oldest WHERE published_at < ${before}
            AND folded = 1) RETURNING 1`
      tally.moved(null, status, undefined, events.length)
      const deliveries = yield* sql`DELETE FROM plane_sync_delivery WHERE id IN (
        SELECT id FROM (SELECT id, settled_at FROM plane_sync_delivery WHERE status = ${status}
          ORDER BY id LIMIT ${sql.literal(String(pruneBatch))}) oldest WHERE settled_at < ${before}) RETURNING 1`
      more ||= events.length === pruneBatch || deliveries.length === pruneBatch
    }
    return more
  })
