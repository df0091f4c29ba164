import type { DateTime } from "effect"
import { Option } from "effect"
import { utc } from "../base/Time.js"
import type { ToldEvent } from "../domain/StageEvent.js"
import type { DebtStatus, EventStatus, StoredEvent } from "../outbox/StoredEvent.js"
import { eventOfBody } from "../outbox/StoredEvent.js"

/** A committed event, and what had become of it when it was read. `sequence` is the order of all events. */
export interface PublishedEvent {
  readonly sequence: number
  readonly id: string
  /** The work item's key as it was published. */
  readonly workItem: string
  /**
   * What was published, as it was stored, without id; `Noted` is what plane-sync itself had to say. None if it can never
   * be told: then `reason` says why.
   */
  readonly event: Option.Option<ToldEvent>
  readonly occurredAt: DateTime.Utc
  readonly publishedAt: DateTime.Utc
  readonly status: EventStatus
  readonly comment: DebtStatus
  readonly state: DebtStatus
  /** Why it is a dead letter, what its work item waits for, or what has become of its state. */
  readonly reason: Option.Option<string>
}

/** A stored event as a host reads it. */
export const publishedEvent = (stored: StoredEvent): PublishedEvent => ({
  sequence: stored.sequence,
  id: stored.id,
  workItem: stored.workItem,
  event: eventOfBody(stored.body),
  occurredAt: utc(stored.occurredAt),
  publishedAt: utc(stored.publishedAt),
  status: stored.status,
  comment: stored.comment,
  state: stored.state,
  reason: Option.fromNullable(stored.reason)
})
