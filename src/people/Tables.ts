import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { ddl } from "../storage/Ddl.js"
import type { Migration } from "../storage/Migrations.js"

/**
 * What tasks wait for somebody for: `Waits.ts`. A row is one entry of a stage, one reason, and one `same`: which
 * question, gate or ceiling it is. `told` is the id of the event whose comment says it; `reached` a JSON array of those
 * who were asked, `step` how many of the attention list they are.
 *
 * `plane_sync_notice` has what is sent about it outside of Plane, in the order of `id`: `Notices.ts`.
 */
export const waitTables: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { counted, number, text } = yield* ddl
  yield* sql`CREATE TABLE plane_sync_wait (
    id ${counted},
    task ${number} NOT NULL,
    work_item ${text} NOT NULL,
    entry ${text} NOT NULL,
    stage ${text} NOT NULL,
    reason ${text} NOT NULL CHECK (reason IN ('asked', 'gate_failed', 'patience', 'ceiling', 'dead_letter')),
    same ${text} NOT NULL,
    question ${text} NOT NULL,
    agent ${text},
    told ${text},
    opened_at ${number} NOT NULL,
    state ${text} NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'answered', 'withdrawn')),
    why ${text},
    closed_by ${text},
    closed_at ${number},
    reached ${text} NOT NULL DEFAULT '[]',
    step ${number} NOT NULL DEFAULT 0,
    escalate_at ${number},
    UNIQUE (task, entry, reason, same)
  )`
  yield* sql`CREATE INDEX plane_sync_wait_open ON plane_sync_wait (id) WHERE state = 'open'`
  yield* sql`CREATE INDEX plane_sync_wait_escalate ON plane_sync_wait (escalate_at) WHERE escalate_at IS NOT NULL`
  yield* sql`CREATE INDEX plane_sync_wait_closed ON plane_sync_wait (closed_at) WHERE closed_at IS NOT NULL`

  yield* sql`CREATE TABLE plane_sync_notice (
    id ${counted},
    wait ${number} NOT NULL,
    kind ${text} NOT NULL CHECK (kind IN ('opened', 'escalated', 'answered', 'withdrawn')),
    body ${text} NOT NULL,
    status ${text} NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'dead')),
    attempts ${number} NOT NULL DEFAULT 0,
    due_at ${number} NOT NULL DEFAULT 0,
    made_at ${number} NOT NULL,
    settled_at ${number},
    reason ${text}
  )`
  yield* sql`CREATE INDEX plane_sync_notice_status ON plane_sync_notice (status, id)`
  yield* sql`CREATE INDEX plane_sync_notice_wait ON plane_sync_notice (wait, id)`
})

/**
 * The comments that were taken for commands, by Plane's ids of them, so that each is done once however often it is
 * told. They stay as long as their tasks do. `words`: what came of it. `replied`: 1 if that was said in Plane.
 */
export const commandTable: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { number, text, withoutRowid } = yield* ddl
  yield* sql`CREATE TABLE plane_sync_command (
    comment ${text} PRIMARY KEY,
    task ${number} NOT NULL,
    word ${text} NOT NULL,
    words ${text} NOT NULL DEFAULT '',
    replied ${number} NOT NULL DEFAULT 0,
    at ${number} NOT NULL
  ) ${withoutRowid}`
  yield* sql`CREATE INDEX plane_sync_command_task ON plane_sync_command (task, at)`
})

/**
 * 1: the comment was only read in Plane, so nothing was done but to say that it is to be written again. If that was not
 * said, and its hook comes after all, it counts.
 */
export const unheardColumn: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { number } = yield* ddl
  yield* sql`ALTER TABLE plane_sync_command ADD COLUMN unheard ${number} NOT NULL DEFAULT 0`
})
