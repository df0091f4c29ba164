import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { ddl } from "../storage/Ddl.js"
import type { Migration } from "../storage/Migrations.js"

/**
 * Tasks may wait for an `approval`, and a notice that is dead may be `discarded`. SQLite cannot change what a table
 * checks, so there both tables are made anew, with their rows and the numbers that they have come to.
 */
export const approvalTables: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { counted, isSqlite, number, text } = yield* ddl
  if (!isSqlite) {
    yield* sql`ALTER TABLE plane_sync_wait DROP CONSTRAINT plane_sync_wait_reason_check,
      ADD CONSTRAINT plane_sync_wait_reason_check
        CHECK (reason IN ('asked', 'gate_failed', 'patience', 'ceiling', 'dead_letter', 'approval'))`
    yield* sql`ALTER TABLE plane_sync_notice DROP CONSTRAINT plane_sync_notice_status_check,
      ADD CONSTRAINT plane_sync_notice_status_check CHECK (status IN ('pending', 'delivered', 'dead', 'discarded'))`
    return
  }
  yield* sql`ALTER TABLE plane_sync_wait RENAME TO plane_sync_wait_before`
  yield* sql`CREATE TABLE plane_sync_wait (
    id ${counted},
    task ${number} NOT NULL,
    work_item ${text} NOT NULL,
    entry ${text} NOT NULL,
    stage ${text} NOT NULL,
    reason ${text} NOT NULL
      CHECK (reason IN ('asked', 'gate_failed', 'patience', 'ceiling', 'dead_letter', 'approval')),
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
  yield* sql`INSERT INTO plane_sync_wait SELECT id, task, work_item, entry, stage, reason, same, question, agent, told,
    opened_at, state, why, closed_by, closed_at, reached, step, escalate_at FROM plane_sync_wait_before`
  yield* sql`DELETE FROM sqlite_sequence WHERE name = 'plane_sync_wait'`
  yield* sql`UPDATE sqlite_sequence SET name = 'plane_sync_wait' WHERE name = 'plane_sync_wait_before'`
  yield* sql`DROP TABLE plane_sync_wait_before`
  yield* sql`CREATE INDEX plane_sync_wait_open ON plane_sync_wait (id) WHERE state = 'open'`
  yield* sql`CREATE INDEX plane_sync_wait_escalate ON plane_sync_wait (escalate_at) WHERE escalate_at IS NOT NULL`
  yield* sql`CREATE INDEX plane_sync_wait_closed ON plane_sync_wait (closed_at) WHERE closed_at IS NOT NULL`

  yield* sql`ALTER TABLE plane_sync_notice RENAME TO plane_sync_notice_before`
  yield* sql`CREATE TABLE plane_sync_notice (
    id ${counted},
    wait ${number} NOT NULL,
    kind ${text} NOT NULL CHECK (kind IN ('opened', 'escalated', 'answered', 'withdrawn')),
    body ${text} NOT NULL,
    status ${text} NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'dead', 'discarded')),
    attempts ${number} NOT NULL DEFAULT 0,
    due_at ${number} NOT NULL DEFAULT 0,
    made_at ${number} NOT NULL,
    settled_at ${number},
    reason ${text}
  )`
  yield* sql`INSERT INTO plane_sync_notice SELECT id, wait, kind, body, status, attempts, due_at, made_at, settled_at,
    reason FROM plane_sync_notice_before`
  yield* sql`DELETE FROM sqlite_sequence WHERE name = 'plane_sync_notice'`
  yield* sql`UPDATE sqlite_sequence SET name = 'plane_sync_notice' WHERE name = 'plane_sync_notice_before'`
  yield* sql`DROP TABLE plane_sync_notice_before`
  yield* sql`CREATE INDEX plane_sync_notice_status ON plane_sync_notice (status, id)`
  yield* sql`CREATE INDEX plane_sync_notice_wait ON plane_sync_notice (wait, id)`
})
