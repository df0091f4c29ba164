import type { Fragment, Sql } from "../storage/Sql.js"

/**
 * The project in the row of whoever leads all that has no row of its own. In a file that is everything. On Postgres the
 * projects of a destination have rows, so that replicas can share the destinations.
 */
export const everythingElse = "*"

const turns = "plane_sync_sender"

/**
 * Keeps all turns of leaders away until the transaction ends, and other transactions that do so: it is for those that
 * write to many lanes, or decide by what they have read of one. On Postgres they would wait for each other, or miss
 * what the other has changed. It comes first, and in a file it writes, as the first statement of a transaction must.
 */
export const keepTurnsAway = (sql: Sql) =>
  sql.isShared ? sql`SELECT ${sql.turn(turns)}` : sql`UPDATE plane_sync_sender SET seen_at = seen_at`

/** Goes after the SET of an UPDATE that begins a turn: turns keep out only those that keep turns away. */
export const besideTurns = (sql: Sql): Fragment =>
  sql.isShared ? sql`FROM (SELECT ${sql.turn(turns, "shared")}) turn` : sql``
