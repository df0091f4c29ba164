/** The columns of a `Delivery`. */
export const deliveryColumns = `id, lane, kind, first_event AS "firstEvent", last_event AS "lastEvent",
  external_id AS "externalId", body, gate AS "failureKey", failures, occurred_at AS "occurredAt",
  plane_id AS "commentId", attempts, after_event AS "afterEvent", refusals, tried, part, living,
  (SELECT count(*) FROM plane_sync_event e WHERE e.delivery = plane_sync_delivery.id) AS events`

/** The columns of an event that is owed, as planning needs it. */
export const owedColumns = `sequence, id, work_item AS "workItem", body, occurred_at AS "occurredAt",
  published_at AS "publishedAt", part`
