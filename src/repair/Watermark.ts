import type { SqlError } from "@effect/sql/SqlError"
import { Duration, Effect } from "effect"
import { earlier, EpochMillis } from "../base/Time.js"
import type { PlaneMoment } from "../domain/PlaneMoment.js"
import { epochOf, momentOf } from "../domain/PlaneMoment.js"
import type { Sql } from "../storage/Sql.js"

/**
 * How far the changes of a project were read. Both moments are the largest that a list has shown. Our clock never is
 * the source, because it may differ from Plane's.
 */
export interface Watermark {
  /** Up to where. */
  readonly moment: PlaneMoment
  /** From where on: what was done until the first round is no news of a work item that was never heard of. */
  readonly began: PlaneMoment
}

// Plane's workers date a change a second time, some seconds after its answer.
const overlap = Duration.minutes(1)

/** From which moment on a list is read that was read up to a moment before. */
export const readFrom = (moment: PlaneMoment): PlaneMoment => momentOf(earlier(epochOf(moment), overlap))

/** The watermark of a project that had no work items. */
export const beforeAll: PlaneMoment = momentOf(EpochMillis(Duration.toMillis(overlap)))

export const readWatermark = (sql: Sql, project: string): Effect.Effect<Watermark | undefined, SqlError> =>
  Effect.map(
    sql<Watermark>`SELECT moment, began FROM plane_sync_watermark WHERE project = ${project}`,
    ([row]) => row
  )

/** It never goes back, whoever else reads the same project. */
export const keepWatermark = (sql: Sql, project: string, { began, moment }: Watermark): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`INSERT INTO plane_sync_watermark AS held (project, moment, began)
    VALUES (${project}, ${moment}, ${began})
    ON CONFLICT (project) DO UPDATE SET moment = excluded.moment WHERE excluded.moment > held.moment`)
