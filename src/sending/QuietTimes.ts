import { Duration, Effect } from "effect"
import type { MonotonicMillis } from "../base/Time.js"
import { monotonicMillis } from "../base/Time.js"
import type { ItemId } from "../domain/Ids.js"
import type { Delivery } from "../outbox/Delivery.js"
import type { Lane } from "../outbox/Lane.js"

/**
 * A request of unknown outcome may still be executing in Plane for the quiet time after it was sent: until that is over
 * nothing else is sent to its work item. It is measured by the monotonic clock, because the clock that the due times in
 * storage go by can be set. What was planned before this process started counts as sent when it started, and so does what
 * a lane remembers as unanswered.
 */
export interface QuietTimes {
  /** The outcome of what was sent to a work item at `sentAt` is unknown. */
  readonly begin: (itemId: ItemId, sentAt: MonotonicMillis) => Effect.Effect<void>
  /** For how many milliseconds from `now` nothing is to be planned for a lane's work item, or a delivery to be sent. */
  readonly left: (now: MonotonicMillis, lane: Lane, delivery?: Delivery) => number
}

/** `lastBefore` is the last delivery that was planned before this process started. */
export const make = (quiet: Duration.Duration, lastBefore: number): Effect.Effect<QuietTimes> =>
  Effect.map(monotonicMillis, (startedAt) => {
    const length = Duration.toMillis(quiet)
    const ends = new Map<string, number>()
    return {
      begin: (itemId, sentAt) =>
        Effect.map(monotonicMillis, (now) => {
          for (const [other, end] of ends) if (end <= now) ends.delete(other)
          ends.set(itemId, sentAt + length)
        }),
      left: (now, { unanswered, itemId }, delivery) => {
        const end = itemId === null ? now : ends.get(itemId) ?? now
        // What this process itself left unanswered is in `ends`, and ends later.
        const isOfBefore = unanswered || (delivery !== undefined && delivery.id <= lastBefore)
        return Math.max(0, end - now, isOfBefore ? startedAt + length - now : 0)
      }
    }
  })
