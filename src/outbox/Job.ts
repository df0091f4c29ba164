import type { EpochMillis } from "../base/Time.js"
import type { ItemId } from "../domain/Ids.js"
import type { Delivery } from "./Delivery.js"
import type { Lane } from "./Lane.js"

/** A look-up by key, or a look at a work item that was gone when it was last seen. */
export interface LookJob {
  readonly _tag: "Look"
  readonly lane: Lane
  /** As it was published. */
  readonly key: string
  /** When the oldest event that is owed was published. */
  readonly since: EpochMillis
  /** False where only a task waits for it. */
  readonly owes: boolean
}

/** A request to send. */
export interface SendJob {
  readonly _tag: "Send"
  readonly lane: Lane
  readonly itemId: ItemId
  readonly delivery: Delivery
}

/** What a worker does for a lane that it has claimed. Nobody else touches the lane until the job is settled. */
export type Job = LookJob | SendJob
