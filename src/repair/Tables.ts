import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import type { Migration } from "../storage/Migrations.js"

/**
 * Up to which moment the changes in each project were read, and from which one on, by Plane's clock: see `Watermark`.
 * And what is known of the webhook of each workspace: see `Hearing`.
 */
export const repairTables: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE plane_sync_watermark (
    project TEXT PRIMARY KEY,
    moment TEXT NOT NULL,
    began TEXT NOT NULL
  ) WITHOUT ROWID`
  yield* sql`CREATE TABLE plane_sync_hearing (
    workspace TEXT PRIMARY KEY,
    hook INTEGER NOT NULL,
    heard_at INTEGER NOT NULL,
    echoes INTEGER NOT NULL,
    misses INTEGER NOT NULL,
    judged_at INTEGER NOT NULL,
    silent_since INTEGER
  ) WITHOUT ROWID`
})
