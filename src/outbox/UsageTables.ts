import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { ddl } from "../storage/Ddl.js"
import type { Migration } from "../storage/Migrations.js"

/**
 * What the events of a work item have used, summed by model: it stays when the events are deleted. `model` is empty
 * where none was named, a number is null until one was given, and `micros` are millionths of a dollar. `usage` of an
 * event is its own, as JSON: it is added when the event is folded.
 */
export const usageTable: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { number, text, withoutRowid } = yield* ddl
  yield* sql`CREATE TABLE plane_sync_usage (
    lane ${number} NOT NULL,
    model ${text} NOT NULL,
    input_tokens ${number},
    output_tokens ${number},
    micros ${number},
    PRIMARY KEY (lane, model)
  ) ${withoutRowid}`
  yield* sql`ALTER TABLE plane_sync_event ADD COLUMN usage ${text}`
})
