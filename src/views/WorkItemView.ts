import { Schema } from "effect"
import type { WorkItemRow } from "../outbox/Queries.js"
import { DeliveryView, deliveryView } from "./DeliveryView.js"
import { EventView, eventView } from "./EventView.js"
import { Instant, instantOrNull } from "./Instant.js"

/** What a work item is owed, what was done for it, and what went wrong. The latest comes first. */
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
export type WorkItemView = typeof WorkItemView.Type

export const workItemView = (key: string, { itemId, ...row }: WorkItemRow): WorkItemView => ({
  key,
  ...row,
  workItem: itemId,
  dueAt: instantOrNull(row.dueAt),
  events: row.events.map(eventView),
  deliveries: row.deliveries.map(deliveryView)
})
