import type { SqlError } from "@effect/sql/SqlError"
import type { Scope } from "effect"
import { Effect } from "effect"
import { makeBatcher } from "../base/Batcher.js"
import { epochMillis } from "../base/Time.js"
import type { EpochMillis } from "../base/Time.js"
import { EventSequence } from "../domain/Ids.js"
import { countEvent } from "../metrics/CountEvent.js"
import type { Storage } from "../storage/Storage.js"
import { isStatementError, notTried, StorageError } from "../storage/StorageError.js"
import type { NewEvent } from "./StoredEvent.js"

/** The result of publishing. `conflict`: the id was published before, with other content. */
export interface Published {
  readonly sequence: EventSequence
  readonly duplicate: boolean
  readonly conflict: boolean
}

const insert = (sql: Storage["Type"]["sql"], events: ReadonlyArray<NewEvent>) =>
  Effect.gen(function*() {
    const rows = events.map((event) => {
      const { body, id, lane, links = [], occurredAt, project, publishedAt, stage, unfit, urgent, usage, workItem } =
        event
      const debt = unfit === undefined ? "pending" : "dead"
      const state = stage === undefined ? "none" : debt
      const given = links.length === 0 ? null : JSON.stringify(links)
      const used = usage === undefined ? null : JSON.stringify(usage)
      const flags = [debt, state, urgent ? 1 : 0]
      return [id, workItem, body, stage, occurredAt, publishedAt, lane, ...flags, project, given, used]
    })
    const inserted = yield* sql<{ sequence: EventSequence; id: string }>`
      INSERT INTO plane_sync_event (id, work_item, body, stage, occurred_at, published_at, lane_name, comment, state,
        urgent, project, links, usage)
      SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, CAST(value ->> 4 AS bigint),
        CAST(value ->> 5 AS bigint), value ->> 6, value ->> 7, value ->> 8, CAST(value ->> 9 AS bigint), value ->> 10,
        value ->> 11, value ->> 12
      FROM ${sql.each(rows)} WHERE ${sql.numbering("plane_sync_event", "sequence")} ORDER BY key
      ON CONFLICT (id) DO NOTHING
      RETURNING sequence, id`
    return new Map(inserted.map((row) => [row.id, row.sequence]))
  })

const deadLetter = (sql: Storage["Type"]["sql"], event: NewEvent, sequence: EventSequence, now: EpochMillis) =>
  sql<{ id: number }>`INSERT INTO plane_sync_delivery
    (kind, status, first_event, last_event, body, occurred_at, planned_at, settled_at, code, reason)
    VALUES ('comment', 'dead', ${sequence}, ${sequence}, '', ${event.occurredAt}, ${now}, ${now},
      'unfit', ${event.unfit ?? null}) RETURNING id`.pipe(
    Effect.flatMap(([letter]) =>
      sql`UPDATE plane_sync_event SET delivery = ${letter?.id ?? null} WHERE sequence = ${sequence}`
    )
  )

const publishAll = (
  sql: Storage["Type"]["sql"],
  events: ReadonlyArray<NewEvent>
): Effect.Effect<Array<Published>, SqlError> =>
  Effect.gen(function*() {
    const now = yield* epochMillis
    const inserted = yield* insert(sql, events)
    const known = inserted.size === events.length ?
      [] :
      yield* sql<{ sequence: EventSequence; id: string; body: string }>`
      SELECT sequence, id, body FROM plane_sync_event
      WHERE id IN ${sql.texts(events.map((event) => event.id))}`
    const knownById = new Map(known.map((row) => [row.id, row]))
    const published = events.map((event) => {
      const sequence = inserted.get(event.id)
      if (sequence !== undefined) {
        // The same id a second time within the group is a duplicate like any other.
        inserted.delete(event.id)
        return { sequence, duplicate: false, conflict: false }
      }
      const first = knownById.get(event.id)
      return { sequence: first?.sequence ?? EventSequence(0), duplicate: true, conflict: first?.body !== event.body }
    })
    for (const [index, event] of events.entries()) {
      const stored = published[index]
      if (event.unfit !== undefined && stored?.duplicate === false) {
        yield* deadLetter(sql, event, stored.sequence, now)
      }
    }
    return published
  })

// A client with one connection waits while anybody else has a transaction open. If we stop waiting, nothing is stored.
const inTime = (storage: Storage["Type"]) => <A>(effect: Effect.Effect<A, StorageError>) =>
  storage.shared
    ? Effect.timeoutFail(effect, {
      duration: "5 seconds",
      onTimeout: () => new StorageError({ reason: "Busy", where: storage.where, words: "no commit within 5 seconds" })
    })
    : effect

/** Others learn of it with the commit, also where that is a host's, which comes later or never. */
const told = ({ elsewhere, joins }: Storage["Type"]) => <A>(effect: Effect.Effect<A, SqlError>) =>
  elsewhere === undefined
    ? Effect.succeed(effect)
    : Effect.map(joins, (isHosts) => isHosts ? Effect.zipLeft(effect, elsewhere.tellWithin) : effect)

/**
 * Commits an event. In a file of our own, events that arrive together are inserted together, and an event is committed
 * even if its publisher is interrupted. In a host's database, each event is part of its publisher's transaction.
 */
export const makePublish = (
  storage: Storage["Type"]
): Effect.Effect<(event: NewEvent) => Effect.Effect<Published, StorageError>, never, Scope.Scope> => {
  const run = (events: ReadonlyArray<NewEvent>) =>
    Effect.map(
      Effect.flatMap(told(storage)(publishAll(storage.sql, events)), storage.writeAlone),
      (published) => {
        countAll(events, published)
        return published
      }
    )
  if (!storage.shared) {
    const closed = new StorageError({ reason: "Closed", where: storage.where, words: "shut down" })
    return makeBatcher({ run, runSinglyAfter: isStatementError, behind: notTried, maxItems: 500, closed })
  }
  return Effect.succeed((event) =>
    Effect.flatMap(
      inTime(storage)(run([event])),
      ([published]) =>
        published === undefined ? Effect.dieMessage("publishing answers every event") : Effect.succeed(published)
    )
  )
}

/** Counts what was committed. What became part of a host's transaction counts, too, although that may come to nothing. */
const countAll = (events: ReadonlyArray<NewEvent>, published: ReadonlyArray<Published>) => {
  for (const [index, { body, unfit }] of events.entries()) {
    const { conflict = false, duplicate = false } = published[index] ?? {}
    countEvent(body, conflict ? "conflict" : duplicate ? "duplicate" : unfit === undefined ? "stored" : "unfit")
  }
}

/** Commits rows of a host, or of the orchestrator, together with the events that tell of them. */
export const makeTransact = (storage: Storage["Type"]) =>
<A>(
  work: Effect.Effect<{ readonly value: A; readonly events: ReadonlyArray<NewEvent> }, SqlError>
): Effect.Effect<A, StorageError> =>
  Effect.flatMap(
    told(storage)(Effect.flatMap(work, ({ events, value }) =>
      Effect.map(
        events.length === 0 ? Effect.succeed([]) : publishAll(storage.sql, events),
        (published) => ({ events, published, value })
      ))),
    (all) =>
      Effect.map(inTime(storage)(storage.write(all)), ({ events, published, value }) => {
        countAll(events, published)
        return value
      })
  )
