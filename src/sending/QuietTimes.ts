import { Duration, Effect } from "effect"
import { MonotonicMillis, monotonicMillis } from "../base/Time.js"
import type { ItemId } from "../domain/Ids.js"
import type { Delivery } from "../outbox/Delivery.js"
import type { Lane } from "../outbox/Lane.js"

/**
 * Keeps the quiet times. A request of unknown outcome may still be executing in Plane for the quiet time after it was
 * sent, so until then nothing else is sent to its work item. It is measured by the monotonic clock, because the clock
 * of the due times in storage can be set. A delivery that was planned before this process started counts as sent at the
 * start, and so does a request that a lane remembers as unanswered.
 */
export interface QuietTimes {
  /** Begins a quiet time: the outcome of a request that was sent to the work item at `sentAt` is unknown. */
  readonly begin: (itemId: ItemId, sentAt: MonotonicMillis) => Effect.Effect<void>
  /** For how long from `now` nothing may be planned for the lane's work item, or the delivery not be sent. */
  readonly left: (now: MonotonicMillis, lane: Lane, delivery?: Delivery) => Duration.Duration
}

/** `lastBefore` is the id of the last delivery that was planned before this process started. */
export const make = (quiet: Duration.Duration, lastBefore: number): Effect.Effect<QuietTimes> =>
  Effect.map(monotonicMillis, (startedAt) => {
    const length = Duration.toMillis(quiet)
    const ends = new Map<ItemId, MonotonicMillis>()
    return {
      begin: (itemId, sentAt) =>
        Effect.map(monotonicMillis, (now) => {
          for (const [other, end] of ends) if (end <= now) ends.delete(other)
          ends.set(itemId, MonotonicMillis(sentAt + length))
        }),
      left: (now, { unanswered, itemId }, delivery) => {
        const end = itemId === null ? now : ends.get(itemId) ?? now
        // Requests that this process left unanswered are in `ends`, and end later.
        const isOfBefore = unanswered || (delivery !== undefined && delivery.id <= lastBefore)
        return Duration.millis(Math.max(0, end - now, isOfBefore ? startedAt + length - now : 0))
      }
    }
  })
