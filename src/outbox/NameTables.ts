import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { ddl } from "../storage/Ddl.js"
import type { Migration } from "../storage/Migrations.js"

/**
 * How Plane calls a work item, as it last told us, and its number there. Null while it has not. They stand in the lane
 * of the item id, whose own `name` is that id.
 */
export const nameColumns: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { number, text } = yield* ddl
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN title ${text}`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN number ${number}`
})
