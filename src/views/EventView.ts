import { DateTime, Option, Schema } from "effect"
import type { DeliveryRow, WorkItemRow } from "../outbox/Queries.js"
import { DebtStatus, EventStatus } from "../outbox/StoredEvent.js"
import type { StoredEvent } from "../outbox/StoredEvent.js"

export const Instant = Schema.DateTimeUtc.annotations({ description: "an instant by ISO 8601, UTC" })
export const instant = (millis: number) => DateTime.unsafeMake(millis)
const instantOrNull = (millis: number | null) => millis === null ? null : instant(millis)

/** An event that was published, and what became of it. */
export const EventView = Schema.Struct({
  sequence: Schema.Number.annotations({ description: "the order of all events" }),
  id: Schema.String,
  workItem: Schema.String,
  event: Schema.Unknown.annotations({ description: "as it was published, without id" }),
  occurredAt: Instant,
  publishedAt: Instant,
  status: EventStatus,
  comment: DebtStatus,
  state: DebtStatus,
  reason: Schema.NullOr(Schema.String).annotations({
    description: "why it is a dead letter, or what its work item waits for"
  })
}).annotations({ identifier: "PublishedEvent" })
export type EventView = typeof EventView.Type

/** A request that was owed to Plane, and what became of it. */
export const DeliveryView = Schema.Struct({
  id: Schema.Number,
  kind: Schema.Literal("comment", "recount", "state").annotations({
    description: "a new comment, the new count of a told gate failure, or a state"
  }),
  status: Schema.Literal(...EventStatus.literals, "retried").annotations({
    description: "retried: a dead letter that is owed again"
  }),
  firstEvent: Schema.Number.annotations({ description: "the sequence of the first event it tells" }),
  lastEvent: Schema.Number,
  externalId: Schema.NullOr(Schema.String),
  body: Schema.String.annotations({ description: "the comment's HTML, or the state's id" }),
  attempts: Schema.Number,
  plannedAt: Instant,
  sentAt: Schema.NullOr(Instant),
  settledAt: Schema.NullOr(Instant),
  planeId: Schema.NullOr(Schema.String).annotations({ description: "the comment's id in Plane" }),
  answer: Schema.NullOr(Schema.Number).annotations({ description: "the HTTP status of Plane's last answer" }),
  reason: Schema.NullOr(Schema.String)
}).annotations({ identifier: "Delivery" })

/** What a work item is owed, what was done and what went wrong: the latest first. */
export const WorkItemView = Schema.Struct({
  key: Schema.String,
  workItem: Schema.NullOr(Schema.String).annotations({ description: "Plane's uuid; null while the key is not found" }),
  owed: Schema.Number.annotations({ description: "events that are not delivered yet" }),
  dueAt: Schema.NullOr(Instant),
  state: Schema.NullOr(Schema.String).annotations({ description: "the id of its Plane state, as last read or set" }),
  gone: Schema.Boolean.annotations({ description: "deleted or archived in Plane when last seen" }),
  problem: Schema.NullOr(Schema.String).annotations({ description: "why it waits" }),
  events: Schema.Array(EventView),
  deliveries: Schema.Array(DeliveryView)
}).annotations({ identifier: "WorkItem" })

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

const deliveryView = ({ commentId, ...row }: DeliveryRow): typeof DeliveryView.Type => ({
  ...row,
  planeId: commentId,
  plannedAt: instant(row.plannedAt),
  sentAt: instantOrNull(row.sentAt),
  settledAt: instantOrNull(row.settledAt)
})

export const workItemView = (key: string, { itemId, ...row }: WorkItemRow): typeof WorkItemView.Type => ({
  key,
  ...row,
  workItem: itemId,
  dueAt: instantOrNull(row.dueAt),
  events: row.events.map(eventView),
  deliveries: row.deliveries.map(deliveryView)
})
