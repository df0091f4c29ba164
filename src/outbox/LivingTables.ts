import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { ddl } from "../storage/Ddl.js"
import type { Migration } from "../storage/Migrations.js"

/**
 * What the living comment of a work item shows (`living` of a lane), and what it shows once a delivery is told (`living`
 * of that delivery; null of any other delivery), as JSON: see `Living.ts`.
 */
export const livingColumns: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { text } = yield* ddl
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN living ${text}`
  yield* sql`ALTER TABLE plane_sync_delivery ADD COLUMN living ${text}`
})
