import type { EpochMillis } from "../base/Time.js"
import type { CommentId, EventSequence, LaneId } from "../domain/Ids.js"
import type { DeliveryKind } from "./DeliveryKind.js"

/** One request that is owed to Plane. It is planned once, and repeated as it is. */
export interface Delivery {
  readonly id: number
  readonly lane: LaneId
  readonly kind: DeliveryKind
  /** The first and the last event that it tells, or the one whose state it sets. */
  readonly firstEvent: EventSequence
  readonly lastEvent: EventSequence
  readonly externalId: string | null
  /** A comment's HTML, or a state's id. */
  readonly body: string
  /** The gate failure that it tells (stage, check and reason), and how often that has failed. */
  readonly gate: string | null
  readonly failures: number
  readonly occurredAt: EpochMillis
  /** The comment in Plane: the one to change, or the one that was made. */
  readonly commentId: CommentId | null
  /** How often it was sent, this time included, and failed by itself: not because Plane as a whole was in trouble. */
  readonly attempts: number
  /** How often Plane has answered that it refuses this. */
  readonly refusals: number
  /** It was sent before, and Plane may have executed it: then a 409 about its external id is its own echo. */
  readonly tried: boolean
  /** How many events it tells. */
  readonly events: number
  /** Of a part that a refused comment was split into: the first event of that part. */
  readonly part: EventSequence | null
  /** Of a dead letter that is retried: the last event when it was retried. It is sent after what was owed until then. */
  readonly afterEvent: EventSequence | null
}
