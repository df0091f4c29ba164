import type { SqlError } from "@effect/sql/SqlError"
import { Context, Duration, Effect, Layer, Option } from "effect"
import { makeBatcher } from "../base/Batcher.js"
import { makeEventLoopTurn } from "../base/EventLoopTurn.js"
import type { Signal } from "../base/Signal.js"
import { makeSignal } from "../base/Signal.js"
import { cleanText, reasonLimit } from "../base/Text.js"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis } from "../base/Time.js"
import { nextDueAt } from "../storage/DueWork.js"
import type { Sql } from "../storage/Sql.js"
import { Storage } from "../storage/Storage.js"
import { isStatementError, notTried, StorageError } from "../storage/StorageError.js"
import type { Subject } from "./HooksAbout.js"
import { forgetSubjects, noteSubjects } from "./HooksAbout.js"
import type { Source } from "./WebhookConfig.js"

/** A hook as it is kept. Its signature was right, if it has one. */
export interface NewHook {
  readonly source: Source
  /** Whose secret it is signed with: see `Secret.signer`. */
  readonly signer: string
  /** It came with a signature. Otherwise it was read by us, or let in by `ORCH_WEBHOOKS_INSECURE`. */
  readonly isSigned: boolean
  /** The sender's id of it; empty when it gave none. */
  readonly uuid: string
  /** The hook's type, as the sender's header has it: "issue", "pull_request". */
  readonly event: string
  /** Exactly what was signed; of a large one only the fields that are read. */
  readonly body: string
  /** SHA-256 of what was signed. */
  readonly digest: string
}

/** A hook that is still to be worked on. `id` is the order of arrival. */
export interface StoredHook extends NewHook {
  readonly id: number
  readonly receivedAt: EpochMillis
  /**
   * The group of states that a person moved the work item to, if the hook tells such a move and it is not acted upon
   * yet.
   */
  readonly moved: string | null
}

/** How work on a hook ended. */
export type HookOutcome =
  & { /** What it is about, as far as that is known. */ readonly about?: ReadonlyArray<Subject> }
  & (
    /** `meaning`: what it meant, in words. */
    | { readonly _tag: "Done"; readonly meaning?: string }
    | { readonly _tag: "Skipped"; readonly reason: string }
    | { readonly _tag: "Later"; readonly dueAt: EpochMillis; readonly reason: string }
  )

/** How work on hooks ended, by their ids. */
export type HookOutcomes = ReadonlyMap<number, HookOutcome>

/** A hook that tells the same as one that was worked on before. */
export const duplicate: HookOutcome = { _tag: "Skipped", reason: "the same was worked on before" }

/** How long hooks are kept. */
export const keptFor = Duration.days(7)

/** The hooks that were accepted. They stay on disk until they have been worked on, and for 7 days after they came. */
export class Inbox extends Context.Tag("plane-sync/Inbox")<Inbox, {
  /** Commits a hook. Those that come at the same time share the commit. */
  readonly store: (hook: NewHook) => Effect.Effect<void, StorageError>
  /** The oldest that are due, in the order they came. Large ones are fewer, because memory is bounded; at least one. */
  readonly due: (limit: number) => Effect.Effect<ReadonlyArray<StoredHook>, StorageError>
  /** This one, as it is now, if it is still due. */
  readonly ifDue: (id: number) => Effect.Effect<Option.Option<StoredHook>, StorageError>
  /**
   * When the next one is due, if any is pending. A due time further ahead than `maxAhead` was stored before the clock
   * was set back, so such a hook is due now.
   */
  readonly nextDue: (maxAhead: Duration.DurationInput) => Effect.Effect<EpochMillis | undefined, StorageError>
  /**
   * The ids of those that tell the same as one that was worked on before. The body is compared as well as the uuid,
   * because Plane gives every attempt a new uuid, and Gitea every redelivery. Only hooks that went well count: one that
   * could not be worked on may be sent again.
   */
  readonly known: (hooks: ReadonlyArray<StoredHook>) => Effect.Effect<ReadonlySet<number>, StorageError>
  /** Writes down how work on hooks ended. */
  readonly settle: (outcomes: HookOutcomes) => Effect.Effect<void, StorageError>
  /** Deletes a batch of what came before a moment and is settled. Says whether there may be more. */
  readonly prune: (before: EpochMillis) => Effect.Effect<boolean, StorageError>
  /** Tells that a hook was stored by this process. */
  readonly arrivals: Pick<Signal, "mark" | "since">
}>() {
  static readonly layer: Layer.Layer<Inbox, never, Storage> = Layer.scoped(Inbox, Effect.suspend(() => make))
}

