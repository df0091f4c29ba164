import type { MonotonicMillis } from "../base/Time.js"
import type { EpochMillis } from "../base/Time.js"
import type { EventSequence, ItemId, LaneId, UserId } from "../domain/Ids.js"
import type { PlaneMoment } from "../domain/PlaneMoment.js"
import type { StateId } from "../domain/StageStates.js"
import type { NormalizedKey } from "../domain/WorkItemKey.js"
import type { Living } from "./Living.js"

/**
 * All that one work item is owed, sent in order by one writer. While only the key is known, `itemId` is null and
 * nothing is sent but the look-up.
 */
export interface Lane {
  readonly id: LaneId
  /** The key while only that is known, or else the work item's id. */
  readonly name: NormalizedKey | ItemId
  /** The key as Plane shows it, or else as it was published. Of a work item of which no key is known, its id. */
  readonly key: string
  /** The identifier of its project; empty if its key begins with none that is set. */
  readonly project: string
  readonly itemId: ItemId | null
  /** Look-ups that failed in a row without an answer about the work item. */
  readonly attempts: number
  /** Look-ups in a row that found no work item. */
  readonly misses: number
  /** The work item was deleted or archived when it was last seen. */
  readonly gone: boolean
  /**
   * The state of the work item as last read or set, null while unknown. `cancelled`, `completed`: whether that is a
   * state of this group.
   */
  readonly state: StateId | null
  readonly cancelled: boolean
  readonly completed: boolean
  /** When the state was read or set. Null if this process has not done it. */
  readonly readAt: MonotonicMillis | null
  /** When Plane had last changed the work item, as of that reading. */
  readonly updatedAt: PlaneMoment | null
  /** The state that plane-sync last asked for. A person has set any other. */
  readonly asked: StateId | null
  /** The last state that was owed was not set, because a person has cancelled or completed the work item. */
  readonly respected: boolean
  /** The state that was last heard of, from hooks and from the answers to our own PATCHes. */
  readonly heardState: StateId | null
  /** A task publishes its stages. A person who completes the work item ends that task. */
  readonly ofTask: boolean
  /** A person has ended the task: the states of the events up to this one are not set any more. 0: of none. */
  readonly leftUntil: EventSequence
  /** The last request to it never got an answer, so Plane may have gone on executing it after we stopped waiting. */
  readonly unanswered: boolean
  /** The state that our last PATCH has set, as its answer said. What follows is about this PATCH. Null: none yet. */
  readonly placed: StateId | null
  /** The state that it has replaced. Null if that is not known, or if it has been set again once already. */
  readonly replaced: StateId | null
  /** When Plane has changed the work item by it, and whose API token that was, by Plane's words. */
  readonly placedAt: PlaneMoment | null
  readonly placedBy: UserId | null
  /** The event that it was for. */
  readonly placedFor: EventSequence | null
  /** What may have become of it: see `Doubt`. `doubted` is the state that is in question. */
  readonly doubt: Doubt | null
  readonly doubted: StateId | null
  /** When that is to be checked. Null once it has been. */
  readonly checkAt: EpochMillis | null
  /** How often a check has failed. */
  readonly checks: number
  /** A person's move that our PATCH has undone is to be set again: this state. */
  readonly restore: StateId | null
  /** When comments are to be looked for that Plane may have executed twice. Null: none are. */
  readonly twinsAt: EpochMillis | null
  /** When a link is to be made, or to go. Null: none is. */
  readonly linksAt: EpochMillis | null
  /** When somebody is to be assigned, or not any more, or our last PATCH of that is looked back at. Null: nothing is. */
  readonly assignAt: EpochMillis | null
  /** The comment that is edited as its task goes on (`ORCH_PLANE_COMMENTS=living`). */
  readonly living: Living
}

/**
 * Plane saves the whole row of a work item, so of two changes at the same moment one undoes the other, and both are
 * answered 200. Only the work item's activities tell whether that has happened.
 *
 * - `lost`: the state that our PATCH replaced is back.
 * - `undone`: our PATCH has undone a person's cancel, or the completion of a task, of which we did not know yet.
 */
export type Doubt = "lost" | "undone"
