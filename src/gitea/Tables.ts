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

/**
 * What decides whether a pull request counts, and which work items it is about: as many as it names. What was stored
 * before has no base branch, and no moment of its merge, so it counts again when Gitea tells of it.
 */
export const claimTable: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  yield* sql`ALTER TABLE plane_sync_pull_request ADD COLUMN base TEXT`
  yield* sql`ALTER TABLE plane_sync_pull_request ADD COLUMN default_branch TEXT`
  yield* sql`ALTER TABLE plane_sync_pull_request ADD COLUMN draft INTEGER NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_pull_request ADD COLUMN author TEXT`
  yield* sql`ALTER TABLE plane_sync_pull_request ADD COLUMN merged_at INTEGER`
  yield* sql`ALTER TABLE plane_sync_pull_request ADD COLUMN merge_heard_at INTEGER`
  // How much the text says of which the claims were read, and when it was written: see \`rememberClaims\`.
  yield* sql`ALTER TABLE plane_sync_pull_request ADD COLUMN text_rank INTEGER NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_pull_request ADD COLUMN text_at INTEGER NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_commit_status ADD COLUMN creator TEXT`

  yield* sql`CREATE TABLE plane_sync_claim (
    repository INTEGER NOT NULL,
    number INTEGER NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('about', 'reverts')),
    PRIMARY KEY (repository, number, key)
  ) WITHOUT ROWID`
  yield* sql`CREATE INDEX plane_sync_claim_key ON plane_sync_claim (key)`
  yield* sql`INSERT INTO plane_sync_claim (repository, number, key, kind)
    SELECT repository, number, work_item, 'about' FROM plane_sync_pull_request WHERE work_item IS NOT NULL`
  // The claims of those that are open were read in another way, so they are read again when Gitea is asked.
  yield* sql`UPDATE plane_sync_pull_request SET text_rank = 1, text_at = updated_at * 8 WHERE open = 0`
  yield* sql`CREATE INDEX plane_sync_pull_request_open ON plane_sync_pull_request (repository) WHERE open = 1`

  // The repositories that were heard of. A repository keeps its id when it is renamed. `stirs` counts what was
  // delivered of it, and told nothing itself, since it was asked last.
  yield* sql`CREATE TABLE plane_sync_repository (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    stirs INTEGER NOT NULL DEFAULT 0,
    asked_at INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL DEFAULT 0
  )`
  yield* sql`CREATE INDEX plane_sync_repository_name ON plane_sync_repository (lower(name))`
  yield* sql`CREATE INDEX plane_sync_repository_due ON plane_sync_repository (due_at)`
  yield* sql`INSERT INTO plane_sync_repository (id, name)
    SELECT repository, name FROM (
      SELECT repository, name, max(updated_at) FROM plane_sync_pull_request GROUP BY repository)`
  yield* sql`ALTER TABLE plane_sync_pull_request DROP COLUMN name`
  yield* sql`DROP INDEX plane_sync_pull_request_work_item`
  yield* sql`ALTER TABLE plane_sync_pull_request DROP COLUMN work_item`
})

/** The heads that a pull request has left since Gitea last changed it, as far as hooks and answers told. */
export const leftHeadsColumn: Migration = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => sql`ALTER TABLE plane_sync_pull_request ADD COLUMN left_heads TEXT NOT NULL DEFAULT '[]'`
)
