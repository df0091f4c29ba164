import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import { epochMillis } from "../base/Time.js"
import type { EpochMillis } from "../base/Time.js"
import type { EventSequence, LaneId } from "../domain/Ids.js"
import { flag } from "../storage/Dialect.js"
import type { Fragment, Sql } from "../storage/Sql.js"
import type { DeadCode } from "./DeadCode.js"
import type { DeliveryKind } from "./DeliveryKind.js"
import { idleDue } from "./Idle.js"
import { moreUrgent } from "./LaneUpdate.js"
import type { EventStatus } from "./StoredEvent.js"
import type { Tally } from "./Tally.js"
import { withLastTry } from "./Tries.js"

/** A delivery that is not tried again by itself. */
export interface DeadLetter {
  readonly id: number
  readonly kind: DeliveryKind
  readonly code: DeadCode
  readonly reason: string
  /** The key of its first event, as written. */
  readonly workItem: string
  readonly firstEvent: EventSequence
  readonly lastEvent: EventSequence
  /** A comment's HTML or a state's id; empty when it was never composed. */
  readonly body: string
  readonly externalId: string | null
  readonly occurredAt: EpochMillis
  readonly settledAt: EpochMillis
  readonly attempts: number
  /** Plane's last answer. */
  readonly answer: number | null
}

/** Which dead letters: all that is given must hold. */
export interface DeadLetterFilter {
  readonly code?: DeadCode | undefined
  /** The identifier of their project; empty: their keys begin with none. */
  readonly project?: string | undefined
  /** They became dead letters no earlier, and no later. */
  readonly since?: EpochMillis | undefined
  readonly until?: EpochMillis | undefined
  /** The id of the newest that is meant. */
  readonly upTo?: number | undefined
}

export interface DeadLetterQuery extends DeadLetterFilter {
  readonly limit: number
  /** The id of the last letter of the page before. Pages are newest first. */
  readonly cursor?: number | undefined
}

/** One dead letter, or all that match. */
export type Which = { readonly id: number } | DeadLetterFilter

/** A batch of `Which`: of all that match the oldest ones of these ids. */
export type Batch = { readonly id: number } | DeadLetterFilter & { readonly after: number; readonly upTo: number }

const columns = `d.id, d.kind, d.code, d.reason, e.work_item AS "workItem", d.first_event AS "firstEvent",
  d.last_event AS "lastEvent", d.body, d.external_id AS "externalId", d.occurred_at AS "occurredAt",
  d.settled_at AS "settledAt", d.attempts, d.answer`

/** What holds of the delivery `d` if it is one of them. */
const matching = (sql: Sql, { code, project, since, until, upTo }: DeadLetterFilter): ReadonlyArray<Fragment> => [
  sql`d.status = 'dead'`,
  ...(code === undefined ? [] : [sql`d.code = ${code}`]),
  ...(project === undefined
    ? []
    : [sql`coalesce((SELECT project FROM plane_sync_lane WHERE id = d.lane), '') = ${project}`]),
  ...(since === undefined ? [] : [sql`d.settled_at >= ${since}`]),
  ...(until === undefined ? [] : [sql`d.settled_at <= ${until}`]),
  ...(upTo === undefined ? [] : [sql`d.id <= ${upTo}`])
]

/** How many match. */
export const countDeadLetters = (sql: Sql, filter: DeadLetterFilter): Effect.Effect<number, SqlError> =>
  Effect.map(
    sql<{ letters: number }>`SELECT count(*) AS letters FROM plane_sync_delivery d
      WHERE ${sql.join(" AND ", matching(sql, filter))}`,
    ([row]) => row?.letters ?? 0
  )

export const readDeadLetters = (sql: Sql, query: DeadLetterQuery) =>
  sql<DeadLetter>`SELECT ${sql.literal(columns)} FROM plane_sync_delivery d
    JOIN plane_sync_event e ON e.sequence = d.first_event
    WHERE ${
    sql.join(" AND ", [
      ...matching(sql, query),
      sql`d.id < ${query.cursor ?? Number.MAX_SAFE_INTEGER}`
    ])
  } ORDER BY d.id DESC LIMIT ${query.limit}`

export const readDeadLetter = (sql: Sql, id: number) =>
  Effect.map(
    sql<DeadLetter>`SELECT ${sql.literal(columns)} FROM plane_sync_delivery d
      JOIN plane_sync_event e ON e.sequence = d.first_event WHERE d.status = 'dead' AND d.id = ${id}`,
    ([letter]): DeadLetter | undefined => letter
  )

interface Chosen {
  readonly id: number
  readonly lane: LaneId | null
  readonly kind: DeliveryKind
  readonly lastEvent: EventSequence
  readonly code: DeadCode
}

/**
 * How many dead letters one transaction takes: over a file publishing waits for it. On Postgres the leader does, and
 * there each letter takes several ways to another machine and back.
 */
export const deadLetterBatch = (sql: Sql): number => sql.isShared ? 50 : 500

// Takes the letters out of the dead ones and returns them.
const choose = (sql: Sql, which: Batch, status: "retried" | "discarded") =>
  sql<Chosen>`UPDATE plane_sync_delivery SET status = ${status} WHERE status = 'dead' AND id IN (
      SELECT d.id FROM plane_sync_delivery d WHERE ${
    "id" in which
      ? sql`d.status = 'dead' AND d.id = ${which.id}`
      : sql.join(" AND ", [...matching(sql, which), sql`d.id > ${which.after}`])
  } ${status === "retried" ? sql`AND d.code <> 'unfit'` : sql``} ORDER BY d.id LIMIT ${
    sql.literal(String(deadLetterBatch(sql)))
  })
    RETURNING id, lane, kind, last_event AS "lastEvent", code`

