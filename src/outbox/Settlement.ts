import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import type { Fragment, Sql } from "../storage/Sql.js"
import type {
  DeadCode,
  Delivery,
  Lane,
  LaneDead,
  LookOutcome,
  OwedEvent,
  SeenState,
  SendOutcome,
  Settlement
} from "./Lane.js"
import { maxOwedComments } from "./Lane.js"

/** Writes down how a job ended and gives its lane free. Runs within a transaction. */
export const settle = (sql: Sql, settlement: Settlement, now: number): Effect.Effect<void, SqlError> =>
  settlement._tag === "Sent"
    ? sent(sql, settlement.job.lane, settlement.job.delivery, settlement.outcome, now)
    : looked(sql, settlement.job.lane, settlement.outcome, now)

const looked = (sql: Sql, lane: Lane, outcome: LookOutcome, now: number) => {
  switch (outcome._tag) {
    case "Found":
      return lane.workItem === null ? found(sql, lane, outcome) : Effect.gen(function*() {
        yield* sql`UPDATE plane_sync_lane SET gone = 0, attempts = 0 WHERE id = ${lane.id}`
        yield* see(sql, lane, outcome.seen)
        yield* free(sql, lane, now, null)
      })
    case "Missed":
      return Effect.zipRight(
        sql`UPDATE plane_sync_lane SET misses = misses + 1, attempts = 0 WHERE id = ${lane.id}`,
        free(sql, lane, outcome.dueAt, outcome.reason)
      )
    case "LaneDead":
      return laneDead(sql, lane, outcome, now)
    case "Later":
      return Effect.zipRight(
        sql`UPDATE plane_sync_lane SET attempts = attempts + ${outcome.counted ? 1 : 0} WHERE id = ${lane.id}`,
        free(sql, lane, outcome.dueAt, outcome.reason)
      )
  }
}

const sent = (sql: Sql, lane: Lane, delivery: Delivery, outcome: SendOutcome, now: number) =>
  Effect.gen(function*() {
    const unanswered = (outcome._tag === "Dead" && outcome.code === "attempts") ||
      (outcome._tag === "Split" && outcome.unanswered)
    // What is to be sent again is remembered by its delivery.
    if (outcome._tag !== "Later" && unanswered !== lane.unanswered) {
      yield* sql`UPDATE plane_sync_lane SET unanswered = ${unanswered ? 1 : 0} WHERE id = ${lane.id}`
    }
    switch (outcome._tag) {
      case "Delivered": {
        const { seen } = outcome
        // An earlier attempt that Plane may have executed: what is to be heard of it is our echo.
        const answered = outcome.unsent !== true || delivery.tried
        yield* close(sql, delivery, "delivered", now, { commentId: outcome.commentId })
        if (seen !== undefined) return yield* stateSettled(sql, lane, delivery, "delivered", { seen, answered }, now)
        yield* closeDebts(sql, delivery, "delivered")
        return yield* free(sql, lane, now, null)
      }
      case "Left": {
        yield* close(sql, delivery, "discarded", now, { reason: outcome.reason })
        return yield* stateSettled(sql, lane, delivery, "superseded", { seen: outcome.seen, answered: false }, now)
      }
      case "CommentGone": {
        yield* close(sql, delivery, "discarded", now, { reason: outcome.reason })
        // It is no comment that could be changed any more, so the next failure of the gate is told by a new one.
        yield* sql`UPDATE plane_sync_delivery SET gate = NULL WHERE lane = ${lane.id} AND plane_id = ${delivery.commentId}`
        yield* sql`UPDATE plane_sync_event SET comment = 'pending' WHERE delivery = ${delivery.id} AND comment = 'retried'`
        return yield* free(sql, lane, now, null)
      }
      case "Taken": {
        yield* taken(sql, lane, delivery, outcome, now)
        return yield* free(sql, lane, now, null)
      }
      case "Split": {
        yield* close(sql, delivery, "discarded", now, { ...outcome, reason: `split in two: ${outcome.reason}` })
        yield* split(sql, delivery)
        return yield* free(sql, lane, now, outcome.reason)
      }
      case "Withheld": {
        yield* close(sql, delivery, "discarded", now, outcome)
        yield* forget(sql, lane)
        return yield* free(sql, lane, now, outcome.reason)
      }
      case "Dead": {
        yield* close(sql, delivery, "dead", now, outcome)
        yield* closeDebts(sql, delivery, "dead")
        // Plane may have taken it: what state it is in now is not known.
        if (delivery.kind === "state") {
          yield* forget(sql, lane)
          if (unanswered) yield* sql`UPDATE plane_sync_lane SET late_state = ${delivery.body} WHERE id = ${lane.id}`
        }
        return yield* free(sql, lane, now, outcome.reason)
      }
      case "LaneDead": {
        yield* close(sql, delivery, "dead", now, outcome)
        yield* closeDebts(sql, delivery, "dead")
        return yield* laneDead(sql, lane, outcome, now)
      }
      case "Later": {
        yield* sql`UPDATE plane_sync_delivery SET attempts = attempts - ${outcome.counted ? 0 : 1},
          tried = CASE WHEN ${outcome.maybeDone === true ? 1 : 0} = 1 THEN 1 ELSE tried END,
          refusals = refusals + ${outcome.refused === true ? 1 : 0}, answer = ${
          outcome.answer ?? null
        }, reason = ${outcome.reason} WHERE id = ${delivery.id}`
        return yield* free(sql, lane, outcome.dueAt, outcome.reason)
      }
    }
  })

