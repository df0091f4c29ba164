import { Clock, Context, Duration, Effect, Layer, Option } from "effect"
import { makeBatcher } from "../base/Batcher.js"
import { makeEventLoopTurn } from "../base/EventLoopTurn.js"
import type { Sql } from "../storage/Sql.js"
import { Storage } from "../storage/Storage.js"
import { isStatementError, StorageError } from "../storage/StorageError.js"
import type { Source } from "./WebhookConfig.js"

/** A delivery as it came. Its signature was right. */
export interface NewHook {
  readonly source: Source
  /** The sender's id of it, a UUID; empty when it gave none. */
  readonly delivery: string
  /** What the sender's header calls the event. */
  readonly event: string
  /** Exactly what was signed. */
  readonly body: string
  /** SHA-256 of the body. */
  readonly digest: string
}

/** A delivery that is still to be worked on. `id` is the order of arrival. */
export interface StoredHook extends NewHook {
  readonly id: number
  /** Of a delivery of Plane's that was found to tell a person's move, but has not been acted upon: to which group. */
  readonly moved: string | null
}

/** How work on a delivery ended. `Later`: in milliseconds since 1970, UTC. */
export type Outcome =
  | { readonly _tag: "Done" }
  | { readonly _tag: "Skipped"; readonly reason: string }
  | { readonly _tag: "Later"; readonly dueAt: number; readonly reason: string }

/** How work on deliveries ended, by their ids. */
export type Outcomes = ReadonlyMap<number, Outcome>

/** Why a delivery is skipped that tells what was worked on before. */
export const duplicate: Outcome = { _tag: "Skipped", reason: "the same was worked on before" }

/** How long bodies are kept. */
export const keptFor = Duration.days(7)

/** The deliveries that were taken, on disk until they have been worked on, and `keptFor` after they came. */
export class Inbox extends Context.Tag("plane-sync/Inbox")<Inbox, {
  /** Commits a delivery; those that come at the same time share the commit. */
  readonly store: (delivery: NewHook) => Effect.Effect<void, StorageError>
  /** The oldest that are due, in the order they came: so many as are borne in memory together, and at least one. */
  readonly due: (limit: number) => Effect.Effect<ReadonlyArray<StoredHook>, StorageError>
  /** This one, as it is now, if it is still due. */
  readonly ifDue: (id: number) => Effect.Effect<Option.Option<StoredHook>, StorageError>
  /**
   * When the next one is due that was put off, if any. A due time more than `maxAhead` milliseconds from now was set before
   * the clock was put back: such a delivery is due now.
   */
  readonly nextDue: (maxAhead: number) => Effect.Effect<number | undefined, StorageError>
  /**
   * Those of which the same was worked on before: Plane gives every attempt a new id, and Gitea a redelivery. Only what
   * went well counts: a delivery that could not be worked on may be sent again.
   */
  readonly known: (deliveries: ReadonlyArray<StoredHook>) => Effect.Effect<ReadonlySet<number>, StorageError>
  /** Writes down how work on deliveries ended. */
  readonly settle: (outcomes: Outcomes) => Effect.Effect<void, StorageError>
  /** Deletes a batch of what came before (milliseconds since 1970, UTC) and is settled; whether there may be more. */
  readonly prune: (before: number) => Effect.Effect<boolean, StorageError>
  /** Waits for a delivery that came after the last that `due` has seen. */
  readonly arrived: Effect.Effect<void>
}>() {
  static readonly layer: Layer.Layer<Inbox, never, Storage> = Layer.scoped(Inbox, Effect.suspend(() => make))
}

/** A delivery with the moment it came. */
interface Arrived extends NewHook {
  readonly receivedAt: number
}

