import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { ddl } from "../storage/Ddl.js"
import type { Migration } from "../storage/Migrations.js"

/**
 * The comments that were taken for commands, by Plane's ids of them, so that each is done once however often it is
 * told. They stay as long as their tasks do. `words`: what came of it. `replied`: 1 if that was said in Plane.
 */
export const commandTable: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { number, text, withoutRowid } = yield* ddl
  yield* sql`CREATE TABLE plane_sync_command (
    comment ${text} PRIMARY KEY,
    task ${number} NOT NULL,
    word ${text} NOT NULL,
    words ${text} NOT NULL DEFAULT '',
    replied ${number} NOT NULL DEFAULT 0,
    at ${number} NOT NULL
  ) ${withoutRowid}`
  yield* sql`CREATE INDEX plane_sync_command_task ON plane_sync_command (task, at)`
})
