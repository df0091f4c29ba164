import type { SqlError } from "@effect/sql/SqlError"
import type { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { Sql } from "../storage/Sql.js"
import type { DeadCode } from "./DeadCode.js"

/** The dead letters of one code in one project. */
export interface DeadGroup {
  readonly code: DeadCode
  /** Its identifier; empty for those whose key begins with none. */
  readonly project: string
  readonly letters: number
  /** When the first and the last of them became dead letters. */
  readonly firstAt: EpochMillis
  readonly lastAt: EpochMillis
  /** Of the newest one. */
  readonly id: number
  readonly reason: string
  readonly workItem: string
}

/** No more are looked at: this is read often, and after a long outage there may be very many. */
export const mostGrouped = 10_000

/** The dead letters by code and project, the group of the newest first. Of more than 10,000 the newest. */
export const readDeadGroups = (sql: Sql): Effect.Effect<ReadonlyArray<DeadGroup>, SqlError> =>
  sql<DeadGroup>`SELECT grouped.code, grouped.project, grouped.letters, grouped."firstAt", grouped."lastAt",
      newest.id, newest.reason, event.work_item AS "workItem"
    FROM (SELECT far.code, coalesce(lane.project, '') AS project, count(*) AS letters,
        min(far.settled_at) AS "firstAt", max(far.settled_at) AS "lastAt", max(far.id) AS id
      FROM (SELECT id, code, lane, coalesce(settled_at, planned_at) AS settled_at FROM plane_sync_delivery
        WHERE status = 'dead' ORDER BY id DESC LIMIT ${sql.literal(String(mostGrouped))}) far
      LEFT JOIN plane_sync_lane lane ON lane.id = far.lane
      GROUP BY far.code, coalesce(lane.project, '')) grouped
    JOIN plane_sync_delivery newest ON newest.id = grouped.id
    JOIN plane_sync_event event ON event.sequence = newest.first_event ORDER BY newest.id DESC`