/**
 * Retries a batch of dead letters, and returns their ids. A comment is sent after what its lane owes now, with its old
 * time and external id, so it cannot double. A count goes into the comment that it was planned for. A state becomes the
 * state of the *latest* stage. What can never be told (`unfit`) stays dead.
 */
export const retry = (sql: Sql, tally: Tally, which: Batch): Effect.Effect<ReadonlyArray<number>, SqlError> =>
  Effect.gen(function*() {
    const chosen = yield* choose(sql, which, "retried")
    const now = yield* epochMillis
    for (const letter of chosen) {
      // Due from now on, not from when its events were published. A lane that waited to update a count has something to
      // send now.
      yield* sql`UPDATE plane_sync_lane SET patient = 0,
        due_at = CASE patient WHEN 1 THEN ${now} ELSE coalesce(due_at, ${now}) END WHERE id = ${letter.lane}`
      if (letter.kind === "state") {
        yield* sql`UPDATE plane_sync_delivery SET tries = ${withLastTry(sql)}, status = 'discarded', reason = 'retried'
          WHERE id = ${letter.id}`
        yield* oweLatestState(sql, tally, letter)
      } else {
        yield* sql`UPDATE plane_sync_delivery SET after_event = (SELECT max(sequence) FROM plane_sync_event)
          WHERE id = ${letter.id}`
        yield* setComments(sql, tally, letter, "retried")
      }
      const owed = letter.lane === null ? 0 : tally.take(letter.lane)
      yield* sql`UPDATE plane_sync_lane SET urgency = ${moreUrgent(sql)},
        owed = owed + ${owed}, due_at = CASE owed + ${owed} WHEN 0 THEN ${idleDue(sql)} ELSE due_at END
        WHERE id = ${letter.lane}`
    }
    return chosen.map(({ id }) => id)
  })

/** Discards a batch of dead letters, and returns their ids. */
export const discard = (sql: Sql, tally: Tally, which: Batch): Effect.Effect<ReadonlyArray<number>, SqlError> =>
  Effect.gen(function*() {
    const chosen = yield* choose(sql, which, "discarded")
    for (const letter of chosen) {
      // An event that can never be told has one letter for both its comment and its state, unless the state has a
      // letter of its own.
      if (letter.kind === "state" || letter.code === "unfit") {
        const rows = yield* sql<Changed>`UPDATE plane_sync_event SET state = 'discarded'
          WHERE sequence = ${letter.lastEvent} AND state = 'dead'
            AND ${letter.kind === "state" ? sql`true` : sql`state_delivery IS NULL`}
          RETURNING ${changed(sql, sql`comment`)}`
        note(tally, letter.lane, rows)
      }
      if (letter.kind !== "state") yield* setComments(sql, tally, letter, "discarded")
    }
    return chosen.map(({ id }) => id)
  })

/**
 * An event of a dead letter: its status now, whether the rest of what it owes is pending, and whether it is counted
 * already.
 */
interface Changed {
  readonly status: EventStatus
  readonly otherIsOwed: number
  readonly isFolded: number
}

const changed = (sql: Sql, other: Fragment) =>
  sql`status, ${flag(sql, sql`${other} IN ('pending', 'retried')`)} AS "otherIsOwed",
    folded AS "isFolded"`

// One of the two things that the event owes was dead. So the event was pending where the other was pending, and dead
// otherwise. An event that is not folded yet is counted when it is.
const note = (tally: Tally, lane: LaneId | null, rows: ReadonlyArray<Changed>) => {
  for (const { isFolded, otherIsOwed, status } of rows) {
    if (isFolded === 1) tally.moved(lane, otherIsOwed === 1 ? "pending" : "dead", status)
  }
}

const setComments = (sql: Sql, tally: Tally, letter: Chosen, as: "retried" | "discarded") =>
  Effect.map(
    sql<Changed>`UPDATE plane_sync_event SET comment = ${as} WHERE delivery = ${letter.id} AND comment = 'dead'
      RETURNING ${changed(sql, sql`state`)}`,
    (rows) => note(tally, letter.lane, rows)
  )

const oweLatestState = (sql: Sql, tally: Tally, letter: Chosen) =>
  Effect.gen(function*() {
    const older = yield* sql<Changed>`UPDATE plane_sync_event SET state = 'superseded'
      WHERE sequence = ${letter.lastEvent} AND state = 'dead' RETURNING ${changed(sql, sql`comment`)}`
    // Another letter's retry has made the latest stage's state pending already.
    if (older.length === 0) return
    note(tally, letter.lane, older)
    const [before] = yield* sql<
      { sequence: EventSequence; status: EventStatus }
    >`SELECT sequence, status FROM plane_sync_event
      WHERE sequence = (SELECT latest_stage FROM plane_sync_lane WHERE id = ${letter.lane})`
    if (before !== undefined) {
      // Its own letter is retried with it: later it would undo what a person has chosen since.
      yield* sql`UPDATE plane_sync_delivery SET tries = ${withLastTry(sql)}, status = 'discarded', reason = 'retried'
        WHERE status = 'dead' AND id = (SELECT state_delivery FROM plane_sync_event WHERE sequence = ${before.sequence})`
      yield* sql`UPDATE plane_sync_event SET state = 'pending' WHERE sequence = ${before.sequence}`
      tally.moved(letter.lane, before.status, "pending")
    }
    yield* sql`UPDATE plane_sync_lane SET state_event = ${before?.sequence ?? null}, asked = NULL
      WHERE id = ${letter.lane}`
  })