/** A hook with the moment it came. */
interface Arrived extends NewHook {
  readonly receivedAt: EpochMillis
}

const insert = (sql: Sql, hooks: ReadonlyArray<Arrived>) =>
  Effect.gen(function*() {
    const rows = hooks.map(({ body, digest, event, isSigned, receivedAt, signer, source, uuid }) => [
      source,
      uuid,
      event,
      digest,
      body.length,
      receivedAt,
      signer,
      isSigned ? 1 : 0
    ])
    const inserted = yield* sql<{ id: number }>`
      INSERT INTO plane_sync_webhook (source, delivery, event, digest, characters, received_at, signer, is_signed)
      SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, CAST(value ->> 4 AS bigint),
        CAST(value ->> 5 AS bigint), value ->> 6, CAST(value ->> 7 AS bigint)
      FROM ${sql.each(rows)} WHERE true ORDER BY key RETURNING id`
    // They ascend in the order of the rows, but may be returned in any.
    const ids = inserted.map(({ id }) => id).sort((one, other) => one - other)
    const bodies = hooks.map(({ body }, index) => [ids[index], body])
    yield* sql`INSERT INTO plane_sync_webhook_body (id, body)
      SELECT CAST(value ->> 0 AS bigint), value ->> 1 FROM ${sql.each(bodies)}`
  })

const columns = `id, source, signer, is_signed AS "isSigned", delivery AS uuid, event, body, digest,
  received_at AS "receivedAt", moved`

interface Row extends Omit<StoredHook, "isSigned"> {
  readonly isSigned: number
}

const toHook = (row: Row): StoredHook => ({ ...row, isSigned: row.isSigned === 1 })

/** Hooks that share a commit. */
const maxGroup = 64

/**
 * Characters of the bodies that share a statement, or are worked on together. In memory a character has up to two
 * bytes. A body has about 1 MiB, or 5 if an older version stored it, and a string half a gigabyte, escapes included.
 */
const maxCharacters = 16 * 1024 * 1024

/** Splits a group, so that no statement is too large. */
const statements = (hooks: ReadonlyArray<Arrived>): ReadonlyArray<ReadonlyArray<Arrived>> => {
  const found: Array<Array<Arrived>> = []
  let room = 0
  for (const hook of hooks) {
    const last = found.at(-1)
    if (last === undefined || hook.body.length > room) {
      found.push([hook])
      room = maxCharacters
    } else last.push(hook)
    room -= hook.body.length
  }
  return found
}

const make = Effect.gen(function*() {
  const { elsewhere, read, sql, where, write } = yield* Storage
  const { mark, notify, since } = yield* makeSignal
  // Another replica may be the one that works on hooks.
  const tell = elsewhere === undefined ? notify : Effect.zipRight(notify, elsewhere.tell)
  const eventLoopTurn = yield* makeEventLoopTurn
  const commit = yield* makeBatcher({
    run: (hooks: ReadonlyArray<Arrived>) =>
      Effect.as(write(Effect.forEach(statements(hooks), (some) => insert(sql, some), { discard: true })), hooks),
    runSinglyAfter: isStatementError,
    behind: notTried,
    maxItems: maxGroup,
    closed: new StorageError({ reason: "Closed", where, words: "shut down" })
  })

  return Inbox.of({
    store: (hook) =>
      Effect.flatMap(
        epochMillis,
        (receivedAt) => Effect.zipRight(eventLoopTurn, commit({ ...hook, receivedAt }))
      ).pipe(Effect.zipRight(tell)),
    due: (limit) =>
      Effect.gen(function*() {
        const now = yield* epochMillis
        const waiting = yield* read(sql<{ id: number; characters: number }>`SELECT id, characters
          FROM plane_sync_webhook WHERE status = 'pending' AND due_at <= ${now} ORDER BY due_at, id LIMIT ${limit}`)
        let characters = 0
        const ids: Array<number> = []
        for (const next of waiting) {
          characters += next.characters
          if (ids.length > 0 && characters > maxCharacters) break
          ids.push(next.id)
        }
        const rows = yield* read(sql<Row>`SELECT ${sql.literal(columns)}
          FROM plane_sync_webhook JOIN plane_sync_webhook_body USING (id)
          WHERE id IN ${sql.numbers(ids)} ORDER BY due_at, id`)
        return rows.map(toHook)
      }),
    ifDue: (id) =>
      Effect.gen(function*() {
        const now = yield* epochMillis
        const [row] = yield* read(sql<Row>`SELECT ${sql.literal(columns)}
          FROM plane_sync_webhook JOIN plane_sync_webhook_body USING (id)
          WHERE id = ${id} AND status = 'pending' AND due_at <= ${now}`)
        return Option.map(Option.fromNullable(row), toHook)
      }),
    nextDue: (maxAhead) =>
      nextDueAt({
        maxAhead,
        ends: () =>
          Effect.map(
            read(sql<{ first: EpochMillis | null; last: EpochMillis | null }>`SELECT
              (SELECT due_at FROM plane_sync_webhook WHERE status = 'pending' ORDER BY due_at LIMIT 1) AS first,
              (SELECT due_at FROM plane_sync_webhook WHERE status = 'pending' ORDER BY due_at DESC LIMIT 1) AS last`),
            ([row]) => row ?? { first: null, last: null }
          ),
        makeDue: (now, after) =>
          write(sql`UPDATE plane_sync_webhook SET due_at = ${now} WHERE status = 'pending' AND due_at > ${after}`)
      }),
    known: (hooks) => read(known(sql, hooks)),
    settle: (outcomes) => write(settle(sql, outcomes)),
    prune: (before) => write(prune(sql, before)),
    arrivals: { mark, since }
  })
})

