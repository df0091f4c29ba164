import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import type { Migration } from "../storage/Migrations.js"

/** What Gitea's hooks told: the newest facts about each pull request, each check of a commit and each reviewer. */
export const giteaTables: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  yield* sql`CREATE TABLE plane_sync_pull_request (
    repository INTEGER NOT NULL,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    work_item TEXT,
    fork INTEGER NOT NULL,
    open INTEGER NOT NULL,
    merged INTEGER NOT NULL,
    head_sha TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (repository, number)
  ) WITHOUT ROWID`
  yield* sql`CREATE INDEX plane_sync_pull_request_work_item ON plane_sync_pull_request (work_item)
    WHERE work_item IS NOT NULL`
  yield* sql`CREATE INDEX plane_sync_pull_request_head ON plane_sync_pull_request (repository, head_sha)`
  yield* sql`CREATE INDEX plane_sync_pull_request_closed ON plane_sync_pull_request (received_at) WHERE open = 0`

  yield* sql`CREATE TABLE plane_sync_commit_status (
    repository INTEGER NOT NULL,
    sha TEXT NOT NULL,
    context TEXT NOT NULL,
    status_id INTEGER NOT NULL,
    state TEXT NOT NULL,
    description TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (repository, sha, context)
  ) WITHOUT ROWID`
  yield* sql`CREATE INDEX plane_sync_commit_status_received ON plane_sync_commit_status (received_at)`

  yield* sql`CREATE TABLE plane_sync_review (
    repository INTEGER NOT NULL,
    number INTEGER NOT NULL,
    reviewer TEXT NOT NULL,
    approved INTEGER NOT NULL,
    content TEXT NOT NULL,
    head_sha TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (repository, number, reviewer)
  ) WITHOUT ROWID`
})
