import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { ItemId } from "../domain/Ids.js"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import type { Sql } from "../storage/Sql.js"

/** A work item's state as a webhook tells it. */
export interface Observation {
  /** Plane's uuid. */
  readonly itemId: ItemId
  /** Its key by its number, as Plane writes it: "ET-2". */
  readonly key: string
  readonly state: string | null
  readonly cancelled: boolean
  /** When Plane last changed the work item: a `Moment`. */
  readonly updatedAt: string
  /** It is told for another change than its state's, which may be as old as the work item. */
  readonly isAside: boolean
}

/**
 * What an observation is beside what was heard already, by webhooks and by the answers to our own PATCHes. `old`: not
 * newer, or told aside while nothing was heard to compare it with. `ours`: the state that was heard, or one that a PATCH
 * of ours is to set, or the last one was to that was given up without an answer. `moved`: somebody's move. What a look has
 * seen counts for nothing: it acts on no move, so the move's webhook must still be able to.
 */
export type Observed = "old" | "ours" | "moved"

/**
 * Tells what an observation is, and remembers it if it is newer. Not as a look: it may have been under way for long, so
 * `read_at` stays. Runs within a transaction.
 */
export const observe = (
  sql: Sql,
  { cancelled, isAside, key, itemId, state, updatedAt }: Observation
): Effect.Effect<Observed, SqlError> =>
  Effect.gen(function*() {
    const [lane] = yield* sql<
      { id: number; heardState: string | null; heardAt: string | null; lateState: string | null }
    >`
      INSERT INTO plane_sync_lane (name, work_item) VALUES (${itemId}, ${itemId})
      ON CONFLICT (name) DO UPDATE SET name = name
      RETURNING id, heard_state AS "heardState", heard_at AS "heardAt", late_state AS "lateState"`
    if (lane === undefined) return yield* Effect.dieMessage("an INSERT returns its row")
    // Without zeros it is the number's in every case. One that is waited for already is looked up: its events would move.
    yield* sql`INSERT INTO plane_sync_lane (name, target) VALUES (${WorkItemKey.normalize(key)}, ${lane.id})
      ON CONFLICT (name) DO NOTHING`
    // Not remembered if told aside: the state's own delivery may be still to come, of the same moment.
    if (lane.heardAt === null ? isAside : updatedAt <= lane.heardAt) return "old"
    // One that is owed only cannot echo: a PATCH's row is committed before it is sent.
    const [sent] = yield* sql<{ body: string }>`SELECT body FROM plane_sync_delivery
      WHERE lane = ${lane.id} AND status = 'pending' AND kind = 'state'`
    // Plane may still do what it has not answered, until somebody has moved the work item since.
    const late = state === lane.heardState ? lane.lateState : null
    yield* sql`UPDATE plane_sync_lane SET heard_state = ${state}, heard_at = ${updatedAt}, late_state = ${late}
      WHERE id = ${lane.id}`
    // A look may have seen what is newer.
    yield* sql`UPDATE plane_sync_lane SET state = ${state}, cancelled = ${cancelled ? 1 : 0}, updated_at = ${updatedAt}
      WHERE id = ${lane.id} AND (updated_at IS NULL OR updated_at < ${updatedAt})`
    const ours = [lane.heardState, lane.lateState, sent?.body]
    return state !== null && ours.includes(state) ? "ours" : "moved"
  })