// JSON as one parameter keeps the statement the same for every size of group.
const insert = (sql: Sql, deliveries: ReadonlyArray<Arrived>) =>
  Effect.gen(function*() {
    const rows = deliveries.map(({ body, delivery, digest, event, receivedAt, source }) => [
      source,
      delivery,
      event,
      digest,
      body.length,
      receivedAt
    ])
    const inserted = yield* sql<{ id: number }>`
      INSERT INTO plane_sync_webhook (source, delivery, event, digest, characters, received_at)
      SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
      FROM json_each(${JSON.stringify(rows)}) WHERE true ORDER BY key RETURNING id`
    // They ascend in the order of the rows, but may be returned in any.
    const ids = inserted.map(({ id }) => id).sort((one, other) => one - other)
    const bodies = deliveries.map(({ body }, index) => [ids[index], body])
    yield* sql`INSERT INTO plane_sync_webhook_body (id, body)
      SELECT value ->> 0, value ->> 1 FROM json_each(${JSON.stringify(bodies)})`
  })

const columns = "id, source, delivery, event, body, digest, moved"

/** Deliveries that share a commit. */
const maxGroup = 64

/**
 * Characters of the bodies that share a statement, or are worked on together: in memory a character has up to two bytes. A
 * body may have 5 MiB, and a string half a gigabyte, escapes included.
 */
const maxCharacters = 16 * 1024 * 1024

/** A group, in statements of a bearable size. */
const statements = (deliveries: ReadonlyArray<Arrived>): ReadonlyArray<ReadonlyArray<Arrived>> => {
  const found: Array<Array<Arrived>> = []
  let room = 0
  for (const delivery of deliveries) {
    const last = found.at(-1)
    if (last === undefined || delivery.body.length > room) {
      found.push([delivery])
      room = maxCharacters
    } else last.push(delivery)
    room -= delivery.body.length
  }
  return found
}

const make = Effect.gen(function*() {
  const { read, sql, where, write } = yield* Storage
  const arrival = yield* Effect.makeLatch(true)
  const eventLoopTurn = yield* makeEventLoopTurn
  const commit = yield* makeBatcher({
    run: (deliveries: ReadonlyArray<Arrived>) =>
      Effect.as(
        write(Effect.forEach(statements(deliveries), (some) => insert(sql, some), { discard: true })),
        deliveries
      ),
    runSinglyAfter: isStatementError,
    maxItems: maxGroup,
    closed: new StorageError({ reason: "Closed", where, words: "shut down" })
  })

  return Inbox.of({
    store: (delivery) =>
      Effect.flatMap(
        Clock.currentTimeMillis,
        (receivedAt) => Effect.zipRight(eventLoopTurn, commit({ ...delivery, receivedAt }))
      ).pipe(
        Effect.zipRight(arrival.open)
      ),
    due: (limit) =>
      Effect.gen(function*() {
        yield* arrival.close
        const now = yield* Clock.currentTimeMillis
        const waiting = yield* read(sql<{ id: number; characters: number }>`SELECT id, characters
          FROM plane_sync_webhook WHERE status = 'pending' AND due_at <= ${now} ORDER BY due_at, id LIMIT ${limit}`)
        let characters = 0
        const ids: Array<number> = []
        for (const next of waiting) {
          characters += next.characters
          if (ids.length > 0 && characters > maxCharacters) break
          ids.push(next.id)
        }
        return yield* read(sql<StoredHook>`SELECT ${sql.literal(columns)}
          FROM (SELECT key, value AS id FROM json_each(${JSON.stringify(ids)}))
          JOIN plane_sync_webhook USING (id) JOIN plane_sync_webhook_body USING (id) ORDER BY key`)
      }),
    ifDue: (id) =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const [row] = yield* read(sql<StoredHook>`SELECT ${sql.literal(columns)} 
          FROM plane_sync_webhook JOIN plane_sync_webhook_body USING (id)
          WHERE id = ${id} AND status = 'pending' AND due_at <= ${now}`)
        return Option.fromNullable(row)
      }),
    nextDue: (maxAhead) =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const pending = (order: "ASC" | "DESC") =>
          Effect.map(
            read(sql<{ dueAt: number }>`SELECT due_at AS "dueAt" FROM plane_sync_webhook WHERE status = 'pending'
              ORDER BY due_at ${sql.literal(order)} LIMIT 1`),
            ([row]) => row?.dueAt
          )
        const latest = yield* pending("DESC")
        if (latest === undefined || latest <= now + maxAhead) return yield* pending("ASC")
        yield* write(sql`UPDATE plane_sync_webhook SET due_at = ${now}
          WHERE status = 'pending' AND due_at > ${now + maxAhead}`)
        return now
      }),
    known: (deliveries) => read(known(sql, deliveries)),
    settle: (outcomes) => write(settle(sql, outcomes)),
    prune: (before) => write(prune(sql, before)),
    arrived: arrival.await
  })
})

