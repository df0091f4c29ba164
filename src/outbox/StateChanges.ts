import type { SqlError } from "@effect/sql/SqlError"
import type { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { ItemId, UserId } from "../domain/Ids.js"
import type { StateId } from "../domain/StageStates.js"
import type { Sql } from "../storage/Sql.js"

/** A state that we have set, and Plane has said so. */
export interface StateChange {
  /** The identifier of its project. */
  readonly project: string
  readonly itemId: ItemId
  readonly state: StateId
  /** When it was sent. */
  readonly at: EpochMillis
  /** Whose API token it was, where Plane has told. */
  readonly by: UserId | null
}

/** More of them in a minute are not needed to tell whether hooks come. */
const newest = 200

/** The states that were set after a moment, as far as they are among what was delivered last; in no order. */
export const readStateChanges = (
  sql: Sql,
  after: EpochMillis
): Effect.Effect<ReadonlyArray<StateChange>, SqlError> =>
  // Where the state was right already nothing was sent, and there is no answer.
  sql<StateChange>`SELECT l.project, l.work_item AS "itemId", body AS state, sent_at AS at, l.placed_by AS by
    FROM (SELECT lane, kind, body, answer, sent_at FROM plane_sync_delivery WHERE status = 'delivered'
      ORDER BY id DESC LIMIT ${sql.literal(String(newest))}) d
    JOIN plane_sync_lane l ON l.id = lane
    WHERE kind = 'state' AND answer = 200 AND sent_at > ${after}`
