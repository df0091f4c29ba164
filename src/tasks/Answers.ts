import type { SqlError } from "@effect/sql/SqlError"
import { Array as Arr, Effect, Order, Schema } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { Stage } from "../domain/Stage.js"
import type { Sql } from "../storage/Sql.js"
import type { Answer, TaskId } from "./Task.js"

/** The columns of `plane_sync_answer` that are read, by their names in the JSON. */
export const answerFields = {
  id: "id",
  stage: "stage",
  question: "question",
  agent: "agent",
  answer: "answer",
  by: "given_by",
  at: "at"
}

const rowsOf = Schema.decodeSync(Schema.parseJson(Schema.Array(Schema.Struct({
  id: Schema.Number,
  stage: Schema.String,
  question: Schema.String,
  agent: Schema.OptionFromNullOr(Schema.String),
  answer: Schema.String,
  by: Schema.String,
  at: Schema.DateTimeUtcFromNumber
}))))

/** The answers of a task, the oldest first, from its rows as JSON. */
export const answersOf = (rows: string): ReadonlyArray<Answer> =>
  Arr.sortWith(rowsOf(rows), ({ id }) => id, Order.number).map((
    { agent, answer, at, by, question, stage }
  ) => ({ stage, question, agent, answer, by, at }))

/** How many answers of a task are kept. */
const kept = 50

/** An answer as it is stored: its texts are cleaned. */
export interface NewAnswer {
  readonly stage: Stage
  readonly question: string
  readonly agent: string | null
  readonly answer: string
  readonly by: string
}

/** Keeps an answer with its task. Only the newest 50 are kept. Within the transaction that has locked the task. */
export const keepAnswer = (
  sql: Sql,
  taskId: TaskId,
  { agent, answer, by, question, stage }: NewAnswer,
  now: EpochMillis
): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    yield* sql`INSERT INTO plane_sync_answer (task, stage, question, agent, answer, given_by, at)
      VALUES (${taskId}, ${stage}, ${question}, ${agent}, ${answer}, ${by}, ${now})`
    yield* sql`DELETE FROM plane_sync_answer WHERE task = ${taskId} AND id <= (
      SELECT id FROM plane_sync_answer WHERE task = ${taskId}
      ORDER BY id DESC LIMIT 1 OFFSET ${sql.literal(String(kept))})`
  })

/** The task starts anew: what was answered before is not said to its agents again. */
export const forgetAnswers = (sql: Sql, taskId: TaskId): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`DELETE FROM plane_sync_answer WHERE task = ${taskId}`)
