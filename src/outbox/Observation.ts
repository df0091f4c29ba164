import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { ItemId, LaneId, UserId } from "../domain/Ids.js"
import type { PlaneMoment } from "../domain/PlaneMoment.js"
import type { StateId } from "../domain/StageStates.js"
import type { CanonicalKey } from "../domain/WorkItemKey.js"
import { identifierOf, numberOf, WorkItemKey } from "../domain/WorkItemKey.js"
import type { Sql } from "../storage/Sql.js"
import { aheadOf, isOlder, knowsNewer } from "./Heard.js"
import type { KnownOfPatch } from "./HookDoubt.js"
import { doubted, patchColumns, touch } from "./HookDoubt.js"
import type { Doubt } from "./Lane.js"

/** A work item's state as a hook tells it, or the look before a launch. */
export interface Observation {
  readonly itemId: ItemId
  readonly key: CanonicalKey
  /** How Plane calls it, in one line; none if it does not tell. */
  readonly title?: string | undefined
  readonly state: StateId | null
  /** Whether that is a state of the group cancelled, or completed. */
  readonly cancelled: boolean
  readonly completed: boolean
  /** When Plane last changed the work item, by its clock. */
  readonly updatedAt: PlaneMoment
  /** When it came, by our clock. Both clocks together tell the order: see `isOlder`. */
  readonly receivedAt: EpochMillis
  /** The hook is about another change than one of the state. The state that it shows may be as old as the work item. */
  readonly isAside: boolean
  /** It is only asked what it is: nothing is stored of it but a doubt. */
  readonly isTrial?: boolean
  /** It is no hook, but what was read just now. */
  readonly isLook?: boolean
  /** Who has made the change that the hook is about; none if it does not tell. */
  readonly by?: UserId | undefined
  /** The change was made by Plane's API, as ours are, and not in its pages. */
  readonly isByApi?: boolean
  /** The state that the work item was moved to, by the hook's words. It may be in another by now. */
  readonly movedTo?: MovedTo | undefined
}

/** A state and its group. Undefined while that is not known. */
export interface MovedTo {
  readonly state: StateId
  readonly group: string | undefined
}

/**
 * What an observation is, compared with what was heard before from hooks and from the answers to our own PATCHes.
 *
 * - `old`: it is not newer. Also: the hook is about another change, and nothing was heard before to compare it with.
 * - `ours`: it shows the state that was heard before, the state that a PATCH of ours is about to set, or the state of
 *   our last PATCH if that never got an answer.
 * - `moved`: somebody has moved the work item.
 * - `lost`: it shows the state that our last PATCH replaced, so soon after it that another change may have undone it.
 * - `undone`: somebody has ended the work, and our PATCH may have undone that. Which of both, Plane's activities tell.
 * - `unsure`: the same, if the group of the state that it was moved to says so. Nothing is stored.
 * - `confirmed`: they have told that it was so. This is that move, by the hook's words.
 *
 * What a look of the workers has seen does not count. Such a look acts on no move, so the hook of that move must still
 * be able to. The look before a launch does act on it: it asks by a trial, and stores the observation after acting.
 */
export type Observed = "old" | "ours" | "moved" | "confirmed" | "unsure" | Doubt

/**
 * Tells what an observation is, and stores it if it is newer. It leaves `read_at` alone, unlike a look, because the
 * hook may have been on its way for long. Runs within a transaction.
 */
export const observe = (
  sql: Sql,
  observation: Observation
): Effect.Effect<Observed, SqlError> =>
  Effect.gen(function*() {
    const { cancelled, completed, isAside, isTrial = false, itemId, key, receivedAt, state, title, updatedAt } =
      observation
    const [lane] = yield* sql<
      KnownOfPatch & {
        id: LaneId
        heardState: StateId | null
        heardAt: PlaneMoment | null
        heardAhead: number
        lateState: StateId | null
      }
    >`
      INSERT INTO plane_sync_lane (name, work_item, project, title, number)
      VALUES (${itemId}, ${itemId}, ${identifierOf(key)}, ${title ?? null}, ${numberOf(key)})
      ON CONFLICT (name) DO UPDATE SET project = excluded.project, number = excluded.number,
        title = CASE WHEN plane_sync_lane.updated_at > ${updatedAt} THEN plane_sync_lane.title
          ELSE coalesce(excluded.title, plane_sync_lane.title) END
      RETURNING id, heard_state AS "heardState", heard_at AS "heardAt",
        heard_ahead AS "heardAhead", late_state AS "lateState", ${sql.literal(patchColumns)}`
    if (lane === undefined) return yield* Effect.dieMessage("an INSERT returns its row")
    // A key without leading zeros is always the number's. A key whose events already wait is looked up instead, because
    // those events would have to move.
    if (!isTrial) {
      yield* sql`INSERT INTO plane_sync_lane (name, target, project)
        VALUES (${WorkItemKey.normalize(key)}, ${lane.id}, ${identifierOf(key)})
        ON CONFLICT (name) DO NOTHING`
    }
    // Not stored if the hook is about another change: the hook of the state itself, of the same moment, may still come.
    const { heardAhead, heardAt } = lane
    const ahead = aheadOf(updatedAt, receivedAt)
    const old = heardAt === null ? isAside : isOlder({ at: updatedAt, ahead }, { at: heardAt, ahead: heardAhead })
    // A state that is only owed cannot echo: a PATCH's row is committed before it is sent.
    const [sent] = yield* sql<{ body: StateId }>`SELECT body FROM plane_sync_delivery
      WHERE lane = ${lane.id} AND status = 'pending' AND kind = 'state'`
    const ours = [lane.heardState, lane.lateState, sent?.body]
    const observed = old ? "old" : state !== null && ours.includes(state) ? "ours" : "moved"
    if (!isTrial) yield* touch(sql, lane, observation, observed)
    const doubt = yield* doubted(sql, lane, observation, observed, sent?.body)
    // A look may have seen something newer.
    const know = sql`UPDATE plane_sync_lane SET state = ${state}, cancelled = ${cancelled ? 1 : 0},
      completed = ${completed ? 1 : 0}, updated_at = ${updatedAt}
      WHERE id = ${lane.id} AND updated_at IS DISTINCT FROM ${updatedAt} AND NOT ${
      knowsNewer(sql, updatedAt, receivedAt)
    }`
    if (doubt !== undefined) {
      if (doubt === "lost") yield* know
      return doubt
    }
    if (isTrial || old) {
      // What a first hook about another change shows counts once our PATCH is answered: it may have been undone.
      if (!isTrial && heardAt === null && sent !== undefined) yield* know
      return observed
    }
    // Plane may still execute an unanswered PATCH, until somebody has moved the work item since.
    const late = state === lane.heardState ? lane.lateState : null
    yield* sql`UPDATE plane_sync_lane SET heard_state = ${state}, heard_at = ${updatedAt}, heard_ahead = ${ahead},
      late_state = ${late} WHERE id = ${lane.id}`
    yield* know
    return observed
  })
