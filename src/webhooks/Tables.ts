import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { ddl } from "../storage/Ddl.js"
import type { Migration } from "../storage/Migrations.js"

/** The hooks that came in, in the order of arrival. */
export const hookTables: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { counted, number, text } = yield* ddl

  yield* sql`CREATE TABLE plane_sync_webhook (
    id ${counted},
    source ${text} NOT NULL CHECK (source IN ('plane', 'gitea')),
    delivery ${text} NOT NULL,
    event ${text} NOT NULL,
    digest ${text} NOT NULL,
    characters ${number} NOT NULL,
    received_at ${number} NOT NULL,
    due_at ${number} NOT NULL DEFAULT 0,
    status ${text} NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'done', 'skipped')),
    reason ${text},
    moved ${text}
  )`
  // Bodies have a table of their own, because changing a row writes all of it, and a body may have megabytes.
  yield* sql`CREATE TABLE plane_sync_webhook_body (id ${number} PRIMARY KEY, body ${text} NOT NULL)`
  yield* sql`CREATE INDEX plane_sync_webhook_due ON plane_sync_webhook (due_at, id) WHERE status = 'pending'`
  yield* sql`CREATE INDEX plane_sync_webhook_digest ON plane_sync_webhook (source, digest) WHERE status = 'done'`
  yield* sql`CREATE INDEX plane_sync_webhook_delivery ON plane_sync_webhook (source, delivery) WHERE status = 'done'`
  yield* sql`CREATE INDEX plane_sync_webhook_status ON plane_sync_webhook (status, id)`
})

/** Which work item, pull request or commit a hook is about (`HooksAbout.ts`). */
export const hookSubjects: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { number, text, withoutRowid } = yield* ddl
  yield* sql`CREATE TABLE plane_sync_webhook_about (about ${text} NOT NULL, hook ${number} NOT NULL,
    PRIMARY KEY (about, hook)) ${withoutRowid}`
  yield* sql`CREATE INDEX plane_sync_webhook_about_hook ON plane_sync_webhook_about (hook)`
})

/** Whose secret a hook is signed with. What is stored is of before there was more than one. */
export const signerColumn: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { text } = yield* ddl
  yield* sql`ALTER TABLE plane_sync_webhook ADD COLUMN signer ${text} NOT NULL DEFAULT ''`
})

/**
 * With the signer, a hook that came before is found by all that is asked for. Otherwise SQLite took the index of the
 * status instead, and read all hooks that are kept. On Postgres the column that only one hook has comes first: without
 * statistics it would take either index for both.
 */
export const signerIndexes: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { isSqlite } = yield* ddl
  const by = (column: string) => sql.literal(isSqlite ? `source, ${column}, signer` : `${column}, source, signer`)
  yield* sql`DROP INDEX plane_sync_webhook_digest`
  yield* sql`DROP INDEX plane_sync_webhook_delivery`
  yield* sql`CREATE INDEX plane_sync_webhook_digest ON plane_sync_webhook (${by("digest")})
    WHERE status = 'done'`
  yield* sql`CREATE INDEX plane_sync_webhook_delivery ON plane_sync_webhook (${by("delivery")})
    WHERE status = 'done'`
})

/**
 * 1: the hook came with a signature. The signer does not tell, because it is empty where all is let in, too. What was
 * stored before this was kept counts as unsigned: no command in it is done.
 */
export const signedColumn: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { number } = yield* ddl
  yield* sql`ALTER TABLE plane_sync_webhook ADD COLUMN is_signed ${number} NOT NULL DEFAULT 0`
})
