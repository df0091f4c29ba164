import type { SqlError } from "@effect/sql/SqlError"
import type { DateTime } from "effect"
import { Effect, Option, Schema } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { Stage } from "../domain/Stage.js"
import type { Sql } from "../storage/Sql.js"
import type { TaskId } from "./Task.js"

/** What a person has said of a stage of a task, for the gate `human`. It is forgotten when the stage is entered again. */
export interface Decision {
  readonly stage: Stage
  readonly outcome: "approved" | "rejected"
  /** Why it was rejected. */
  readonly reason: Option.Option<string>
  /** Who it was, as people read it. */
  readonly by: string
  readonly at: DateTime.Utc
}

/** The columns of `plane_sync_decision` that are read, by their names in the JSON. */
export const decisionFields = { stage: "stage", outcome: "outcome", reason: "reason", by: "decided_by", at: "at" }

/** The decisions of a row, of the JSON of these columns. */
export const decisionsOf: (json: string) => ReadonlyArray<Decision> = Schema.decodeSync(
  Schema.parseJson(Schema.Array(Schema.Struct({
    stage: Schema.String,
    outcome: Schema.Literal("approved", "rejected"),
    reason: Schema.OptionFromNullOr(Schema.String),
    by: Schema.String,
    at: Schema.DateTimeUtcFromNumber
  })))
)

/**
 * Stores what a person says of the task's stage, in place of what was said before; not in place of what was said later,
 * because hooks come in any order. Says whether it counts. Runs within a transaction.
 */
export const decide = (
  sql: Sql,
  taskId: TaskId,
  { by, outcome, reason, stage }: Omit<Decision, "at">,
  at: EpochMillis
): Effect.Effect<boolean, SqlError> =>
  Effect.map(
    sql`INSERT INTO plane_sync_decision (task, stage, outcome, reason, decided_by, at)
    VALUES (${taskId}, ${stage}, ${outcome}, ${Option.getOrNull(reason)}, ${by}, ${at})
    ON CONFLICT (task, stage) DO UPDATE SET outcome = excluded.outcome, reason = excluded.reason,
      decided_by = excluded.decided_by, at = excluded.at WHERE plane_sync_decision.at <= excluded.at RETURNING 1`,
    (rows) => rows.length > 0
  )

/** The task enters the stage, or all of them anew: what was said before does not count. Runs within a transaction. */
export const forgetDecisions = (sql: Sql, taskId: TaskId, stage?: Stage): Effect.Effect<void, SqlError> =>
  Effect.asVoid(
    sql`DELETE FROM plane_sync_decision WHERE task = ${taskId}${
      stage === undefined ? sql.literal("") : sql` AND stage = ${stage}`
    }`
  )
