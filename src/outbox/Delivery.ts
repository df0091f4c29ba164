import type { EpochMillis } from "../base/Time.js"
import type { CommentId, EventSequence, LaneId } from "../domain/Ids.js"
import type { DeliveryKind } from "./DeliveryKind.js"

/** One request that is owed to Plane. It is planned once, and every repetition is the same. */
export interface Delivery {
  readonly id: number
  readonly lane: LaneId
  readonly kind: DeliveryKind
  /** The first and the last event that it tells. Of a state, both are the event that asks for it. */
  readonly firstEvent: EventSequence
  readonly lastEvent: EventSequence
  readonly externalId: string | null
  /** A comment's HTML, or a state's id. */
  readonly body: string
  /** What the gate failures that it tells have in common, as JSON of stage, check and reason. Null if it tells none. */
  readonly failureKey: string | null
  /** How often that gate has failed. */
  readonly failures: number
  readonly occurredAt: EpochMillis
  /** The comment in Plane: the one to change, or the one that was made. */
  readonly commentId: CommentId | null
  /**
   * How often it was sent and failed, this time included. Attempts that failed because Plane as a whole was in trouble
   * do not count.
   */
  readonly attempts: number
  /** How often Plane has answered that it refuses this. */
  readonly refusals: number
  /**
   * How often it was sent before so that Plane may have executed it. If it was, a hook that shows its state may be our
   * own echo.
   */
  readonly tried: number
  /** How many events it tells. */
  readonly events: number
  /** Of a part of a refused comment that was split: the first event of that part. */
  readonly part: EventSequence | null
  /**
   * Of a dead letter that is retried: the last event at that moment. It is sent after everything that was owed until
   * then.
   */
  readonly afterEvent: EventSequence | null
  /** Of the living comment: what it shows once this is told, as JSON (`Living`). Null of any other delivery. */
  readonly living: string | null
}

/** A delivery that was sent, or was to be. */
export interface Ended extends Delivery {
  /** How long Plane took for it, in milliseconds. None if nothing was sent. */
  readonly took: number | undefined
}
