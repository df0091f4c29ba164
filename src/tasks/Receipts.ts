import { Schema } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { Moment } from "../base/Time.js"
import type { Stage } from "../domain/Stage.js"
import type { StageShare, TaskReceipt } from "../domain/TaskReceipt.js"
import { taskReceipt } from "../domain/TaskReceipt.js"
import { usageColumns, usageOfRow, UsageRow } from "../domain/Usage.js"

/** What of a row of a task its receipt is made of. `stages` and `usage`: its rows of these tables, as JSON. */
export interface ReceiptColumns {
  readonly stages: string
  readonly usage: string
  readonly pastPullRequests: string | null
  readonly repositoryName: string | null
  readonly pullRequest: number | null
}

/** The columns of `plane_sync_task_stage` and of `plane_sync_task_usage` that are read, by their names in the JSON. */
export const receiptFields = {
  stages: { stage: "stage", millis: "millis", attempts: "attempts", failures: "failures", since: "since" },
  usage: usageColumns
}

const StageRow = Schema.Struct({
  stage: Schema.String,
  millis: Schema.Number,
  attempts: Schema.Number,
  failures: Schema.Number,
  since: Schema.NullOr(Moment)
})

const stagesOf = Schema.decodeSync(Schema.parseJson(Schema.Array(StageRow)))

const usageRowsOf = Schema.decodeSync(Schema.parseJson(Schema.Array(UsageRow)))

const namesOf = Schema.decodeSync(Schema.parseJson(Schema.Array(Schema.String)))

const shareOf =
  (now: EpochMillis) => ({ attempts, failures, millis, since, stage }: typeof StageRow.Type): StageShare => ({
    stage,
    // The clock may have been set back.
    seconds: Math.floor((millis + (since === null ? 0 : Math.max(now - since, 0))) / 1000),
    attempts,
    failedGates: failures
  })

/**
 * The receipt of a task up to now, without what events have used. `order` has the stages of its pipeline; others come
 * after them, by their names.
 */
export const receiptOfRow = (
  { pastPullRequests, pullRequest, repositoryName, stages, usage }: ReceiptColumns,
  order: ReadonlyArray<Stage>,
  now: EpochMillis
): TaskReceipt => {
  const rows = Array.from(stagesOf(stages)).sort((one, other) => one.stage < other.stage ? -1 : 1)
  const known = order.flatMap((stage) => rows.filter((row) => row.stage === stage))
  const others = rows.filter(({ stage }) => !order.includes(stage))
  return taskReceipt({
    stages: [...known, ...others].map(shareOf(now)),
    pullRequests: [
      ...namesOf(pastPullRequests ?? "[]"),
      ...(pullRequest === null ? [] : [`${repositoryName ?? ""}#${pullRequest}`])
    ],
    usage: usageRowsOf(usage).map(usageOfRow)
  })
}
