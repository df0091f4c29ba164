import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { ItemId } from "../domain/Ids.js"
import type { NormalizedKey } from "../domain/WorkItemKey.js"
import type { Sql } from "../storage/Sql.js"
import type { DeadCode } from "./DeadCode.js"

/** A work item's dead letter. */
export interface DeadOfItem {
  readonly id: number
  /** The item id or the key that was asked for. */
  readonly name: string
  readonly code: DeadCode
  readonly reason: string
  readonly settledAt: EpochMillis
}

/** The dead letters of these work items, the newest first. Each is asked for by its item id, or by its key. */
export const deadOfItems = (
  sql: Sql,
  names: ReadonlyArray<ItemId | NormalizedKey>
): Effect.Effect<ReadonlyArray<DeadOfItem>, SqlError> =>
  Effect.map(
    sql<DeadOfItem>`SELECT d.id, lane.name, d.code, d.reason, coalesce(d.settled_at, d.planned_at) AS "settledAt"
      FROM plane_sync_lane lane
      JOIN plane_sync_delivery d ON d.lane = coalesce(lane.target, lane.id) AND coalesce(d.status, '') = 'dead'
      WHERE lane.name IN ${sql.texts(names)}`,
    (rows) => rows.toSorted((one, other) => other.id - one.id)
  )
