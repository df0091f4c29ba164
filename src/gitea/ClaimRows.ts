import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { CanonicalKey } from "../domain/WorkItemKey.js"
import type { Sql } from "../storage/Sql.js"
import type { Claim } from "./Claims.js"
import type { PullRequestId, PullRequestSeen } from "./Facts.js"

/** More than the highest rank of a hook: see `PullRequestSeen.rank`. */
const ranks = 8

/**
 * Remembers what a pull request is about, if this text tells it better than the one before: the text at its merge, or
 * else the newest one before. A text of after the merge never counts, because anybody may have changed it since.
 * Returns the keys that it does not go by any more.
 */
export const rememberClaims = (
  sql: Sql,
  { isMerging, merged, number, rank, repository, updatedAt }: PullRequestSeen,
  claims: ReadonlyArray<Claim>
): Effect.Effect<ReadonlyArray<CanonicalKey>, SqlError> =>
  Effect.gen(function*() {
    if (merged && !isMerging) return []
    const textRank = isMerging ? 2 : 1
    // Two of one second are ordered by their rank. Of two that tell the merge, the first counts.
    const textAt = isMerging ? 0 - updatedAt : updatedAt * ranks + rank
    const [better] = yield* sql`UPDATE plane_sync_pull_request SET text_rank = ${textRank}, text_at = ${textAt}
      WHERE repository = ${repository} AND number = ${number}
        AND (${textRank}, ${textAt}) >= (text_rank, text_at) RETURNING 1`
    if (better === undefined) return []
    const before = yield* sql<{ key: CanonicalKey }>`DELETE FROM plane_sync_claim
      WHERE repository = ${repository} AND number = ${number} RETURNING key`
    const rows = claims.map(({ key, kind }) => [key, kind])
    yield* sql`INSERT INTO plane_sync_claim (repository, number, key, kind)
      SELECT CAST(${repository} AS bigint), CAST(${number} AS bigint), value ->> 0, value ->> 1
      FROM ${sql.each(rows)}`
    return before.map(({ key }) => key)
  })

/** The keys of the work items that a pull request is about, or that it reverts. */
export const readKeysOf = (sql: Sql, { number, repository }: PullRequestId) =>
  Effect.map(
    sql<
      { key: CanonicalKey }
    >`SELECT key FROM plane_sync_claim WHERE repository = ${repository} AND number = ${number}`,
    (rows) => rows.map(({ key }) => key)
  )