/** What is known of a lane's work item after a request, and the state that was asked for with it. */
interface Asked {
  readonly seen: SeenState
  /** `seen` is what our own PATCH has made of it. */
  readonly answered: boolean
  readonly asked: string
  /** It was left for a person's cancel. */
  readonly respected: boolean
  /** The event whose state is owed no longer. */
  readonly closed: number
}

/** How urgent a lane is by what it owes, `stateEvent` included: see `claim`. */
export const urgency = (sql: Sql, stateEvent: Fragment) =>
  sql`CASE
    WHEN EXISTS (SELECT 1 FROM plane_sync_event e WHERE e.lane = plane_sync_lane.id AND urgent = 1 AND comment = 'pending')
      THEN 0
    WHEN ${stateEvent} IS NOT NULL THEN 1 ELSE 2 END`

/** The lane is given free: due at `dueAt` if it owes anything; a patient one as soon as it is owed more. */
export const free = (
  sql: Sql,
  lane: Lane,
  dueAt: number,
  problem: string | null,
  { asked, patient = false }: { readonly patient?: boolean; readonly asked?: Asked } = {}
) => {
  // A turn is short because it is few statements: what was learned goes into this one.
  const learned = asked === undefined
    ? sql``
    : sql`${knows(sql, asked.seen)}, ${asked.answered ? hears(sql, asked.seen) : sql``} asked = ${asked.asked},
      respected = ${asked.respected ? 1 : 0}, state_event = nullif(state_event, ${asked.closed}),`
  return sql`UPDATE plane_sync_lane SET ${learned} holder = NULL, problem = ${problem}, patient = ${patient ? 1 : 0},
    urgency = ${urgency(sql, sql`nullif(state_event, ${asked?.closed ?? null})`)},
    due_at = CASE owed WHEN 0 THEN NULL ELSE ${dueAt} END WHERE id = ${lane.id}`
}

const knows = (sql: Sql, { cancelled, readAt, state, updatedAt }: SeenState) => {
  // What a webhook has told meanwhile may be newer.
  const isOlder = sql`coalesce(updated_at > ${updatedAt ?? ""}, 0)`
  return sql`state = iif(${isOlder}, state, ${state}), cancelled = iif(${isOlder}, cancelled, ${cancelled ? 1 : 0}),
    read_at = iif(${isOlder}, read_at, ${readAt}), read_by = iif(${isOlder}, read_by, ${reader(sql)}),
    updated_at = iif(${isOlder}, updated_at, ${updatedAt})`
}

// The monotonic clock tells nothing to another process, or after a start.
const reader = (sql: Sql) => sql`(SELECT holder FROM plane_sync_sender)`

// A webhook may have told meanwhile what a person made of it since.
const hears = (sql: Sql, { state, updatedAt }: SeenState) => {
  const isOlder = sql`coalesce(heard_at > ${updatedAt ?? ""}, 0)`
  return sql`heard_state = iif(${isOlder}, heard_state, ${state}), heard_at = iif(${isOlder}, heard_at, ${updatedAt}),
    late_state = NULL,`
}

