import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { ddl } from "../storage/Ddl.js"
import type { Migration } from "../storage/Migrations.js"

/**
 * The first event of a lane of which nothing was told yet: its sequence. 0 from its first comment on, and null while it
 * never owed anything. What older versions have stored is no news.
 */
export const firstWordColumn: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { number } = yield* ddl
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN first_word ${number}`
  yield* sql`UPDATE plane_sync_lane SET first_word = 0`
  yield* sql`CREATE INDEX plane_sync_lane_first ON plane_sync_lane (project, first_word)
    WHERE first_word > 0 AND due_at IS NOT NULL AND misses = 0`
})
