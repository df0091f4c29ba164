import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { Sql } from "../storage/Sql.js"
import { superseded } from "./Debt.js"
import type { Lane } from "./Lane.js"
import type { Owed, OwedEvent } from "./Plan.js"
import type { EventStatus } from "./StoredEvent.js"
import type { Tally } from "./Tally.js"

/**
 * Makes one dead letter of an event that cannot be told, its owed state included. If the event was being retried, its
 * old dead letter is dead again.
 */
export const bury = (
  sql: Sql,
  tally: Tally,
  lane: Lane,
  { retried }: Owed,
  event: OwedEvent,
  reason: string,
  now: EpochMillis
) =>
  Effect.gen(function*() {
    const again = retried?.events[0].sequence === event.sequence ? retried.delivery.id : undefined
    const [letter] = again === undefined
      ? yield* sql<{ id: number }>`INSERT INTO plane_sync_delivery (lane, kind, status, first_event, last_event, body,
          occurred_at, planned_at, settled_at, code, reason)
        VALUES (${lane.id}, 'comment', 'dead', ${event.sequence}, ${event.sequence}, '', ${event.occurredAt}, ${now},
          ${now}, 'unfit', ${reason}) RETURNING id`
      : yield* sql<{ id: number }>`UPDATE plane_sync_delivery SET status = 'dead', code = 'unfit', reason = ${reason},
          settled_at = ${now} WHERE id = ${again} RETURNING id`
    const rows = yield* sql<{ status: EventStatus }>`UPDATE plane_sync_event
      SET delivery = ${letter?.id ?? null}, comment = 'dead',
        state_delivery = CASE state WHEN 'pending' THEN NULL ELSE state_delivery END,
        state = CASE state WHEN 'pending' THEN 'dead' ELSE state END
      WHERE sequence = ${event.sequence} RETURNING status`
    tally.settled(lane.id, rows)
    if (again !== undefined) {
      const others = yield* sql<{ status: EventStatus }>`UPDATE plane_sync_event
        SET comment = 'dead', state = ${superseded(sql, lane.id)}
        WHERE delivery = ${again} AND comment = 'retried' RETURNING status`
      tally.settled(lane.id, others)
    }
    yield* sql`UPDATE plane_sync_lane SET state_event = NULL WHERE id = ${lane.id} AND state_event = ${event.sequence}`
  })
