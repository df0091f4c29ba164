import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { ddl } from "../storage/Ddl.js"
import type { Migration } from "../storage/Migrations.js"

/**
 * What people have answered to a task's questions: `Answers.ts`. Since when a task is at its stage, however often its
 * agent was launched there; null of one that an older version has let in. And how often in a row a gate's failure was
 * told at its stage.
 */
export const answerTable: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { counted, number, text } = yield* ddl
  yield* sql`CREATE TABLE plane_sync_answer (
    id ${counted},
    task ${number} NOT NULL,
    stage ${text} NOT NULL,
    question ${text} NOT NULL,
    agent ${text},
    answer ${text} NOT NULL,
    given_by ${text} NOT NULL,
    at ${number} NOT NULL
  )`
  yield* sql`CREATE INDEX plane_sync_answer_task ON plane_sync_answer (task, id)`
  yield* sql`ALTER TABLE plane_sync_task ADD COLUMN entered_at ${number}`
  yield* sql`ALTER TABLE plane_sync_verdict ADD COLUMN failed ${number} NOT NULL DEFAULT 0`
})
