import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { ddl } from "../storage/Ddl.js"
import type { Migration } from "../storage/Migrations.js"

/** What Gitea's hooks told: the newest facts about each pull request, each check of a commit and each reviewer. */
export const giteaTables: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { number, text, withoutRowid } = yield* ddl

  yield* sql`CREATE TABLE plane_sync_pull_request (
    repository ${number} NOT NULL,
    number ${number} NOT NULL,
    name ${text} NOT NULL,
    work_item ${text},
    fork ${number} NOT NULL,
    open ${number} NOT NULL,
    merged ${number} NOT NULL,
    head_sha ${text} NOT NULL,
    created_at ${number} NOT NULL,
    updated_at ${number} NOT NULL,
    rank ${number} NOT NULL,
    received_at ${number} NOT NULL,
    PRIMARY KEY (repository, number)
  ) ${withoutRowid}`
  yield* sql`CREATE INDEX plane_sync_pull_request_work_item ON plane_sync_pull_request (work_item)
    WHERE work_item IS NOT NULL`
  yield* sql`CREATE INDEX plane_sync_pull_request_head ON plane_sync_pull_request (repository, head_sha)`
  yield* sql`CREATE INDEX plane_sync_pull_request_closed ON plane_sync_pull_request (received_at) WHERE open = 0`

  yield* sql`CREATE TABLE plane_sync_commit_status (
    repository ${number} NOT NULL,
    sha ${text} NOT NULL,
    context ${text} NOT NULL,
    status_id ${number} NOT NULL,
    state ${text} NOT NULL,
    description ${text} NOT NULL,
    received_at ${number} NOT NULL,
    PRIMARY KEY (repository, sha, context)
  ) ${withoutRowid}`
  yield* sql`CREATE INDEX plane_sync_commit_status_received ON plane_sync_commit_status (received_at)`

  yield* sql`CREATE TABLE plane_sync_review (
    repository ${number} NOT NULL,
    number ${number} NOT NULL,
    reviewer ${text} NOT NULL,
    approved ${number} NOT NULL,
    content ${text} NOT NULL,
    head_sha ${text} NOT NULL,
    updated_at ${number} NOT NULL,
    PRIMARY KEY (repository, number, reviewer)
  ) ${withoutRowid}`
})

/**
 * What decides whether a pull request counts, and which work items it is about: as many as it names. What was stored
 * before has no base branch, and no moment of its merge, so it counts again when Gitea tells of it.
 */
export const claimTable: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { isSqlite, number, text, withoutRowid } = yield* ddl

  yield* sql`ALTER TABLE plane_sync_pull_request ADD COLUMN base ${text}`
  yield* sql`ALTER TABLE plane_sync_pull_request ADD COLUMN default_branch ${text}`
  yield* sql`ALTER TABLE plane_sync_pull_request ADD COLUMN draft ${number} NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_pull_request ADD COLUMN author ${text}`
  yield* sql`ALTER TABLE plane_sync_pull_request ADD COLUMN merged_at ${number}`
  yield* sql`ALTER TABLE plane_sync_pull_request ADD COLUMN merge_heard_at ${number}`
  // How much the text says of which the claims were read, and when it was written: see \`rememberClaims\`.
  yield* sql`ALTER TABLE plane_sync_pull_request ADD COLUMN text_rank ${number} NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_pull_request ADD COLUMN text_at ${number} NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_commit_status ADD COLUMN creator ${text}`

  yield* sql`CREATE TABLE plane_sync_claim (
    repository ${number} NOT NULL,
    number ${number} NOT NULL,
    key ${text} NOT NULL,
    kind ${text} NOT NULL CHECK (kind IN ('about', 'reverts')),
    PRIMARY KEY (repository, number, key)
  ) ${withoutRowid}`
  yield* sql`CREATE INDEX plane_sync_claim_key ON plane_sync_claim (key)`
  if (isSqlite) {
    yield* sql`INSERT INTO plane_sync_claim (repository, number, key, kind)
      SELECT repository, number, work_item, 'about' FROM plane_sync_pull_request WHERE work_item IS NOT NULL`
    // The claims of those that are open were read in another way, so they are read again when Gitea is asked.
    yield* sql`UPDATE plane_sync_pull_request SET text_rank = 1, text_at = updated_at * 8 WHERE open = 0`
  }
  yield* sql`CREATE INDEX plane_sync_pull_request_open ON plane_sync_pull_request (repository) WHERE open = 1`

  // The repositories that were heard of. A repository keeps its id when it is renamed. `stirs` counts what was
  // delivered of it, and told nothing itself, since it was asked last.
  yield* sql`CREATE TABLE plane_sync_repository (
    id ${number} PRIMARY KEY,
    name ${text} NOT NULL,
    stirs ${number} NOT NULL DEFAULT 0,
    asked_at ${number} NOT NULL DEFAULT 0,
    due_at ${number} NOT NULL DEFAULT 0
  )`
  yield* sql`CREATE INDEX plane_sync_repository_name ON plane_sync_repository (lower(name))`
  yield* sql`CREATE INDEX plane_sync_repository_due ON plane_sync_repository (due_at)`
  if (isSqlite) {
    yield* sql`INSERT INTO plane_sync_repository (id, name)
      SELECT repository, name FROM (
        SELECT repository, name, max(updated_at) FROM plane_sync_pull_request GROUP BY repository)`
  }
  yield* sql`ALTER TABLE plane_sync_pull_request DROP COLUMN name`
  yield* sql`DROP INDEX plane_sync_pull_request_work_item`
  yield* sql`ALTER TABLE plane_sync_pull_request DROP COLUMN work_item`
})

/** The heads that a pull request has left since Gitea last changed it, as far as hooks and answers told. */
export const leftHeadsColumn: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { text } = yield* ddl
  yield* sql`ALTER TABLE plane_sync_pull_request ADD COLUMN left_heads ${text} NOT NULL DEFAULT '[]'`
})

/** The pages of pull requests and of checks, where Gitea tells them. */
export const pageColumns: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { text } = yield* ddl
  yield* sql`ALTER TABLE plane_sync_pull_request ADD COLUMN page ${text}`
  yield* sql`ALTER TABLE plane_sync_commit_status ADD COLUMN page ${text}`
})
