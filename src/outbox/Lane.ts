import type { MonotonicMillis } from "../base/Time.js"
import type { EventSequence, ItemId, LaneId } from "../domain/Ids.js"
import type { PlaneMoment } from "../domain/PlaneMoment.js"
import type { StateId } from "../domain/StageStates.js"
import type { NormalizedKey } from "../domain/WorkItemKey.js"

/**
 * All that one work item is owed, sent in order by one writer. While only the key is known, `itemId` is null and
 * nothing is sent but the look-up.
 */
export interface Lane {
  readonly id: LaneId
  /** The key while only that is known, or else the work item's id. */
  readonly name: NormalizedKey | ItemId
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
}
