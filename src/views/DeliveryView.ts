import { Schema } from "effect"
import { DeliveryKind } from "../outbox/DeliveryKind.js"
import type { DeliveryRecord } from "../outbox/Queries.js"
import { EventStatus } from "../outbox/StoredEvent.js"
import { Instant, instant, instantOrNull } from "./Instant.js"

/** A request that is or was owed to Plane, and what became of it. */
export const DeliveryView = Schema.Struct({
  id: Schema.Number,
  kind: DeliveryKind,
  status: Schema.Literal(...EventStatus.literals, "retried").annotations({
    description: "retried: it was a dead letter, and is pending again"
  }),
  firstEvent: Schema.Number.annotations({ description: "the sequence of the first event it tells" }),
  lastEvent: Schema.Number,
  externalId: Schema.NullOr(Schema.String),
  body: Schema.String.annotations({ description: "the comment's HTML, or the state's id" }),
  attempts: Schema.Number,
  plannedAt: Instant,
  sentAt: Schema.NullOr(Instant).annotations({ description: "when it was last sent; null if nothing was" }),
  settledAt: Schema.NullOr(Instant),
  planeId: Schema.NullOr(Schema.String).annotations({ description: "the comment's id in Plane" }),
  answer: Schema.NullOr(Schema.Number).annotations({ description: "the HTTP status of Plane's last answer" }),
  took: Schema.NullOr(Schema.Number).annotations({
    description: "how long Plane took for the last sending, in milliseconds; null where that was not measured"
  }),
  reason: Schema.NullOr(Schema.String),
  tries: Schema.Array(Schema.Struct({
    at: Instant,
    attempt: Schema.Number,
    answer: Schema.NullOr(Schema.Number),
    took: Schema.NullOr(Schema.Number),
    reason: Schema.String
  })).annotations({ description: "its latest sendings that did not end it, 20 at most, the oldest first" }),
  tells: Schema.Array(Schema.Number).annotations({ description: "the sequences of the events that a comment tells" }),
  isLiving: Schema.Boolean.annotations({ description: "it is about the comment that is edited as the task goes on" })
}).annotations({ identifier: "Delivery" })
export type DeliveryView = typeof DeliveryView.Type

export const deliveryView = ({ commentId, ...row }: DeliveryRecord): DeliveryView => ({
  ...row,
  planeId: commentId,
  tries: row.tries.map((one) => ({ ...one, at: instant(one.at) })),
  plannedAt: instant(row.plannedAt),
  sentAt: instantOrNull(row.sentAt),
  settledAt: instantOrNull(row.settledAt)
})
