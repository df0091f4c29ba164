import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { ddl } from "../storage/Ddl.js"
import type { Migration } from "../storage/Migrations.js"

/**
 * Who is to be assigned to work items (`wanted`), and whom we have assigned and who is to be taken out again. `person`:
 * an e-mail address or a user id, as the settings have it. `settled`: nothing is to be done for what is wanted. `ours`:
 * we have put them there. `asked`: a PATCH that puts them there was sent, and its outcome is not known. `refused`: why
 * Plane does not have them, which is remembered. `restore`: a person's own change, which our PATCH has undone.
 *
 * Of a lane, `assign_at` is when the first of them is due, or the look back at our last PATCH: `assign_check` is when
 * that is, and `assign_patch` what it was, as JSON.
 */
export const assigneeTable: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { counted, number, text } = yield* ddl
  yield* sql`CREATE TABLE plane_sync_assignee (
    id ${counted},
    lane ${number} NOT NULL,
    person ${text} NOT NULL,
    restore ${number} NOT NULL DEFAULT 0,
    wanted ${number} NOT NULL DEFAULT 1,
    settled ${number} NOT NULL DEFAULT 0,
    ours ${number} NOT NULL DEFAULT 0,
    asked ${number} NOT NULL DEFAULT 0,
    attempts ${number} NOT NULL DEFAULT 0,
    due_at ${number} NOT NULL DEFAULT 0,
    refused ${text}
  )`
  yield* sql`CREATE UNIQUE INDEX plane_sync_assignee_lane ON plane_sync_assignee (lane, person, restore)`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN assign_at ${number}`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN assign_check ${number}`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN assign_patch ${text}`
})
