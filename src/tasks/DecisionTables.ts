import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { ddl } from "../storage/Ddl.js"
import type { Migration } from "../storage/Migrations.js"

/**
 * What people have said of the stages of tasks (`Decisions.ts`), and who has stopped the launching of a task's agents,
 * since when: null while nobody has (`LaunchPause.ts`).
 */
export const decisionTable: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { number, text, withoutRowid } = yield* ddl
  yield* sql`CREATE TABLE plane_sync_decision (
    task ${number} NOT NULL,
    stage ${text} NOT NULL,
    outcome ${text} NOT NULL CHECK (outcome IN ('approved', 'rejected')),
    reason ${text},
    decided_by ${text} NOT NULL,
    at ${number} NOT NULL,
    PRIMARY KEY (task, stage)
  ) ${withoutRowid}`
  yield* sql`ALTER TABLE plane_sync_task ADD COLUMN launches_paused_by ${text}`
  yield* sql`ALTER TABLE plane_sync_task ADD COLUMN launches_paused_at ${number}`
})
