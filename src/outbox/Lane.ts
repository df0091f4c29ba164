import type { MonotonicMillis } from "../base/Time.js"
import type { ItemId, LaneId } from "../domain/Ids.js"

/**
 * A lane: what one work item is owed, in order, by one writer. While only its key is known it owes nothing but the
 * look-up: `itemId` is null.
 */
export interface Lane {
  readonly id: LaneId
  /** The key, normalized, or the work item's uuid. */
  readonly name: string
  readonly itemId: ItemId | null
  /** Look-ups that failed in a row without an answer about the work item. */
  readonly attempts: number
  /** Look-ups in a row that found nobody. */
  readonly misses: number
  /** The work item was deleted or archived when it was last seen. */
  readonly gone: boolean
  /** The id of its Plane state as last read or set, null while unknown, and whether that is a cancelled one. */
  readonly state: string | null
  readonly cancelled: boolean
  /** When that was read or set; null where this process has not done it. */
  readonly readAt: MonotonicMillis | null
  /** When Plane had last changed the work item, as of then: a `PlaneMoment`. */
  readonly updatedAt: string | null
  /** The state that the pipeline last asked for: any other was set by a person. */
  readonly asked: string | null
  /** The last state that was owed was not set, because a person has cancelled the work item. */
  readonly respected: boolean
  /** What was last sent to it never got an answer: Plane may still have been executing it when we gave up. */
  readonly unanswered: boolean
}
