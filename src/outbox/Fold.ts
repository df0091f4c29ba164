import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { EventSequence, LaneId } from "../domain/Ids.js"
import { flag } from "../storage/Dialect.js"
import type { Fragment, Sql } from "../storage/Sql.js"
import type { EventStatus } from "./StoredEvent.js"
import type { Tally } from "./Tally.js"

/**
 * A publish only inserts its event. The leader folds new events into their lanes, in the order of their sequence: what
 * the lane owes from now on, when it is due, how urgent it is, and whose stage is the latest. Rows above `folded` are
 * new.
 */
export const folded = (sql: Sql): Fragment => sql`(SELECT sequence FROM plane_sync_folded)`

/** Whether there are new events. */
export const hasNew = (sql: Sql): Fragment =>
  sql`coalesce((SELECT max(sequence) FROM plane_sync_event) > ${folded(sql)}, false)`

/** Whether there are new events of projects, by their identifiers. '' has those of no lane as well. */
export const hasNewOf = (sql: Sql, projects: ReadonlyArray<string>): Fragment =>
  sql`EXISTS (SELECT 1 FROM plane_sync_event e LEFT JOIN plane_sync_lane l ON l.id = e.lane
    WHERE e.sequence > ${folded(sql)} AND coalesce(l.project, '') IN ${sql.texts(projects)})`

/** How many events are new, at most: sequences can have gaps. */
export const newEvents = (sql: Sql): Effect.Effect<number, SqlError> =>
  Effect.map(
    sql<{ events: number }>`SELECT coalesce((SELECT max(sequence) FROM plane_sync_event) - ${
      folded(sql)
    }, 0) AS events`,
    ([row]) => row?.events ?? 0
  )

/** How many events are folded together. */
export const foldBatch = 500

interface Row {
  readonly sequence: EventSequence
  readonly lane: LaneId | null
  readonly status: EventStatus
  readonly asksState: number
  readonly urgent: number
  readonly publishedAt: EpochMillis
  readonly owesState: number
}

/** What new events change in one lane. */
interface Folded {
  readonly owed: number
  readonly dueAt: EpochMillis
  readonly urgency: number
  readonly lastStage: EventSequence | null
  /** Whether the lane owed a state before. */
  readonly owesState: boolean
}

// Urgent events before states, states before stage comments: see `claim`.
const urgencyOf = ({ asksState, urgent }: Row) => urgent === 1 ? 0 : asksState === 1 ? 1 : 2

const foldedWith = (before: Folded | undefined, row: Row): Folded => ({
  owed: (before?.owed ?? 0) + 1,
  dueAt: before?.dueAt ?? row.publishedAt,
  urgency: Math.min(before?.urgency ?? 2, urgencyOf(row)),
  lastStage: row.asksState === 1 ? row.sequence : before?.lastStage ?? null,
  owesState: before?.owesState ?? row.owesState === 1
})

const foldLane = (sql: Sql, tally: Tally, lane: LaneId, { dueAt, lastStage, owed, owesState, urgency }: Folded) =>
  Effect.gen(function*() {
    if (lastStage !== null && owesState) {
      // Only the latest stage's state is owed. An older state is closed with its comment, or here if that comment is
      // settled already.
      const rows = yield* sql<{ status: EventStatus }>`UPDATE plane_sync_event SET state = 'superseded'
        WHERE state = 'pending' AND comment NOT IN ('pending', 'retried')
          AND sequence = (SELECT state_event FROM plane_sync_lane WHERE id = ${lane}) RETURNING status`
      tally.settled(lane, rows)
    }
    yield* sql`UPDATE plane_sync_lane SET owed = owed + ${owed + tally.take(lane)},
      due_at = CASE WHEN due_at IS NULL OR patient = 1 AND due_at > ${dueAt} THEN ${dueAt} ELSE due_at END,
      patient = 0, urgency = CASE WHEN urgency > ${urgency} THEN ${urgency} ELSE urgency END,
      state_event = coalesce(${lastStage}, state_event), latest_stage = coalesce(${lastStage}, latest_stage)
      WHERE id = ${lane}`
  })

/** Folds the oldest new events, at most a batch, and returns how many. Runs within a transaction of the leader. */
export const fold = (sql: Sql, tally: Tally): Effect.Effect<number, SqlError> =>
  Effect.gen(function*() {
    // The event's lane as of now, because its key may have been found since.
    const rows = yield* sql<Row>`SELECT e.sequence, coalesce(l.target, l.id) AS lane, e.status,
        ${flag(sql, sql`e.state = 'pending'`)} AS "asksState", e.urgent, e.published_at AS "publishedAt",
        ${flag(sql, sql`coalesce(l.target, l.state_event) IS NOT NULL`)} AS "owesState"
      FROM plane_sync_event e LEFT JOIN plane_sync_lane l ON l.id = e.lane
      WHERE e.sequence > ${folded(sql)} ORDER BY e.sequence LIMIT ${sql.literal(String(foldBatch))}`
    const last = rows.at(-1)
    if (last === undefined) return 0
    const lanes = new Map<LaneId, Folded>()
    for (const row of rows) {
      // Only the counts here: what a lane owes is written with the rest of the lane.
      tally.moved(null, undefined, row.status)
      if (row.lane !== null && row.status === "pending") lanes.set(row.lane, foldedWith(lanes.get(row.lane), row))
    }
    for (const [lane, what] of lanes) yield* foldLane(sql, tally, lane, what)
    yield* sql`UPDATE plane_sync_folded SET sequence = ${last.sequence}`
    return rows.length
  })

/** Folds all new events. Most must be folded before, so that this transaction stays short. */
export const foldAll = (sql: Sql, tally: Tally): Effect.Effect<void, SqlError> =>
  Effect.flatMap(fold(sql, tally), (count) => count < foldBatch ? Effect.void : foldAll(sql, tally))
