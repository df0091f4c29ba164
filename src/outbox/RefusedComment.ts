import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import { textLimit, visibleLine } from "../base/Text.js"
import type { EpochMillis } from "../base/Time.js"
import { plainText } from "../domain/Comment.js"
import type { EventSequence } from "../domain/Ids.js"
import type { Sql } from "../storage/Sql.js"
import { perhapsTwice } from "./Checks.js"
import { closeDelivery, superseded } from "./Debt.js"
import type { Delivery, Ended } from "./Delivery.js"
import { owedColumns } from "./DeliveryRow.js"
import type { Lane } from "./Lane.js"
import type { SendOutcome } from "./Outcome.js"
import type { OwedEvent } from "./Plan.js"
import { maxOwedComments } from "./Plan.js"
import type { EventStatus } from "./StoredEvent.js"
import type { Tally } from "./Tally.js"
import { withTry } from "./Tries.js"

/**
 * Tells each half of the events of a refused comment by itself from now on. Retried events are owed like any others.
 */
export const split = (sql: Sql, delivery: Delivery): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    const events = yield* sql<{ sequence: EventSequence }>`SELECT sequence FROM plane_sync_event
      WHERE delivery = ${delivery.id} AND comment IN ('pending', 'retried') ORDER BY sequence`
    const half = Math.ceil(events.length / 2)
    for (const part of [events.slice(0, half), events.slice(half)]) {
      yield* sql`UPDATE plane_sync_event SET comment = 'pending', part = ${part[0]?.sequence ?? null}
        WHERE sequence IN ${sql.numbers(part.map(({ sequence }) => sequence))}`
    }
  })

/** A comment of `maxOwedComments` is split so often at most. */
const mostBefore = 6

/**
 * Settles a comment that Plane has under our external id. It may tell events of this delivery and, if this delivery is
 * a part of a refused one, of the other parts. The events that it does not tell are owed as before. If it tells none,
 * they are told under the next external id.
 */
export const taken = (
  sql: Sql,
  tally: Tally,
  lane: Lane,
  delivery: Ended,
  { commentId, lookAgain, nextExternalId, says, tells: tellsNow }: Extract<SendOutcome, { readonly _tag: "Taken" }>,
  now: EpochMillis
): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    const columns = sql.literal(owedColumns)
    const own = yield* sql<OwedEvent>`SELECT ${columns} FROM plane_sync_event
      WHERE delivery = ${delivery.id} AND comment IN ('pending', 'retried') ORDER BY sequence`
    // It may be the refused one of which this is a part, in words that the project has changed since.
    const before = delivery.part === null ? [] : yield* sql<Pick<Delivery, "body" | "firstEvent" | "lastEvent">>`SELECT
        body, first_event AS "firstEvent", last_event AS "lastEvent" FROM plane_sync_delivery
      WHERE lane = ${lane.id} AND id < ${delivery.id} AND external_id = ${delivery.externalId}
      ORDER BY id DESC LIMIT ${sql.literal(String(mostBefore))}`
    const same = before.filter(({ body }) => says(body))
    const tells = (event: OwedEvent) =>
      tellsNow(event) ||
      same.some(({ firstEvent, lastEvent }) => event.sequence >= firstEvent && event.sequence <= lastEvent)
    if (!own.some(tells)) {
      const reason = `another comment has the external id ${delivery.externalId ?? ""}`
      const last = withTry(sql, "tries", {
        at: sql.literal("sent_at"),
        attempt: sql.literal("attempts"),
        answer: sql.literal("409"),
        took: sql`CAST(${delivery.took ?? null} AS bigint)`,
        reason: sql`CAST(${reason} AS text)`
      })
      yield* sql`UPDATE plane_sync_delivery SET tries = ${last}, external_id = ${nextExternalId}, attempts = 0, tried = 0,
        refusals = 0, reason = ${reason} WHERE id = ${delivery.id}`
      return yield* Effect.logWarning(
        `Plane has another comment under the external id ${delivery.externalId ?? ""}: told under ${nextExternalId}`
      )
    }
    const others = delivery.part === null ? [] : yield* sql<OwedEvent>`SELECT ${columns}
      FROM plane_sync_event WHERE lane = ${lane.id} AND status = 'pending' AND comment = 'pending' AND part IS NOT NULL
        AND delivery IS DISTINCT FROM ${delivery.id} ORDER BY sequence LIMIT ${sql.literal(String(maxOwedComments))}`
    const told = [...own, ...others].filter(tells).map(({ sequence }) => sequence)
    yield* closeDelivery(sql, delivery, "delivered", now, { commentId })
    if (lookAgain !== undefined) yield* perhapsTwice(sql, lane, delivery, lookAgain)
    yield* sql`UPDATE plane_sync_event SET comment = 'pending', delivery = NULL
      WHERE delivery = ${delivery.id} AND comment IN ('pending', 'retried')`
    const rows = yield* sql<{ status: EventStatus; publishedAt: EpochMillis }>`UPDATE plane_sync_event
      SET comment = 'delivered', state = ${superseded(sql, lane.id)}, delivery = ${delivery.id}
      WHERE sequence IN ${sql.numbers(told)} RETURNING status, published_at AS "publishedAt"`
    tally.settled(lane.id, rows)
    tally.told(rows, now)
    yield* Effect.logInfo(
      `${lane.key}: told "${visibleLine(plainText(delivery.body), textLimit)}": Plane had it already`
    )
  })
