import { Schema } from "effect"
import { textLimit } from "../base/Text.js"
import type { EpochMillis } from "../base/Time.js"
import { Moment } from "../base/Time.js"
import type { Fragment, Sql } from "../storage/Sql.js"

/** A request that did not end what it was for: it is sent again, or was when its delivery was retried. */
export interface Try {
  readonly at: EpochMillis
  /** Of those that count, which attempt it was. One that did not count has the number of the next. */
  readonly attempt: number
  /** The HTTP status of Plane's answer. Null if there was none. */
  readonly answer: number | null
  readonly reason: string
  /** How long Plane took, in milliseconds. Null if that is not known. */
  readonly took: number | null
}

/** How many of the latest are kept. */
const kept = 20

/** A column's JSON with one more try. All values are read before the row changes. */
export const withTry = (
  sql: Sql,
  column: "tries" | "looks",
  { answer, at, attempt, reason, took }: Readonly<Record<keyof Try, Fragment>>
): Fragment => {
  const json = sql`coalesce(${sql.literal(column)}, '[]')`
  const short = sql`substr(${reason}, 1, ${sql.literal(String(textLimit))})`
  return sql.appended(json, sql.jsonArray([at, attempt, answer, short, took]), kept)
}

/** Nobody has measured how long Plane took. */
export const notTaken = (sql: Sql): Fragment => sql.literal("CAST(NULL AS bigint)")

/** What a delivery's row says of its last sending, with one more try for it, if it was sent. */
export const withLastTry = (sql: Sql): Fragment =>
  sql`CASE WHEN sent_at IS NULL THEN tries ELSE ${
    withTry(sql, "tries", {
      at: sql.literal("sent_at"),
      attempt: sql.literal("attempts"),
      answer: sql.literal("answer"),
      took: sql.literal("took"),
      reason: sql.literal("coalesce(reason, '')")
    })
  } END`

/** The same for one that never came to an end, because the process ended. */
export const withCrash = (sql: Sql): Fragment =>
  withTry(sql, "tries", {
    at: sql.literal("sent_at"),
    attempt: sql.literal("attempts"),
    answer: sql.literal("CAST(NULL AS bigint)"),
    took: notTaken(sql),
    reason: sql.literal("'plane-sync ended before the answer came'")
  })

const Stored = Schema.parseJson(Schema.Array(Schema.Tuple(
  Moment,
  Schema.Number,
  Schema.NullOr(Schema.Number),
  Schema.String,
  // Missing in what an older version has stored.
  Schema.optionalElement(Schema.NullOr(Schema.Number))
)))

const decode = Schema.decodeSync(Stored)

/** The tries of a column. */
export const triesOf = (json: string | null): ReadonlyArray<Try> =>
  json === null
    ? []
    : decode(json).map(([at, attempt, answer, reason, took = null]) => ({ at, attempt, answer, reason, took }))