const see = (sql: Sql, lane: Lane, seen: SeenState) =>
  sql`UPDATE plane_sync_lane SET ${knows(sql, seen)} WHERE id = ${lane.id}`

const forget = (sql: Sql, lane: Lane) =>
  sql`UPDATE plane_sync_lane SET state = NULL, cancelled = 0, read_at = NULL, asked = NULL WHERE id = ${lane.id}`

// The events of a key go to the lane of its work item, which may have events of another spelling already: by their
// sequence they are in one order again, and of two owed states the later stands. What that lane knows of its work item
// stands, unless the look-up has read what is newer.
const found = (
  sql: Sql,
  key: Lane,
  { key: canonical, seen: { cancelled, readAt, state, updatedAt }, workItem }: Extract<LookOutcome, { _tag: "Found" }>
) =>
  Effect.gen(function*() {
    const [lane] = yield* sql<{ id: number }>`INSERT INTO plane_sync_lane (name, work_item)
      VALUES (${workItem}, ${workItem}) ON CONFLICT (name) DO UPDATE SET gone = 0 RETURNING id`
    const target = lane?.id ?? null
    // Whatever it was published as, it is asked for by the key that Plane shows.
    yield* sql`INSERT INTO plane_sync_lane (name, target) VALUES (${WorkItemKey.normalize(canonical)}, ${target})
      ON CONFLICT (name) DO NOTHING`
    yield* sql`UPDATE plane_sync_lane SET state = ${state}, cancelled = ${cancelled ? 1 : 0}, read_at = ${readAt},
        read_by = ${reader(sql)}, updated_at = ${updatedAt}
      WHERE id = ${target} AND (updated_at < ${updatedAt}
        OR (read_at IS NULL AND (updated_at IS NULL OR updated_at = ${updatedAt})))`
    const both = sql`(SELECT * FROM plane_sync_lane WHERE id IN (${target}, ${key.id}))`
    yield* sql`UPDATE plane_sync_event SET lane = ${target} WHERE lane = ${key.id}`
    // An older stage's state is nobody's wish, also where the later one's has been set already.
    yield* sql`UPDATE plane_sync_event SET state = 'superseded' WHERE state = 'pending'
      AND comment NOT IN ('pending', 'retried') AND sequence IN (SELECT state_event FROM ${both})
      AND sequence < (SELECT max(latest_stage) FROM ${both})`
    yield* sql`UPDATE plane_sync_lane SET
        state_event = (SELECT CASE max(state_event) WHEN max(latest_stage) THEN max(state_event) END FROM ${both}),
        latest_stage = (SELECT max(latest_stage) FROM ${both}),
        urgency = (SELECT min(urgency) FROM ${both})
      WHERE id = ${target}`
    yield* sql`UPDATE plane_sync_delivery SET lane = ${target} WHERE lane = ${key.id}`
    yield* sql`UPDATE plane_sync_lane SET target = ${target}, attempts = 0, misses = 0,
      state_event = NULL, latest_stage = NULL WHERE id = ${key.id}`
    // Its state goes next: what was read of it is fresh now, and would have to be read again later.
    yield* sql`UPDATE plane_sync_lane SET due_at = -1 WHERE id = ${target} AND due_at IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM plane_sync_delivery d WHERE d.lane = ${target} AND d.status = 'pending')`
    yield* free(sql, key, 0, null)
  })

const owedColumns = `sequence, id, work_item AS "workItem", body, occurred_at AS "occurredAt",
  published_at AS "publishedAt", part`

/** From now on each half of the events of a refused comment is told by itself; what was retried is owed like any other. */
const split = (sql: Sql, delivery: Delivery) =>
  Effect.gen(function*() {
    const events = yield* sql<{ sequence: number }>`SELECT sequence FROM plane_sync_event
      WHERE delivery = ${delivery.id} AND comment IN ('pending', 'retried') ORDER BY sequence`
    const half = Math.ceil(events.length / 2)
    for (const part of [events.slice(0, half), events.slice(half)]) {
      yield* sql`UPDATE plane_sync_event SET comment = 'pending', part = ${part[0]?.sequence ?? null}
        WHERE sequence IN (SELECT value FROM json_each(${JSON.stringify(part.map(({ sequence }) => sequence))}))`
    }
  })

