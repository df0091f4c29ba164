import { Option, Schema } from "effect"
import type { StoredEvent } from "../outbox/StoredEvent.js"
import { DebtStatus, EventStatus } from "../outbox/StoredEvent.js"
import { Instant, instant } from "./Instant.js"

/** A published event, and what became of it. */
export const EventView = Schema.Struct({
  sequence: Schema.Number.annotations({ description: "the order of all events" }),
  id: Schema.String,
  workItem: Schema.String,
  event: Schema.Unknown.annotations({
    description: "as it was published, without id. If it is unfit, and so can never be told: whatever was given",
    // No union of schemas, because what was given in the place of an event may be anything.
    jsonSchema: { anyOf: [{ $ref: "#/components/schemas/StageEvent" }, { title: "unfit" }] }
  }),
  occurredAt: Instant,
  publishedAt: Instant,
  status: EventStatus,
  comment: DebtStatus,
  state: DebtStatus,
  reason: Schema.NullOr(Schema.String).annotations({
    description: "why it is a dead letter, what its work item waits for, or what has become of its state"
  })
}).annotations({ identifier: "PublishedEvent" })
export type EventView = typeof EventView.Type

const parsed = Schema.decodeOption(Schema.parseJson())

export const eventView = (event: StoredEvent): EventView => ({
  sequence: event.sequence,
  id: event.id,
  workItem: event.workItem,
  event: Option.getOrNull(parsed(event.body)),
  occurredAt: instant(event.occurredAt),
  publishedAt: instant(event.publishedAt),
  status: event.status,
  comment: event.comment,
  state: event.state,
  reason: event.reason
})
