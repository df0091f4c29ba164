import type { SqlError } from "@effect/sql/SqlError"
import { DateTime, Effect, Option, Schema } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { utc } from "../base/Time.js"
import type { Sql } from "../storage/Sql.js"
import type { WaitId } from "./Wait.js"
import { WaitReason } from "./Wait.js"
import type { WaitRow } from "./Waits.js"

/** What a notice tells: a wait is opened, the next person is asked, it is answered, or nobody is needed any more. */
export const NoticeKind = Schema.Literal("opened", "escalated", "answered", "withdrawn")
export type NoticeKind = typeof NoticeKind.Type

/** What a notice says, as JSON: the body of one of the format `json`. */
export const NoticeDocument = Schema.Struct({
  type: NoticeKind,
  id: Schema.String.annotations({ description: "the same one each time that the notice is sent again" }),
  wait: Schema.Number.annotations({ description: "the number of what the task waits for" }),
  workItem: Schema.String,
  stage: Schema.String,
  reason: WaitReason,
  question: Schema.String.annotations({ description: "the question, or what is the matter" }),
  agent: Schema.NullOr(Schema.String),
  why: Schema.NullOr(Schema.String).annotations({ description: "the answer, or why nobody is needed any more" }),
  by: Schema.NullOr(Schema.String).annotations({ description: "who has answered" }),
  reached: Schema.Array(Schema.String).annotations({
    description: "those of the attention list who were asked so far"
  }),
  at: Schema.String
}).annotations({ identifier: "NoticeDocument" })
export type NoticeDocument = typeof NoticeDocument.Type

const toJson = Schema.encodeSync(Schema.parseJson(NoticeDocument))
export const noticeOfBody = Schema.decodeOption(Schema.parseJson(NoticeDocument))

/** A notice that is owed. */
export interface OwedNotice {
  readonly id: number
  readonly dueAt: EpochMillis
  readonly attempts: number
  readonly body: string
}

/** `dead`: it was given up, and is not sent any more by itself. `discarded`: a person wants it never to be sent. */
export const NoticeStatus = Schema.Literal("pending", "delivered", "dead", "discarded")
export type NoticeStatus = typeof NoticeStatus.Type

/** What became of the notices of a wait. */
export interface GivenNotice {
  readonly kind: NoticeKind
  readonly status: NoticeStatus
  /** Why the last try has failed, or there is no other. */
  readonly reason: string | null
}

/** Owes a notice about a wait, within the transaction that changes it. */
export const oweNotice = (
  sql: Sql,
  kind: NoticeKind,
  wait: WaitRow,
  now: EpochMillis
): Effect.Effect<void, SqlError> => {
  const { agent, closedBy, entry, id, question, reached, reason, stage, step, why, workItem } = wait
  const body = toJson({
    type: kind,
    id: `${entry}:${id}:${kind}:${step}`,
    wait: id,
    workItem,
    stage,
    reason,
    question,
    agent: Option.getOrNull(agent),
    why: Option.getOrNull(why),
    by: Option.getOrNull(closedBy),
    reached,
    at: DateTime.formatIso(utc(now))
  })
  return Effect.asVoid(
    sql`INSERT INTO plane_sync_notice (wait, kind, body, made_at) VALUES (${id}, ${kind}, ${body}, ${now})`
  )
}

/** The first notice that is owed: they are sent in order. */
export const firstOwed = (sql: Sql): Effect.Effect<OwedNotice | undefined, SqlError> =>
  Effect.map(
    sql<OwedNotice>`SELECT id, due_at AS "dueAt", attempts, body FROM plane_sync_notice
      WHERE status = 'pending' ORDER BY id LIMIT 1`,
    ([row]) => row
  )

/** It was taken. */
export const noticeTaken = (sql: Sql, id: number, now: EpochMillis): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`UPDATE plane_sync_notice SET status = 'delivered', attempts = attempts + 1, reason = NULL,
    settled_at = ${now} WHERE id = ${id} AND status = 'pending'`)

/** It was not taken: it is due again, or there is no other try. */
export const noticeFailed = (
  sql: Sql,
  id: number,
  { dueAt, reason }: { readonly reason: string; readonly dueAt: EpochMillis | undefined },
  now: EpochMillis
): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`UPDATE plane_sync_notice SET attempts = attempts + 1, reason = ${reason}, due_at = ${dueAt ?? 0},
    status = ${dueAt === undefined ? "dead" : "pending"}, settled_at = ${dueAt === undefined ? now : null}
    WHERE id = ${id} AND status = 'pending'`)

/** The notices of these waits, the oldest first. */
export const noticesOf = (
  sql: Sql,
  waits: ReadonlyArray<WaitId>
): Effect.Effect<ReadonlyArray<GivenNotice & { readonly wait: WaitId }>, SqlError> =>
  sql<GivenNotice & { readonly wait: WaitId }>`SELECT wait, kind, status, reason FROM plane_sync_notice
    WHERE wait IN ${sql.numbers(waits)} ORDER BY id`

const pruneBatch = 500

/**
 * Deletes a batch of the notices that were settled before a moment. One that was given up stays until somebody decides.
 * Says whether there may be more.
 */
export const pruneNotices = (sql: Sql, before: EpochMillis): Effect.Effect<boolean, SqlError> =>
  Effect.map(
    sql`DELETE FROM plane_sync_notice WHERE id IN (SELECT id FROM plane_sync_notice
      WHERE status IN ('delivered', 'discarded') AND settled_at < ${before}
      ORDER BY id LIMIT ${sql.literal(String(pruneBatch))}) RETURNING 1`,
    (deleted) => deleted.length === pruneBatch
  )