const known = (sql: Sql, hooks: ReadonlyArray<StoredHook>) => {
  const rows = hooks.map(({ digest, id, signer, source, uuid }) => [id, source, digest, uuid, signer])
  // Not EXISTS: for that, Postgres may read all hooks that are kept, and remember them.
  return Effect.map(
    sql<{ id: number }>`SELECT CAST(value ->> 0 AS bigint) AS id FROM ${sql.each(rows)}
      WHERE (SELECT id FROM plane_sync_webhook WHERE source = value ->> 1 AND digest = value ->> 2
          AND signer = value ->> 4 AND status = 'done' LIMIT 1) IS NOT NULL
        OR value ->> 3 <> '' AND (SELECT id FROM plane_sync_webhook WHERE source = value ->> 1
          AND delivery = value ->> 3 AND signer = value ->> 4 AND status = 'done' LIMIT 1) IS NOT NULL`,
    (found) => new Set(found.map(({ id }) => id))
  )
}

/** `Inbox.settle`, within a transaction. */
export const settle = (sql: Sql, outcomes: HookOutcomes) => {
  const rows = Array.from(outcomes, ([id, outcome]) => {
    switch (outcome._tag) {
      case "Done":
        return [id, "done", outcome.meaning === undefined ? null : cleanText(outcome.meaning, reasonLimit), 0]
      case "Skipped":
        return [id, "skipped", cleanText(outcome.reason, reasonLimit), 0]
      case "Later":
        return [id, "pending", outcome.reason, outcome.dueAt]
    }
  })
  return Effect.zipRight(
    sql`UPDATE plane_sync_webhook SET status = value ->> 1, reason = value ->> 2, due_at = CAST(value ->> 3 AS bigint)
      FROM ${sql.each(rows)} WHERE plane_sync_webhook.id = CAST(value ->> 0 AS bigint)`,
    noteSubjects(sql, Array.from(outcomes, ([id, { about = [] }]) => [id, about]))
  )
}

/**
 * Writes down, within a transaction, that a hook tells a person's move to a group of states; null: that it tells none.
 */
export const noteMoved = (sql: Sql, id: number, group: string | null): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`UPDATE plane_sync_webhook SET moved = ${group} WHERE id = ${id}`)

// Bodies are large, so a transaction that deletes few is short.
const pruneBatch = 100

const prune = (sql: Sql, before: EpochMillis) =>
  Effect.gen(function*() {
    let more = false
    // Only the oldest are read: if the first of them is too young, all are.
    for (const status of ["done", "skipped"]) {
      const deleted = yield* sql<{ id: number }>`DELETE FROM plane_sync_webhook WHERE id IN (
        SELECT id FROM (SELECT id, received_at FROM plane_sync_webhook WHERE status = ${status}
          ORDER BY id LIMIT ${sql.literal(String(pruneBatch))}) AS oldest WHERE received_at < ${before}) RETURNING id`
      const ids = deleted.map(({ id }) => id)
      yield* sql`DELETE FROM plane_sync_webhook_body WHERE id IN ${sql.numbers(ids)}`
      yield* forgetSubjects(sql, ids)
      more ||= deleted.length === pruneBatch
    }
    return more
  })
