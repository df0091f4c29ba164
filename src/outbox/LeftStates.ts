import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { EventSequence, ItemId } from "../domain/Ids.js"
import type { StateId } from "../domain/StageStates.js"
import type { NormalizedKey } from "../domain/WorkItemKey.js"
import { flag } from "../storage/Dialect.js"
import type { Sql } from "../storage/Sql.js"
import { closeState, closeStateOfEvent } from "./Debt.js"
import type { Lane } from "./Lane.js"
import type { Tally } from "./Tally.js"

/** A work item, by its key, and by its id where that is known. */
export interface NamedItem {
  readonly key: NormalizedKey
  readonly itemId: ItemId | undefined
}

/** The same, with the identifier of its project: empty if that is none that is written to. */
export interface ItemOfProject extends NamedItem {
  readonly project: string
}

/** The lanes of a work item: its own, and that of a key which is not looked up yet. */
export const itsLanes = (sql: Sql, { itemId, key }: NamedItem) =>
  sql`name IN (${itemId ?? key}, ${key}) OR id = (SELECT target FROM plane_sync_lane WHERE name = ${key})`

/**
 * A task publishes the stages of the work item from now on, so a person who completes the work item ends the task, and
 * no state that is owed undoes that. A key that is not looked up yet is looked up now, though nothing is owed, so that
 * a wrong one is known before the first stage is published. Runs within a transaction.
 */
export const followTask = (sql: Sql, item: ItemOfProject, now: EpochMillis) =>
  Effect.zipRight(
    sql`INSERT INTO plane_sync_lane (name, work_item, project)
      VALUES (${item.itemId ?? item.key}, ${item.itemId ?? null}, ${item.project})
      ON CONFLICT (name) DO NOTHING`,
    sql`UPDATE plane_sync_lane SET of_task = 1,
      due_at = CASE WHEN work_item IS NULL AND target IS NULL THEN coalesce(due_at, ${
      item.itemId === undefined ? now : null
    }) ELSE due_at END
      WHERE ${itsLanes(sql, item)}`
  )

/**
 * A person has ended the task of the work item: the states that are owed for it by now are not set any more. What is
 * published after this is set again, also if it is the state that was asked for last. Comments are told all the same.
 * Runs within a transaction.
 */
export const leaveStates = (sql: Sql, item: NamedItem) =>
  Effect.asVoid(Effect.zipRight(
    // A key whose events are all new has no lane yet.
    sql`INSERT INTO plane_sync_lane (name, project) SELECT lane_name, coalesce(project, '') FROM plane_sync_event
      WHERE folded = 0 AND lane_name = ${item.key} ORDER BY sequence LIMIT 1 ON CONFLICT (name) DO NOTHING`,
    sql`UPDATE plane_sync_lane SET asked = NULL,
      left_until = coalesce((SELECT max(sequence) FROM plane_sync_event), 0) WHERE ${itsLanes(sql, item)}`
  ))

/**
 * Whether the state of an event is left: it is not set any more. A person's move that ended the task, and that our
 * state has undone, is set again for the event of that state.
 */
export const isLeft = ({ leftUntil, restore }: Lane, event: EventSequence): boolean =>
  restore === null && event <= leftUntil

/**
 * Closes what a lane owes of states that are left. Returns the event whose state is still owed. Runs within the claim
 * of the lane, so nobody sends for it now.
 */
export const closeLeft = (sql: Sql, tally: Tally, lane: Lane, stateEvent: EventSequence | null, now: EpochMillis) =>
  Effect.gen(function*() {
    if (lane.leftUntil === 0 || lane.restore !== null) return { stateEvent, hasPending: true }
    const [left] = yield* sql<{ event: EventSequence; body: StateId; tried: number }>`UPDATE plane_sync_delivery
      SET status = 'discarded', settled_at = ${now}, reason = 'a person has ended the task, and that stands',
        tried = tried + ${flag(sql, sql`reason IS NULL`)}
      WHERE lane = ${lane.id} AND status = 'pending' AND kind = 'state' AND last_event <= ${lane.leftUntil}
      RETURNING last_event AS event, body, tried`
    if (left !== undefined) {
      yield* closeStateOfEvent(sql, tally, lane.id, left.event, "superseded")
      // Plane may have executed it, so a hook that shows this state is our own echo.
      if (left.tried > 0) yield* sql`UPDATE plane_sync_lane SET late_state = ${left.body} WHERE id = ${lane.id}`
    }
    if (stateEvent === null || !isLeft(lane, stateEvent)) return { stateEvent, hasPending: left === undefined }
    yield* closeState(sql, tally, lane.id, stateEvent, "superseded")
    return { stateEvent: null, hasPending: left === undefined }
  })
