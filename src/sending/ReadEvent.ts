import { DateTime, Option } from "effect"
import type { DatedEvent } from "../domain/Comment.js"
import type { OwedEvent, Step } from "../outbox/Plan.js"
import { eventOfBody } from "../outbox/StoredEvent.js"

/** An owed event, read. */
export interface Read extends DatedEvent {
  readonly owed: OwedEvent
}

/** None if this version cannot read it. */
export const read = (owed: OwedEvent): Option.Option<Read> =>
  Option.map(eventOfBody(owed.body), (event) => ({ owed, event, occurredAt: DateTime.unsafeMake(owed.occurredAt) }))

/** What is done with an event that cannot be read. */
export const unreadable = (event: OwedEvent): Step => ({
  _tag: "Unfit",
  event,
  reason: "what was stored of this event cannot be read by this version"
})
