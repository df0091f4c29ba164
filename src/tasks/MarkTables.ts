import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { ddl } from "../storage/Ddl.js"
import type { Migration } from "../storage/Migrations.js"

/** When a person last had their say about a work item by a label or an assignee, or took it out of work: `Marks.ts`. */
export const markTable: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { number, text, withoutRowid } = yield* ddl
  yield* sql`CREATE TABLE plane_sync_task_mark (item ${text} PRIMARY KEY, at ${number} NOT NULL) ${withoutRowid}`
})
