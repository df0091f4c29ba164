import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { ItemId, LaneId, UserId } from "../domain/Ids.js"
import type { Stage } from "../domain/Stage.js"
import type { StateId } from "../domain/StageStates.js"
import type { Sql } from "../storage/Sql.js"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { moreUrgent } from "./LaneUpdate.js"
import type { EventStatus } from "./StoredEvent.js"
import { makeTally } from "./Tally.js"
import { keepTurnsAway } from "./Turns.js"

/** A work item that owes no state, with the last stage that was published of it. */
export interface AtStage {
  readonly lane: LaneId
  readonly itemId: ItemId
  readonly stage: Stage
  /** Whose API token has set its state; null while none was set. */
  readonly placedBy: UserId | null
}

/** How many one statement reads. */
const batch = 500

/**
 * The work items of a project that owe no state, from a lane on, with their stages. A stage that was published before
 * what is kept is not known any more. Where a person has ended the task, that stands.
 */
const readAtStage = (sql: Sql, project: string, after: number) =>
  sql<AtStage & { readonly isOne: number }>`SELECT l.id AS lane, l.work_item AS "itemId", e.stage,
      l.placed_by AS "placedBy", CASE WHEN l.project = ${project} AND l.work_item IS NOT NULL AND l.gone = 0
        AND l.holder IS NULL AND l.state_event IS NULL AND l.left_until < l.latest_stage
        AND e.stage IS NOT NULL THEN 1 ELSE 0 END AS "isOne"
    FROM plane_sync_lane l LEFT JOIN plane_sync_event e ON e.sequence = l.latest_stage
    WHERE l.id > ${after} ORDER BY l.id LIMIT ${sql.literal(String(batch))}`

/** All of them. */
export const itemsAtStage = (
  { read, sql }: Pick<Storage["Type"], "read" | "sql">,
  project: string
): Effect.Effect<ReadonlyArray<AtStage>, StorageError> =>
  Effect.gen(function*() {
    const found: Array<AtStage> = []
    for (let after = 0;;) {
      const rows = yield* read(readAtStage(sql, project, after))
      for (const { isOne, ...row } of rows) if (isOne === 1) found.push(row)
      const last = rows.at(-1)
      if (last === undefined || rows.length < batch) return found
      after = last.lane
    }
  })

/**
 * Makes the state of a work item's last stage owed again. `shown`: the state that Plane has shown. What a person has
 * done by moving it to this very state is undone, and nothing else. Says whether it is owed now. Runs within a
 * transaction.
 */
export const oweState = (
  sql: Sql,
  { lane }: Pick<AtStage, "lane">,
  shown: StateId | null,
  now: EpochMillis
): Effect.Effect<boolean, SqlError> =>
  Effect.gen(function*() {
    const tally = makeTally(sql)
    yield* keepTurnsAway(sql)
    const [before] = yield* sql<{ sequence: number; status: EventStatus }>`UPDATE plane_sync_lane
      SET state_event = latest_stage, asked = ${shown}, restore = NULL, read_at = NULL, placed_for = NULL,
        respected = 0
      WHERE id = ${lane} AND state_event IS NULL AND holder IS NULL
        AND EXISTS (SELECT 1 FROM plane_sync_event WHERE sequence = latest_stage)
      RETURNING latest_stage AS sequence,
        (SELECT status FROM plane_sync_event WHERE sequence = latest_stage) AS status`
    if (before === undefined) return false
    const [after] = yield* sql<{ status: EventStatus }>`UPDATE plane_sync_event SET state = 'pending'
      WHERE sequence = ${before.sequence} RETURNING status`
    tally.moved(lane, before.status, after?.status ?? before.status)
    yield* sql`UPDATE plane_sync_lane SET owed = owed + ${tally.take(lane)}, patient = 0,
      due_at = CASE patient WHEN 1 THEN ${now} ELSE coalesce(due_at, ${now}) END,
      urgency = ${moreUrgent(sql)} WHERE id = ${lane}`
    yield* tally.write
    return true
  })
