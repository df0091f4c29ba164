import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option, Schema } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { Moment } from "../base/Time.js"
import { CommentId } from "../domain/Ids.js"
import { LivingFacts, noFacts } from "../domain/LivingFacts.js"
import type { Sql } from "../storage/Sql.js"
import { superseded } from "./Debt.js"
import type { Delivery } from "./Delivery.js"
import type { Lane } from "./Lane.js"
import type { Step } from "./Plan.js"
import type { EventStatus } from "./StoredEvent.js"
import type { Tally } from "./Tally.js"

/** The living comment of a work item. */
const Living = Schema.Struct({
  /** Its id in Plane. Null until it is there, and once a person has deleted it. */
  comment: Schema.NullOr(Schema.String.pipe(Schema.fromBrand(CommentId))),
  /** 1, and one more each time that a person has deleted it. */
  number: Schema.Number,
  /** When it was made or edited last. */
  editedAt: Schema.NullOr(Moment),
  /** What it shows. */
  facts: LivingFacts
})
export type Living = typeof Living.Type

const json = Schema.parseJson(Living)
const decode = Schema.decodeOption(json)

/** As it is stored. */
export const encodeLiving: (living: Living) => string = Schema.encodeSync(json)

/** What of a work item that has none yet. */
export const noLiving: Living = { comment: null, number: 1, editedAt: null, facts: noFacts }

/** One that cannot be read, as of a later version, begins anew: its comment is found by its external id. */
export const livingOf = (stored: string | null): Living =>
  stored === null ? noLiving : Option.getOrElse(decode(stored), () => noLiving)

const keep = (sql: Sql, { id }: Lane, living: Living) =>
  sql`UPDATE plane_sync_lane SET living = ${encodeLiving(living)} WHERE id = ${id}`

/** Plane has what a delivery shows. */
export const livingTold = (
  sql: Sql,
  lane: Lane,
  delivery: Delivery,
  comment: CommentId | null,
  now: EpochMillis
): Effect.Effect<unknown, SqlError> =>
  delivery.living === null
    ? Effect.void
    : keep(sql, lane, { ...livingOf(delivery.living), comment: comment ?? delivery.commentId, editedAt: now })

/** A person has deleted it. */
export const livingGone = (sql: Sql, lane: Lane): Effect.Effect<unknown, SqlError> =>
  keep(sql, lane, { ...lane.living, comment: null, number: lane.living.number + 1 })

/**
 * Plane does not take what a delivery shows. That counts as shown, because the comments of failures and of the end wait
 * for it; the next edit shows it, too.
 */
export const livingPassed = (sql: Sql, lane: Lane, { living }: Delivery, now: EpochMillis) =>
  living === null
    ? Effect.void
    : keep(sql, lane, { ...lane.living, facts: livingOf(living).facts, editedAt: now })

/** How a delivery ends that is given up. An edit that settles no event is nothing that could be retried. */
export const givenUpAs = ({ events, living }: Delivery): "dead" | "discarded" =>
  living !== null && events === 0 ? "discarded" : "dead"

/** Closes events that are not told, because a person does not want the comment that would tell them. */
export const leaveUntold = (
  sql: Sql,
  tally: Tally,
  { id: lane, living }: Lane,
  { events, reason }: Extract<Step, { readonly _tag: "LeaveUntold" }>,
  now: EpochMillis
): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    const [first] = events
    const last = events.at(-1) ?? first
    const [row] = yield* sql<{ id: number }>`INSERT INTO plane_sync_delivery (lane, kind, status, first_event,
        last_event, body, occurred_at, planned_at, settled_at, reason, living)
      VALUES (${lane}, 'recount', 'discarded', ${first.sequence}, ${last.sequence}, '', ${first.occurredAt}, ${now},
        ${now}, ${reason}, ${encodeLiving(living)}) RETURNING id`
    const rows = yield* sql<{ status: EventStatus }>`UPDATE plane_sync_event
      SET delivery = ${row?.id ?? null}, comment = 'discarded', state = ${superseded(sql, lane)}
      WHERE sequence IN ${sql.numbers(events.map(({ sequence }) => sequence))} AND comment IN ('pending', 'retried')
      RETURNING status`
    tally.settled(lane, rows)
  })
