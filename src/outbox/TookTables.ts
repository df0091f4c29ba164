import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { ddl } from "../storage/Ddl.js"
import type { Migration } from "../storage/Migrations.js"

/** How long Plane took for the last sending of a delivery, in milliseconds. Null if nobody has measured it. */
export const tookColumn: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { number } = yield* ddl
  yield* sql`ALTER TABLE plane_sync_delivery ADD COLUMN took ${number}`
})
