import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { EventSequence, LaneId } from "../domain/Ids.js"
import { flag } from "../storage/Dialect.js"
import type { Fragment, Sql } from "../storage/Sql.js"
import type { Covers } from "./Covers.js"
import { addLaneUsage, usageOf } from "./EventUsage.js"
import type { EventStatus } from "./StoredEvent.js"
import type { Tally } from "./Tally.js"
import { linksOf, wantLinks } from "./WantedLinks.js"

/**
 * A publish only inserts its event, so that it waits for nobody else's transaction. The leader folds new events into
 * their lanes, in the order of their sequence: it makes the lane where there is none yet, and writes down what the lane
 * owes from now on, when it is due, how urgent it is, and whose stage is the latest.
 *
 * An event is new while its `folded` is 0. It has no lane by then, but the name of one. On Postgres it can become
 * visible after a later one of its lane was folded, because a sequence is taken before the commit.
 */
export const hasNew = (sql: Sql, covers: Covers): Fragment =>
  sql`EXISTS (SELECT 1 FROM plane_sync_event e ${lanesOf(sql)} WHERE e.folded = 0 AND ${covers(projectOf(sql))})`

// An older version that still publishes gives a lane and not its name.
const laneName = (sql: Sql) =>
  sql`coalesce(e.lane_name, (SELECT given.name FROM plane_sync_lane given WHERE given.id = e.lane))`

const lanesOf = (sql: Sql) =>
  sql`LEFT JOIN plane_sync_lane l ON l.name = ${laneName(sql)}
    LEFT JOIN plane_sync_lane i ON i.id = coalesce(l.target, l.id)`

// A lane has one leader, so whose lane it is decides, whatever the event's key says.
const projectOf = (sql: Sql) => sql`CASE WHEN i.id IS NULL THEN coalesce(e.project, '') ELSE i.project END`

/** The newest of these events. */
export const lastNew = (sql: Sql, covers: Covers): Effect.Effect<EventSequence | undefined, SqlError> =>
  Effect.map(
    sql<{ sequence: EventSequence }>`SELECT e.sequence FROM plane_sync_event e ${lanesOf(sql)}
      WHERE e.folded = 0 AND ${covers(projectOf(sql))} ORDER BY e.sequence DESC LIMIT 1`,
    ([row]) => row?.sequence
  )

/** A list, for an IN: how a lane's new events may name it, which is by each spelling of its key. */
export const namesOf = (sql: Sql, lane: LaneId | Fragment): Fragment =>
  sql`(SELECT spelling.name FROM plane_sync_lane spelling WHERE spelling.id = ${lane} OR spelling.target = ${lane})`

/** How many events are folded together. */
export const foldBatch = 500

interface Row {
  readonly sequence: EventSequence
  readonly lane: LaneId | null
  /** Null if the event can never be told, so that no lane owes it. */
  readonly name: string | null
  readonly project: string | null
  /** That of the lane by this name. */
  readonly laneProject: string | null
  readonly status: EventStatus
  readonly asksState: number
  readonly urgent: number
  readonly publishedAt: EpochMillis
  readonly owesState: number
  readonly latestStage: EventSequence | null
  /** Its links, as JSON. */
  readonly links: string | null
  /** Its usage, as JSON. */
  readonly usage: string | null
}

/** What new events change in one lane. */
interface Folded {
  readonly owed: number
  readonly dueAt: EpochMillis
  readonly urgency: number
  readonly lastStage: EventSequence | null
  readonly first: EventSequence
  /** Whether the lane owed a state before. */
  readonly owesState: boolean
}

// The event's lane as of now, because its key may have been found since.
const readNew = (sql: Sql, covers: Covers) =>
  sql<Row>`SELECT e.sequence, e.status, e.project, ${laneName(sql)} AS name, l.project AS "laneProject", i.id AS lane,
      ${flag(sql, sql`e.state = 'pending'`)} AS "asksState", e.urgent, e.published_at AS "publishedAt",
      ${flag(sql, sql`i.state_event IS NOT NULL`)} AS "owesState", i.latest_stage AS "latestStage", e.links, e.usage
    FROM plane_sync_event e ${lanesOf(sql)}
    WHERE e.folded = 0 AND ${covers(projectOf(sql))} ORDER BY e.sequence LIMIT ${sql.literal(String(foldBatch))}`

/** Makes the lanes that these events are the first of. */
const makeLanes = (sql: Sql, covers: Covers, rows: ReadonlyArray<Row>) => {
  const lanes = new Map<string, string>()
  for (const { lane, laneProject, name, project } of rows) {
    // A key may have been published before its project was set. Its lane changes its leader only while nobody holds it.
    if (name !== null && (lane === null || (laneProject === "" && project !== ""))) lanes.set(name, project ?? "")
  }
  if (lanes.size === 0) return Effect.succeed(rows)
  // In the order of their events: of lanes that are due at the same moment, the older one is told first.
  return Effect.zipRight(
    sql`INSERT INTO plane_sync_lane (name, project) SELECT value ->> 0, value ->> 1 FROM ${sql.each(Array.from(lanes))}
      WHERE true ORDER BY key
      ON CONFLICT (name) DO UPDATE SET project = excluded.project
        WHERE plane_sync_lane.project = '' AND excluded.project <> '' AND plane_sync_lane.holder IS NULL`,
    // What has come since the first look, and has no lane yet, is folded the next time.
    Effect.map(readNew(sql, covers), (again) => again.filter(({ lane, name }) => name === null || lane !== null))
  )
}

