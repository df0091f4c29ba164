import { Duration, Effect, Option, Schema } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis } from "../base/Time.js"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { leaseOf } from "./Leader.js"
import { keepTurnsAway } from "./Turns.js"

/** What the leader saw of Plane when it was asked to look. */
export const ProbeSeen = Schema.Struct({
  /** Of which request it is the answer. */
  asked: Schema.Number,
  open: Schema.Boolean,
  /** Why nothing is sent to Plane. */
  reason: Schema.NullOr(Schema.String)
})
export type ProbeSeen = typeof ProbeSeen.Type

const Stored = Schema.parseJson(ProbeSeen)
const decode = Schema.decodeOption(Stored)
const seenOf = (json: string | null | undefined) => Option.flatMap(Option.fromNullable(json), (json) => decode(json))
const encode = Schema.encodeSync(Stored)

type Parts = Pick<Storage["Type"], "sql" | "read" | "write">

/**
 * Asks the leaders, from another process, to look at Plane now. Returns the moment that their answers will name, or none
 * if there is no leader.
 */
export const askForProbe = (
  { elsewhere, sql, write }: Parts & Pick<Storage["Type"], "elsewhere">
): Effect.Effect<EpochMillis | undefined, StorageError> =>
  Effect.flatMap(epochMillis, (now) =>
    Effect.map(
      // Another request in the same millisecond is another request.
      write(Effect.zipRight(
        keepTurnsAway(sql),
        sql<{ asked: EpochMillis }>`UPDATE plane_sync_sender
        SET probe_asked = (SELECT CASE WHEN max(asked.probe_asked) >= ${now} THEN max(asked.probe_asked) + 1
          ELSE ${now} END FROM plane_sync_sender asked)
        RETURNING probe_asked AS asked`
      )),
      ([row]) => row?.asked
    )).pipe(Effect.zipLeft(elsewhere?.tell ?? Effect.void))

/** The request that a leader has not answered yet. */
export const openProbeRequest = (
  { read, sql }: Parts,
  holder: string
): Effect.Effect<EpochMillis | undefined, StorageError> =>
  Effect.map(
    read(sql<{ asked: EpochMillis; seen: string | null }>`SELECT probe_asked AS asked, probe_seen AS seen
      FROM plane_sync_sender WHERE holder = ${holder} AND probe_asked IS NOT NULL`),
    ([row]) =>
      row !== undefined && Option.exists(seenOf(row.seen), ({ asked }) => asked >= row.asked)
        ? undefined
        : row?.asked
  )

/** Writes down what a leader has seen. */
export const answerProbe = (
  { sql, write }: Parts,
  holder: string,
  seen: ProbeSeen
): Effect.Effect<void, StorageError> =>
  Effect.asVoid(write(Effect.zipRight(
    keepTurnsAway(sql),
    sql`UPDATE plane_sync_sender SET probe_seen = ${encode(seen)} WHERE holder = ${holder}`
  )))

/** The answers of all leaders to a request of this moment or later; none while one is missing. */
export const probeSeen = (
  { read, sql }: Parts,
  asked: EpochMillis
): Effect.Effect<ProbeSeen | undefined, StorageError> =>
  Effect.map(
    // Who has become a leader since was not asked, and who is gone does not answer.
    read(sql<{ seen: string | null }>`SELECT DISTINCT probe_seen AS seen FROM plane_sync_sender
      WHERE probe_asked IS NOT NULL AND seen_at > (SELECT max(seen_at) FROM plane_sync_sender) - ${
      sql.literal(String(Duration.toMillis(leaseOf(sql).length)))
    }`),
    (rows) => {
      const answers = rows.map(({ seen }) => Option.filter(seenOf(seen), (seen) => seen.asked >= asked))
      if (answers.length === 0 || answers.some(Option.isNone)) return undefined
      const reasons = answers.flatMap((answer) => Option.isSome(answer) ? answer.value.reason ?? [] : [])
      return { asked, open: reasons.length === 0, reason: reasons.length === 0 ? null : reasons.join("; ") }
    }
  )
