import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { ddl } from "../storage/Ddl.js"
import type { Migration } from "../storage/Migrations.js"

/** The processes that use a Postgres together. It stays empty in a file. */
export const replicaTable: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { number, text } = yield* ddl
  yield* sql`CREATE TABLE plane_sync_replica (
    id ${text} PRIMARY KEY,
    host ${text} NOT NULL,
    pid ${number} NOT NULL,
    since ${number} NOT NULL,
    seen_at ${number} NOT NULL
  )`
})

/**
 * The projects that a leader leads, and which replica it is; on Postgres a leader for each destination. Each has its own
 * sums of events there, because in one row their turns would wait for each other. An older leader on Postgres leads no
 * more from then on, because it takes everything for its own.
 */
export const destinationRows: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { isSqlite, number, text, withoutRowid } = yield* ddl
  if (!isSqlite) {
    yield* sql`DELETE FROM plane_sync_sender`
    // With its key, and the check that it is 1.
    yield* sql`ALTER TABLE plane_sync_sender DROP COLUMN id`
  }
  yield* sql`ALTER TABLE plane_sync_sender ADD COLUMN project ${text} NOT NULL DEFAULT '*'`
  yield* sql`ALTER TABLE plane_sync_sender ADD COLUMN replica ${text}`
  yield* sql`CREATE UNIQUE INDEX plane_sync_sender_project ON plane_sync_sender (project)`
  yield* sql`CREATE TABLE plane_sync_count_of (
    project ${text} NOT NULL,
    status ${text} NOT NULL,
    events ${number} NOT NULL,
    PRIMARY KEY (project, status)
  ) ${withoutRowid}`
})
