import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import type { EpochMillis } from "../base/Time.js"
import type { Stage } from "../domain/Stage.js"
import type { Usage, UsageRow } from "../domain/Usage.js"
import { addUsage, cleanUsage, rowOfUsage, usageOfRow } from "../domain/Usage.js"
import type { Sql } from "../storage/Sql.js"
import type { ReportOutcome, TaskId } from "./Task.js"

/** A report, as far as it tells a repetition of it from another one. */
export interface UsageReport {
  readonly stage: Stage
  readonly outcome: ReportOutcome
  readonly reason: string | null
  readonly id: string | undefined
  readonly usage: Usage
}

/**
 * What makes two reports one: their id; or else all that they say, within one attempt at the stage. A report that is
 * repeated because its answer was lost may come after the task has left the stage, so its present stage does not count.
 */
const identity = ({ id, outcome, reason, stage, usage }: UsageReport, attempt: number): string => {
  if (id !== undefined) return `id ${id}`
  const { costUsd, inputTokens, model, outputTokens } = usage
  const said = JSON.stringify([stage, attempt, outcome, reason, [model, inputTokens, outputTokens, costUsd]])
  return createHash("sha256").update(said).digest("hex")
}

/**
 * Adds what an agent has reported to the sums of a task, once for each report. Within the transaction of the report,
 * after the task's row is locked.
 */
export const countUsage = (
  sql: Sql,
  taskId: TaskId,
  given: UsageReport,
  now: EpochMillis
): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    const report = { ...given, usage: cleanUsage(given.usage) }
    const [entered] = yield* sql<{ attempts: number }>`SELECT attempts FROM plane_sync_task_stage
      WHERE task = ${taskId} AND stage = ${report.stage}`
    // A report that comes ahead of its stage is of the first attempt.
    const [isNew] = yield* sql`INSERT INTO plane_sync_counted_report (task, report)
      VALUES (${taskId}, ${identity(report, Math.max(entered?.attempts ?? 0, 1))})
      ON CONFLICT (task, report) DO NOTHING RETURNING 1`
    if (isNew === undefined) return
    const model = report.usage.model ?? ""
    const [row] = yield* sql<UsageRow>`SELECT model, input_tokens AS "inputTokens", output_tokens AS "outputTokens",
      micros FROM plane_sync_task_usage WHERE task = ${taskId} AND model = ${model}`
    const { inputTokens, micros, outputTokens } = rowOfUsage(
      row === undefined ? report.usage : addUsage(usageOfRow(row), report.usage)
    )
    yield* sql`INSERT INTO plane_sync_task_usage (task, model, input_tokens, output_tokens, micros)
      VALUES (${taskId}, ${model}, ${inputTokens}, ${outputTokens}, ${micros})
      ON CONFLICT (task, model) DO UPDATE SET input_tokens = excluded.input_tokens,
        output_tokens = excluded.output_tokens, micros = excluded.micros`
    yield* sql`UPDATE plane_sync_task SET updated_at = ${now} WHERE id = ${taskId}`
  })