/**
 * What a comment tells that has our external id: events of this delivery and, where it is a part of a refused one, of the
 * others that were to be told with it. What it does not tell is owed as before. It tells none: the next external id.
 */
const taken = (
  sql: Sql,
  lane: Lane,
  delivery: Delivery,
  { nextExternalId, commentId, tells }: Extract<SendOutcome, { _tag: "Taken" }>,
  now: number
) =>
  Effect.gen(function*() {
    const own = yield* sql<OwedEvent>`SELECT ${sql.literal(owedColumns)} FROM plane_sync_event
      WHERE delivery = ${delivery.id} AND comment IN ('pending', 'retried') ORDER BY sequence`
    if (!own.some(tells)) {
      yield* sql`UPDATE plane_sync_delivery SET external_id = ${nextExternalId}, attempts = 0, tried = 0, refusals = 0,
        reason = ${`another comment has the external id ${delivery.externalId ?? ""}`} WHERE id = ${delivery.id}`
      return yield* Effect.logWarning(
        `Plane has another comment under the external id ${delivery.externalId ?? ""}: told under ${nextExternalId}`
      )
    }
    const others = delivery.part === null ? [] : yield* sql<OwedEvent>`SELECT ${sql.literal(owedColumns)}
      FROM plane_sync_event WHERE lane = ${lane.id} AND status = 'pending' AND comment = 'pending' AND part IS NOT NULL
        AND delivery IS NOT ${delivery.id} ORDER BY sequence LIMIT ${sql.literal(String(maxOwedComments))}`
    const told = [...own, ...others].filter(tells).map(({ sequence }) => sequence)
    yield* close(sql, delivery, "delivered", now, { commentId })
    yield* sql`UPDATE plane_sync_event SET comment = 'pending', delivery = NULL
      WHERE delivery = ${delivery.id} AND comment IN ('pending', 'retried')`
    yield* sql`UPDATE plane_sync_event SET comment = 'delivered', state = ${superseded(sql, lane.id)},
        delivery = ${delivery.id}
      WHERE sequence IN (SELECT value FROM json_each(${JSON.stringify(told)}))`
  })

const close = (
  sql: Sql,
  delivery: Delivery,
  status: "delivered" | "dead" | "discarded",
  now: number,
  told: {
    readonly commentId?: string | null
    readonly code?: DeadCode
    readonly reason?: string
    readonly answer?: number | undefined
  }
) =>
  sql`UPDATE plane_sync_delivery SET status = ${status}, settled_at = ${now}, reason = ${told.reason ?? null},
    answer = ${told.answer ?? null}, code = ${told.code ?? null}, plane_id = coalesce(${
    told.commentId ?? null
  }, plane_id) WHERE id = ${delivery.id}`

/** What becomes of an event's state with its comment: superseded, unless it is the latest. */
const superseded = (sql: Sql, lane: number) =>
  sql`CASE WHEN state = 'pending' AND sequence IS NOT (SELECT state_event FROM plane_sync_lane WHERE id = ${lane})
    THEN 'superseded' ELSE state END`

type Closed = "delivered" | "superseded" | "dead"

const stateSettled = (
  sql: Sql,
  lane: Lane,
  delivery: Delivery,
  as: Closed,
  { answered, seen }: Pick<Asked, "answered" | "seen">,
  now: number
) =>
  Effect.zipRight(
    stateClosed(sql, delivery.lastEvent, as),
    free(sql, lane, now, null, {
      asked: { seen, answered, asked: delivery.body, respected: as === "superseded", closed: delivery.lastEvent }
    })
  )

/** Superseded it is already, if a later stage has been published meanwhile. */
const stateClosed = (sql: Sql, sequence: number, as: Closed) =>
  sql`UPDATE plane_sync_event SET state = ${as} WHERE sequence = ${sequence} AND state = 'pending'`

/** The state of an event is owed no longer. */
export const closeState = (sql: Sql, lane: number, sequence: number, as: Closed) =>
  Effect.zipRight(
    stateClosed(sql, sequence, as),
    sql`UPDATE plane_sync_lane SET state_event = NULL WHERE id = ${lane} AND state_event = ${sequence}`
  )

