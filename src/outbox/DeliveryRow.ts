import type { Delivery } from "./Delivery.js"

/** The columns of a delivery, as a job needs it. */
export const deliveryColumns = `id, lane, kind, first_event AS "firstEvent", last_event AS "lastEvent",
  external_id AS "externalId", body, gate AS "failureKey", failures, occurred_at AS "occurredAt",
  plane_id AS "commentId", attempts, after_event AS "afterEvent", refusals, tried, part,
  (SELECT count(*) FROM plane_sync_event e WHERE e.delivery = plane_sync_delivery.id) AS events`

/** A row of these columns. Flags are 0 or 1. */
export interface DeliveryRow extends Omit<Delivery, "tried"> {
  readonly tried: number
}

export const deliveryOf = (row: DeliveryRow): Delivery => ({ ...row, tried: row.tried === 1 })

/** The columns of an event that is owed, as planning needs it. */
export const owedColumns = `sequence, id, work_item AS "workItem", body, occurred_at AS "occurredAt",
  published_at AS "publishedAt", part`
