import type { Sql } from "../storage/Sql.js"

/**
 * Keeps the leader's turns away until the transaction ends, and other transactions that do so: it is for those that
 * write to many lanes, or decide by what they have read of one. On Postgres they would wait for each other, or miss
 * what the other has changed. It comes first, and writes, as the first statement of a transaction must.
 */
export const keepTurnsAway = (sql: Sql) => sql`UPDATE plane_sync_sender SET seen_at = seen_at`