// On Postgres, an event may come late: its comment is owed, but a later stage's state is wanted by now.
const asksState = ({ asksState, latestStage, sequence }: Row) => asksState === 1 && sequence > (latestStage ?? 0)

// Urgent events before states, states before stage comments: see `claim`.
const urgencyOf = (row: Row) => row.urgent === 1 ? 0 : asksState(row) ? 1 : 2

const foldedWith = (before: Folded | undefined, row: Row): Folded => ({
  owed: (before?.owed ?? 0) + 1,
  dueAt: before?.dueAt ?? row.publishedAt,
  urgency: Math.min(before?.urgency ?? 2, urgencyOf(row)),
  lastStage: asksState(row) ? row.sequence : before?.lastStage ?? null,
  first: before?.first ?? row.sequence,
  owesState: before?.owesState ?? row.owesState === 1
})

// Two statements, however many lanes: on Postgres each is a way to another machine and back.
const foldLanes = (sql: Sql, tally: Tally, lanes: ReadonlyMap<LaneId, Folded>) =>
  Effect.gen(function*() {
    const restaged = Array.from(lanes).flatMap(([lane, { lastStage, owesState }]) =>
      lastStage !== null && owesState ? [lane] : []
    )
    if (restaged.length > 0) {
      // Only the latest stage's state is owed. An older state is closed with its comment, or here if that comment is
      // settled already.
      const rows = yield* sql<{ lane: LaneId | null; status: EventStatus }>`UPDATE plane_sync_event
        SET state = 'superseded' WHERE state = 'pending' AND comment NOT IN ('pending', 'retried') AND sequence IN
          (SELECT state_event FROM plane_sync_lane WHERE id IN ${sql.numbers(restaged)}) RETURNING lane, status`
      for (const row of rows) tally.settled(row.lane, [row])
    }
    // In one order, so that two transactions that change the same lanes cannot wait for each other.
    const changes = Array.from(lanes).sort(([one], [other]) => one - other).map(
      (
        [lane, { dueAt, first, lastStage, owed, urgency }]
      ) => [lane, owed + tally.take(lane), dueAt, urgency, lastStage, first]
    )
    if (changes.length === 0) return
    const dueAt = sql`CAST(value ->> 2 AS bigint)`
    const urgency = sql`CAST(value ->> 3 AS bigint)`
    const stage = sql`CAST(value ->> 4 AS bigint)`
    yield* sql`UPDATE plane_sync_lane SET owed = owed + CAST(value ->> 1 AS bigint),
      due_at = CASE WHEN due_at IS NULL OR patient = 1 AND due_at > ${dueAt} THEN ${dueAt} ELSE due_at END,
      patient = 0, urgency = CASE WHEN urgency > ${urgency} THEN ${urgency} ELSE urgency END,
      state_event = coalesce(${stage}, state_event), latest_stage = coalesce(${stage}, latest_stage),
      first_word = coalesce(first_word, CAST(value ->> 5 AS bigint))
      FROM ${sql.each(changes)} WHERE plane_sync_lane.id = CAST(value ->> 0 AS bigint)`
  })

/** What was folded: how many events, and the last of them. */
export interface FoldedEvents {
  readonly count: number
  readonly last: EventSequence | undefined
}

/** Folds the oldest new events of a leader, at most a batch. Runs within a transaction of it. */
export const fold = (sql: Sql, tally: Tally, covers: Covers): Effect.Effect<FoldedEvents, SqlError> =>
  Effect.gen(function*() {
    const rows = yield* Effect.flatMap(readNew(sql, covers), (rows) => makeLanes(sql, covers, rows))
    const last = rows.at(-1)?.sequence
    if (last === undefined) return { count: 0, last }
    const lanes = new Map<LaneId, Folded>()
    for (const row of rows) {
      // Only the counts here: what a lane owes is written with the rest of the lane.
      tally.moved(null, undefined, row.status)
      if (row.lane !== null && row.status === "pending") lanes.set(row.lane, foldedWith(lanes.get(row.lane), row))
    }
    yield* foldLanes(sql, tally, lanes)
    yield* wantLinks(
      sql,
      rows.flatMap(({ lane, links, sequence }) =>
        lane === null ? [] : linksOf(links).map((link) => ({ ...link, lane, sequence }))
      )
    )
    yield* addLaneUsage(
      sql,
      rows.flatMap(({ lane, usage }) => lane === null ? [] : usageOf(usage).map((one) => ({ lane, usage: one })))
    )
    yield* sql`UPDATE plane_sync_event SET folded = 1, lane = CAST(value ->> 1 AS bigint)
      FROM ${sql.each(rows.map(({ lane, sequence }) => [sequence, lane]))}
      WHERE sequence = CAST(value ->> 0 AS bigint)`
    return { count: rows.length, last }
  })

/** Folds all new events. Most must be folded before, so that this transaction stays short. */
export const foldAll = (sql: Sql, tally: Tally, covers: Covers): Effect.Effect<void, SqlError> =>
  Effect.flatMap(
    fold(sql, tally, covers),
    ({ count }) => count < foldBatch ? Effect.void : foldAll(sql, tally, covers)
  )
