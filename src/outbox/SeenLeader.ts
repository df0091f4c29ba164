import { Effect, Either, Schema } from "effect"
import { epochMillis, Moment } from "../base/Time.js"
import type { Leader } from "./Leader.js"
import { isActive, leaseOf } from "./Leader.js"
import { everythingElse } from "./Turns.js"

/** Reads the rows of leaders, for those who have no `Storage`: an older version's has no project. */
export const leaderStatement = `SELECT s.*, seen_at AS "seenAt", index_file AS "index" FROM plane_sync_sender s`

const Rows = Schema.Array(Schema.Struct({
  holder: Schema.String,
  pid: Schema.Int,
  host: Schema.String,
  since: Moment,
  seenAt: Moment,
  index: Schema.NullOr(Schema.String),
  project: Schema.optional(Schema.String)
}))

/** The last leader by these rows, and whether it is still active. Undefined if there is none. */
export const seenLeader = (
  rows: unknown,
  database: { readonly isShared: boolean }
): Effect.Effect<Leader & { readonly active: boolean } | undefined> =>
  Effect.map(epochMillis, (now) => {
    const leader = Either.getOrElse(Schema.decodeUnknownEither(Rows)(rows), () => []).find(
      ({ project = everythingElse }) => project === everythingElse
    )
    if (leader === undefined) return undefined
    const read = { ...leader, readAt: now }
    return { ...read, active: isActive(read, leaseOf(database)) }
  })
