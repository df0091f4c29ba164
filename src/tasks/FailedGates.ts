import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option, Schema } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { ItemId } from "../domain/Ids.js"
import type { Stage } from "../domain/Stage.js"
import type { Sql } from "../storage/Sql.js"
import { projectOfTask } from "./ProjectOfTask.js"
import { Page } from "./QualityGate.js"
import type { TaskId } from "./Task.js"

/** A gate that keeps an active task at its stage. */
export interface FailedGate {
  readonly taskId: TaskId
  readonly workItem: string
  readonly itemId: ItemId | null
  readonly project: string
  readonly stage: Stage
  readonly gate: string
  /** Why, in the gate's words; empty where it gave none. */
  readonly reason: string
  /** How often it has failed at this stage since it held last. */
  readonly failed: number
  readonly since: EpochMillis
  /** Where people see the failure. */
  readonly page: Option.Option<Page>
  readonly pullRequest: number | null
}

/** No more are read. */
export const mostFailedGates = 500

const pageOf = Schema.decodeOption(Schema.parseJson(Page))

interface Row extends Omit<FailedGate, "page"> {
  readonly page: string | null
}

/**
 * The gates of active tasks that fail at their stage, the oldest failure first; at most 500. One that has failed three
 * times is among them also while it is asked again.
 */
export const failedGates = (sql: Sql): Effect.Effect<ReadonlyArray<FailedGate>, SqlError> =>
  Effect.map(
    sql<Row>`SELECT t.id AS "taskId", t.work_item AS "workItem", t.plane_id AS "itemId", ${
      projectOfTask(sql)
    } AS project,
        t.stage, v.gate, coalesce(v.reason, '') AS reason, v.failed, coalesce(v.since, v.at) AS since, v.page,
        t.pull_request AS "pullRequest"
      FROM plane_sync_task t JOIN plane_sync_verdict v ON v.task = t.id AND v.stage = t.stage
      WHERE t.status = 'active' AND (v.verdict = 'failed' OR v.verdict = 'pending' AND v.failed >= 3)
      ORDER BY coalesce(v.since, v.at) LIMIT ${sql.literal(String(mostFailedGates))}`,
    (rows) => rows.map(({ page, ...row }) => ({ ...row, page: page === null ? Option.none() : pageOf(page) }))
  )
