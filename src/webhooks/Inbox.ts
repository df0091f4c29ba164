import type { SqlClient } from "@effect/sql/SqlClient"
import { Clock, Context, Duration, Effect, Layer } from "effect"
import { Storage } from "../outbox/Storage.js"
import type { StorageError } from "../outbox/StorageError.js"
import type { Source } from "./WebhookConfig.js"

/** A delivery as it came. Its signature was right. */
export interface NewDelivery {
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
export interface StoredDelivery extends NewDelivery {
  readonly id: number
  /** Of a delivery of Plane's that was found to tell a person's move, but has not been acted upon: to which group. */
  readonly moved: string | null
}

/** How work on a delivery ended. `Later`: in milliseconds since 1970, UTC. */
export type Outcome =
  | { readonly _tag: "Done" }
  | { readonly _tag: "Skipped"; readonly reason: string }
  | { readonly _tag: "Later"; readonly dueAt: number; readonly reason: string }

/** How long bodies are kept. */
export const keptFor = Duration.days(7)

/** The deliveries that were taken, on disk until they have been worked on, and `keptFor` after they came. */
export class Inbox extends Context.Tag("plane-sync/Inbox")<Inbox, {
  /** Commits a delivery; those that come at the same time share the commit. */
  readonly store: (delivery: NewDelivery) => Effect.Effect<void, StorageError>
  /** The oldest that are due, in the order they came. */
  readonly due: (limit: number) => Effect.Effect<ReadonlyArray<StoredDelivery>, StorageError>
  /** When the next one is due that was put off, if any. */
  readonly nextDue: Effect.Effect<number | undefined, StorageError>
  /** Whether the same was worked on before: see `duplicateOf`. */
  readonly isDuplicate: (delivery: StoredDelivery) => Effect.Effect<boolean, StorageError>
  readonly settle: (id: number, outcome: Outcome) => Effect.Effect<void, StorageError>
  /** Deletes a batch of what came before (milliseconds since 1970, UTC) and is settled; whether there may be more. */
  readonly prune: (before: number) => Effect.Effect<boolean, StorageError>
  /** Waits for a delivery that came after the last that `due` has seen. */
  readonly arrived: Effect.Effect<void>
}>() {
  static readonly layer: Layer.Layer<Inbox, never, Storage> = Layer.effect(Inbox, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const { read, sql, write } = yield* Storage
  const arrival = yield* Effect.makeLatch(true)

  return Inbox.of({
    store: ({ body, delivery, digest, event, source }) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        write(Effect.asVoid(sql`INSERT INTO plane_sync_webhook (source, delivery, event, body, digest, received_at)
          VALUES (${source}, ${delivery}, ${event}, ${body}, ${digest}, ${now})`))).pipe(
          Effect.zipRight(arrival.open)
        ),
    due: (limit) =>
      Effect.gen(function*() {
        yield* arrival.close
        const now = yield* Clock.currentTimeMillis
        return yield* read(sql<StoredDelivery>`SELECT id, source, delivery, event, body, digest, moved
          FROM plane_sync_webhook WHERE status = 'pending' AND due_at <= ${now} ORDER BY due_at, id LIMIT ${limit}`)
      }),
    nextDue: Effect.map(
      read(sql<{ dueAt: number }>`SELECT due_at AS "dueAt" FROM plane_sync_webhook WHERE status = 'pending'
        ORDER BY due_at, id LIMIT 1`),
      ([row]) => row?.dueAt
    ),
    isDuplicate: (delivery) => read(isDuplicate(sql, delivery)),
    settle: (id, outcome) => write(Effect.asVoid(settle(sql, id, outcome))),
    prune: (before) => write(prune(sql, before)),
    arrived: arrival.await
  })
})

/**
 * Whether the same was worked on before: Plane gives every attempt a new id, and Gitea a redelivery. Only what went well
 * counts: a delivery that could not be worked on may be sent again.
 */
const isDuplicate = (sql: SqlClient, { delivery, digest, source }: StoredDelivery) =>
  Effect.map(
    sql`SELECT 1 FROM plane_sync_webhook WHERE source = ${source} AND digest = ${digest} AND status = 'done'
      UNION ALL SELECT 1 FROM plane_sync_webhook
      WHERE source = ${source} AND delivery = ${delivery} AND status = 'done' AND ${delivery} <> '' LIMIT 1`,
    (rows) => rows.length > 0
  )

/** Why a delivery is skipped that tells what was worked on before. */
export const duplicate: Outcome = { _tag: "Skipped", reason: "the same was worked on before" }

/** Writes down how work on a delivery ended, within a transaction. */
export const settle = (sql: SqlClient, id: number, outcome: Outcome) => {
  switch (outcome._tag) {
    case "Done":
      return sql`UPDATE plane_sync_webhook SET status = 'done', reason = NULL WHERE id = ${id}`
    case "Skipped":
      return sql`UPDATE plane_sync_webhook SET status = 'skipped', reason = ${outcome.reason} WHERE id = ${id}`
    case "Later":
      return sql`UPDATE plane_sync_webhook SET due_at = ${outcome.dueAt}, reason = ${outcome.reason} WHERE id = ${id}`
  }
}

// Bodies are large: a transaction that deletes few is short.
const pruneBatch = 100

const prune = (sql: SqlClient, before: number) =>
  Effect.gen(function*() {
    let more = false
    // The oldest are looked at, not searched for: where the first is too young, so are all.
    for (const status of ["done", "skipped"]) {
      const deleted = yield* sql`DELETE FROM plane_sync_webhook WHERE id IN (
        SELECT id FROM (SELECT id, received_at FROM plane_sync_webhook WHERE status = ${status}
          ORDER BY id LIMIT ${pruneBatch}) WHERE received_at < ${before}) RETURNING 1`
      more ||= deleted.length === pruneBatch
    }
    // Of commits that are no pull request's head, or never were: what was parked for them in vain.
    const statuses = yield* sql`DELETE FROM plane_sync_commit_status WHERE (repository, sha, context) IN (
      SELECT repository, sha, context FROM plane_sync_commit_status s WHERE received_at < ${before} AND NOT EXISTS (
        SELECT 1 FROM plane_sync_pull_request p
        WHERE p.repository = s.repository AND p.head_sha = s.sha AND p.open = 1)
      ORDER BY received_at LIMIT ${pruneBatch}) RETURNING 1`
    return more || statuses.length === pruneBatch
  })
