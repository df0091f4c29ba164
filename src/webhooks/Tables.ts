import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"

/**
 * What came by webhook: the deliveries themselves, in the order they came, and the facts of Gitea that they told: the
 * newest that is known of each pull request, of each check of a commit and of each reviewer.
 */
export const webhookTables = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  yield* sql`CREATE TABLE plane_sync_webhook (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL CHECK (source IN ('plane', 'gitea')),
    delivery TEXT NOT NULL,
    event TEXT NOT NULL,
    digest TEXT NOT NULL,
    characters INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL DEFAULT 0,
    status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'done', 'skipped')),
    reason TEXT,
    moved TEXT
  )`
  // Apart from what changes: to change a row is to write all of it, and a body may have 5 MiB.
  yield* sql`CREATE TABLE plane_sync_webhook_body (id INTEGER PRIMARY KEY, body TEXT NOT NULL)`
  yield* sql`CREATE INDEX plane_sync_webhook_due ON plane_sync_webhook (due_at, id) WHERE status = 'pending'`
  yield* sql`CREATE INDEX plane_sync_webhook_digest ON plane_sync_webhook (source, digest) WHERE status = 'done'`
  yield* sql`CREATE INDEX plane_sync_webhook_delivery ON plane_sync_webhook (source, delivery) WHERE status = 'done'`
  yield* sql`CREATE INDEX plane_sync_webhook_status ON plane_sync_webhook (status, id)`

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
