import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { ItemId, UserId } from "../domain/Ids.js"
import type { PlaneMoment } from "../domain/PlaneMoment.js"
import type { StateId } from "../domain/StageStates.js"
import type { Sql } from "../storage/Sql.js"

/** What is believed of a work item that has a lane. */
export interface Believed {
  /** When it was last heard of, by Plane's clock. Null: never, so its state may be as old as the work item. */
  readonly heardAt: PlaneMoment | null
  /** The states in which it is expected: the one that was heard, and those that a PATCH of ours may yet bring. */
  readonly states: ReadonlyArray<StateId>
  /** Whose API token has set a state of it; null while none was set. */
  readonly placedBy: UserId | null
}

interface Row extends Omit<Believed, "states"> {
  readonly itemId: ItemId
  readonly heardState: StateId | null
  readonly lateState: StateId | null
  readonly sent: StateId | null
}

/** What is believed of these work items. Those that have no lane are missing. */
export const readBelieved = (
  sql: Sql,
  items: ReadonlyArray<ItemId>
): Effect.Effect<ReadonlyMap<ItemId, Believed>, SqlError> =>
  Effect.map(
    sql<Row>`SELECT l.work_item AS "itemId", l.heard_at AS "heardAt", l.heard_state AS "heardState",
        l.late_state AS "lateState", l.placed_by AS "placedBy",
        (SELECT body FROM plane_sync_delivery d WHERE d.lane = l.id AND d.status = 'pending' AND d.kind = 'state') AS sent
      FROM plane_sync_lane l WHERE l.name IN ${sql.texts(items)} AND l.work_item IS NOT NULL`,
    (rows) =>
      new Map(rows.map(({ heardAt, heardState, itemId, lateState, placedBy, sent }) => [
        itemId,
        { heardAt, placedBy, states: [heardState, lateState, sent].filter((state) => state !== null) }
      ]))
  )

/**
 * Whether a work item is known to be in a state of the group completed or cancelled. Undefined if nothing is known that
 * is as new as a moment of Plane's.
 */
export const isKnownEnded = (
  sql: Sql,
  itemId: ItemId,
  since: PlaneMoment
): Effect.Effect<boolean | undefined, SqlError> =>
  Effect.map(
    sql<{ cancelled: number; completed: number }>`SELECT cancelled, completed FROM plane_sync_lane
      WHERE name = ${itemId} AND state IS NOT NULL AND updated_at >= ${since}`,
    ([known]) => known && (known.cancelled === 1 || known.completed === 1)
  )
