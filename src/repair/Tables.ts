import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { ddl } from "../storage/Ddl.js"
import type { Migration } from "../storage/Migrations.js"

/**
 * Up to which moment the changes in each project were read, and from which one on, by Plane's clock: see `Watermark`.
 * And what is known of the webhook of each workspace: see `Hearing`.
 */
export const repairTables: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { number, text, withoutRowid } = yield* ddl
  yield* sql`CREATE TABLE plane_sync_watermark (
    project ${text} PRIMARY KEY,
    moment ${text} NOT NULL,
    began ${text} NOT NULL
  ) ${withoutRowid}`
  yield* sql`CREATE TABLE plane_sync_hearing (
    workspace ${text} PRIMARY KEY,
    hook ${number} NOT NULL,
    heard_at ${number} NOT NULL,
    echoes ${number} NOT NULL,
    misses ${number} NOT NULL,
    judged_at ${number} NOT NULL,
    silent_since ${number}
  ) ${withoutRowid}`
})

/** The work items whose comments are to be read: see `Unread`. Those that wait longest come first. */
export const unreadTable: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { number, text, withoutRowid } = yield* ddl
  yield* sql`CREATE TABLE plane_sync_unread (
    item ${text} PRIMARY KEY,
    project ${text} NOT NULL,
    changed ${text} NOT NULL,
    since ${number} NOT NULL,
    listed_at ${number} NOT NULL
  ) ${withoutRowid}`
  yield* sql`CREATE INDEX plane_sync_unread_since ON plane_sync_unread (project, since, item)`
})