/** The events that a delivery tells, or the one whose state it sets, owe that no longer. */
const closeDebts = (sql: Sql, { id, kind, lane, lastEvent }: Delivery, as: Closed) =>
  kind === "state"
    ? closeState(sql, lane, lastEvent, as)
    : sql`UPDATE plane_sync_event SET comment = ${as}, state = ${superseded(sql, lane)}
      WHERE delivery = ${id} AND comment IN ('pending', 'retried')`

// Ids begin with 1.
const noDelivery = 0

const letterColumns = (sql: Sql) =>
  sql`(lane, kind, status, first_event, last_event, body, occurred_at, planned_at, settled_at, attempts, answer, code,
    reason)`

const why = (sql: Sql, { answer, attempts, code, reason }: LaneDead, now: number) =>
  sql`${now}, ${now}, ${attempts ?? 0}, ${answer ?? null}, ${code}, ${reason}`

/** Dead letters of the oldest owed comments, at most `limit`, but not of those that `delivery` tells; how many. */
const commentsDead = (
  sql: Sql,
  lane: Lane,
  dead: LaneDead,
  now: number,
  { delivery, limit }: { readonly delivery: number | null; readonly limit: number }
) =>
  Effect.gen(function*() {
    const letters = yield* sql<{ id: number; sequence: number }>`INSERT INTO plane_sync_delivery ${letterColumns(sql)}
      SELECT lane, 'comment', 'dead', sequence, sequence, '', occurred_at, ${why(sql, dead, now)}
      FROM plane_sync_event WHERE lane = ${lane.id} AND status = 'pending' AND comment = 'pending'
        AND delivery IS NOT ${delivery ?? noDelivery} ORDER BY sequence LIMIT ${sql.literal(String(limit))}
      RETURNING id, first_event AS sequence`
    yield* sql`UPDATE plane_sync_event SET comment = 'dead', state = ${superseded(sql, lane.id)}, delivery = value ->> 0
      FROM json_each(${JSON.stringify(letters.map(({ id, sequence }) => [id, sequence]))})
      WHERE sequence = value ->> 1`
    return letters.length
  })

/**
 * A batch of the dead letters that `settle` would write, while its lane is still held; how many. Before `settle` until
 * there are fewer than `limit`, so that no transaction is as long as what a lane owes. Runs within a transaction.
 */
export const buryAhead = (
  sql: Sql,
  settlement: Settlement,
  now: number,
  limit: number
): Effect.Effect<number, SqlError> => {
  const { job, outcome } = settlement
  if (outcome._tag !== "LaneDead") return Effect.succeed(0)
  return commentsDead(sql, job.lane, outcome, now, { delivery: job._tag === "Send" ? job.delivery.id : null, limit })
}

const laneDead = (sql: Sql, lane: Lane, dead: LaneDead, now: number) =>
  Effect.gen(function*() {
    const { answer, code, gone, reason } = dead
    yield* commentsDead(sql, lane, dead, now, { delivery: null, limit: -1 })
    yield* sql`UPDATE plane_sync_event SET comment = 'dead', state = ${superseded(sql, lane.id)}
      WHERE lane = ${lane.id} AND status = 'pending' AND comment = 'retried'`
    yield* sql`UPDATE plane_sync_delivery SET status = 'dead', settled_at = ${now}, answer = ${answer ?? null},
      code = ${code}, reason = ${reason} WHERE lane = ${lane.id} AND status = 'retried'`
    const [latest] = yield* sql<{ id: number; sequence: number }>`INSERT INTO plane_sync_delivery ${letterColumns(sql)}
      SELECT lane, 'state', 'dead', sequence, sequence, '', occurred_at, ${why(sql, dead, now)}
      FROM plane_sync_event WHERE state = 'pending'
        AND sequence = (SELECT state_event FROM plane_sync_lane WHERE id = ${lane.id})
      RETURNING id, last_event AS sequence`
    if (latest !== undefined) {
      yield* sql`UPDATE plane_sync_event SET state_delivery = ${latest.id} WHERE sequence = ${latest.sequence}`
      yield* closeState(sql, lane.id, latest.sequence, "dead")
    }
    yield* sql`UPDATE plane_sync_lane SET gone = ${gone ? 1 : 0}, attempts = 0, misses = 0
      WHERE id = ${lane.id}`
    yield* forget(sql, lane)
    yield* free(sql, lane, now, reason)
  })
