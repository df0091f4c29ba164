import type { SqlError } from "@effect/sql/SqlError"
import { Duration, Effect } from "effect"
import { EpochMillis } from "../base/Time.js"
import { earlier } from "../base/Time.js"
import type { PlaneMoment } from "../domain/PlaneMoment.js"
import { epochOf, momentOf } from "../domain/PlaneMoment.js"
import type { Sql } from "../storage/Sql.js"

// Plane's workers date a change a second time, some seconds after its answer.
const overlap = Duration.minutes(1)

/** From which moment on a list is read that was read up to a watermark before. */
export const readFrom = (watermark: PlaneMoment): PlaneMoment => momentOf(earlier(epochOf(watermark), overlap))

/** The watermark of a project that had no work items. */
export const beforeAll: PlaneMoment = momentOf(EpochMillis(Duration.toMillis(overlap)))

/**
 * Up to which moment, by Plane's clock, the changes of a project were read: the largest that a list has shown. Our
 * clock never is the source, because the two may differ.
 */
export const readWatermark = (sql: Sql, project: string): Effect.Effect<PlaneMoment | undefined, SqlError> =>
  Effect.map(
    sql<{ moment: PlaneMoment }>`SELECT moment FROM plane_sync_watermark WHERE project = ${project}`,
    ([row]) => row?.moment
  )

/** It never goes back, whoever else reads the same project. */
export const keepWatermark = (sql: Sql, project: string, moment: PlaneMoment): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`INSERT INTO plane_sync_watermark (project, moment) VALUES (${project}, ${moment})
    ON CONFLICT (project) DO UPDATE SET moment = max(moment, excluded.moment)`)