const known = (sql: Sql, deliveries: ReadonlyArray<StoredHook>) => {
  const rows = deliveries.map(({ delivery, digest, id, source }) => [id, source, digest, delivery])
  return Effect.map(
    sql<{ id: number }>`SELECT value ->> 0 AS id FROM json_each(${JSON.stringify(rows)})
      WHERE EXISTS (SELECT 1 FROM plane_sync_webhook
          WHERE source = value ->> 1 AND digest = value ->> 2 AND status = 'done')
        OR value ->> 3 <> '' AND EXISTS (SELECT 1 FROM plane_sync_webhook
          WHERE source = value ->> 1 AND delivery = value ->> 3 AND status = 'done')`,
    (found) => new Set(found.map(({ id }) => id))
  )
}

/** `Inbox.settle`, within a transaction. */
export const settle = (sql: Sql, outcomes: Outcomes) => {
  const rows = Array.from(outcomes, ([id, outcome]) => {
    switch (outcome._tag) {
      case "Done":
        return [id, "done", null, 0]
      case "Skipped":
        return [id, "skipped", outcome.reason, 0]
      case "Later":
        return [id, "pending", outcome.reason, outcome.dueAt]
    }
  })
  return Effect.asVoid(sql`UPDATE plane_sync_webhook
    SET status = value ->> 1, reason = value ->> 2, due_at = value ->> 3
    FROM json_each(${JSON.stringify(rows)}) WHERE plane_sync_webhook.id = value ->> 0`)
}

// Bodies are large: a transaction that deletes few is short.
const pruneBatch = 100

const prune = (sql: Sql, before: number) =>
  Effect.gen(function*() {
    let more = false
    // The oldest are looked at, not searched for: where the first is too young, so are all.
    for (const status of ["done", "skipped"]) {
      const deleted = yield* sql<{ id: number }>`DELETE FROM plane_sync_webhook WHERE id IN (
        SELECT id FROM (SELECT id, received_at FROM plane_sync_webhook WHERE status = ${status}
          ORDER BY id LIMIT ${sql.literal(String(pruneBatch))}) WHERE received_at < ${before}) RETURNING id`
      yield* sql`DELETE FROM plane_sync_webhook_body
        WHERE id IN (SELECT value FROM json_each(${JSON.stringify(deleted.map(({ id }) => id))}))`
      more ||= deleted.length === pruneBatch
    }
    // Of commits that are no pull request's head, or never were: what was parked for them in vain.
    const statuses = yield* sql`DELETE FROM plane_sync_commit_status WHERE (repository, sha, context) IN (
      SELECT repository, sha, context FROM plane_sync_commit_status s WHERE received_at < ${before} AND NOT EXISTS (
        SELECT 1 FROM plane_sync_pull_request p
        WHERE p.repository = s.repository AND p.head_sha = s.sha AND p.open = 1)
      ORDER BY received_at LIMIT ${sql.literal(String(pruneBatch))}) RETURNING 1`
    return more || statuses.length === pruneBatch
  })
