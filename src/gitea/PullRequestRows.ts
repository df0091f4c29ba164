import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { CanonicalKey } from "../domain/WorkItemKey.js"
import { flag } from "../storage/Dialect.js"
import type { Fragment, Sql } from "../storage/Sql.js"
import { rememberClaims } from "./ClaimRows.js"
import type { Claim } from "./Claims.js"
import type { PullRequest, PullRequestAnswer, PullRequestId, PullRequestSeen } from "./Facts.js"
import { rememberRepositories } from "./RepositoryRows.js"

interface PullRequestRow extends Omit<PullRequest, "fork" | "open" | "merged" | "draft"> {
  readonly fork: number
  readonly open: number
  readonly merged: number
  readonly draft: number
}

const columns = `p.repository, p.number, r.name, p.fork, p.open, p.merged, p.merged_at AS "mergedAt",
  p.merge_heard_at AS "mergeHeardAt", p.draft, p.author,
  p.base, p.default_branch AS "defaultBranch", p.head_sha AS "headSha", p.updated_at AS "updatedAt", p.page`

const pullRequest = (row: PullRequestRow): PullRequest => ({
  ...row,
  fork: row.fork === 1,
  open: row.open === 1,
  merged: row.merged === 1,
  draft: row.draft === 1
})

/** The column `rank` holds two ranks: that of the head times this number, plus that of the state. */
const ranks = 8

/** The heads that are left when the head becomes this one. */
const leaving = (sql: Sql, headSha: string, before: Fragment) =>
  sql`CASE WHEN head_sha = ${headSha} THEN ${before} ELSE ${sql.appended(before, sql`head_sha`)} END`

/**
 * Remembers a pull request as it was seen. Hooks come in any order, so the newest one counts, separately for its head
 * and for its state. But a pull request that was merged stays merged. And a head that was left does not return by a
 * hook of the same moment and rank: it may be an old push that somebody sends again. A later hook, or Gitea when it is
 * asked, knows better. Returns the keys that it named until then, if it names others now.
 */
export const rememberPullRequest = (
  sql: Sql,
  seen: PullRequestSeen,
  claims: ReadonlyArray<Claim>,
  now: EpochMillis
): Effect.Effect<ReadonlyArray<CanonicalKey>, SqlError> =>
  Effect.gen(function*() {
    const rank = seen.headRank * ranks + seen.rank
    const told = sql`(${seen.updatedAt}, ${seen.headRank * ranks})`
    const known = sql`(updated_at, rank - rank % ${ranks})`
    // First of all: whoever else remembers something of this repository waits here until this is committed. So nobody
    // inserts the pull request between the two statements that follow.
    yield* rememberRepositories(sql, [{ id: seen.repository, name: seen.name }])
    yield* sql`UPDATE plane_sync_pull_request
      SET head_sha = ${seen.headSha}, rank = ${seen.headRank * ranks} + rank % ${ranks},
        left_heads = ${leaving(sql, seen.headSha, sql`CASE WHEN ${told} > ${known} THEN '[]' ELSE left_heads END`)}
      WHERE repository = ${seen.repository} AND number = ${seen.number} AND ${told} >= ${known}
        AND (${told} > ${known} OR ${seen.headSha} NOT IN ${sql.textsOf(sql`left_heads`)})`
    yield* sql`INSERT INTO plane_sync_pull_request AS held
        (repository, number, fork, open, merged, merged_at, draft, author, base, default_branch, head_sha,
          created_at, updated_at, rank, received_at, page)
      VALUES (${seen.repository}, ${seen.number}, ${seen.fork ? 1 : 0}, ${seen.open ? 1 : 0},
        ${seen.merged ? 1 : 0}, ${seen.mergedAt}, ${seen.draft ? 1 : 0}, ${seen.author}, ${seen.base},
        ${seen.defaultBranch}, ${seen.headSha}, ${seen.createdAt}, ${seen.updatedAt}, ${rank}, ${now},
        ${seen.page ?? null})
      ON CONFLICT (repository, number) DO UPDATE SET fork = excluded.fork, open = excluded.open,
        draft = excluded.draft, author = coalesce(excluded.author, held.author), base = excluded.base,
        default_branch = coalesce(excluded.default_branch, held.default_branch), updated_at = excluded.updated_at,
        rank = held.rank - held.rank % ${ranks} + ${seen.rank}, received_at = excluded.received_at,
        page = coalesce(excluded.page, held.page)
      WHERE (excluded.updated_at, ${seen.rank}) >= (held.updated_at, held.rank % ${ranks})`
    // An older version did not store these, and an older hook knows them better than nobody.
    yield* fillIn(sql, seen, seen)
    const before = yield* rememberClaims(sql, seen, claims)
    if (seen.merged) yield* rememberMerged(sql, seen, seen.mergedAt, now)
    return before
  })

/** Remembers what is not known yet of a pull request. */
const fillIn = (
  sql: Sql,
  { number, repository }: PullRequestId,
  { author, base, defaultBranch }: Pick<PullRequest, "author" | "base" | "defaultBranch">
) =>
  sql`UPDATE plane_sync_pull_request SET author = coalesce(author, ${author}), base = coalesce(base, ${base}),
      default_branch = coalesce(default_branch, ${defaultBranch})
    WHERE repository = ${repository} AND number = ${number} AND base IS NULL`

/** Remembers that a pull request is merged, and when. That never changes again. */
const rememberMerged = (
  sql: Sql,
  { number, repository }: PullRequestId,
  mergedAt: EpochMillis | null,
  now: EpochMillis
) =>
  sql`UPDATE plane_sync_pull_request SET merged = 1, open = 0, merged_at = coalesce(merged_at, ${mergedAt}),
      merge_heard_at = coalesce(merge_heard_at, ${now}), received_at = ${now}
    WHERE repository = ${repository} AND number = ${number}`

/**
 * Remembers what Gitea answered, unless a hook came since `held` was read, because it may be newer. But a merge is
 * remembered in every case.
 */
export const rememberAnswer = (
  sql: Sql,
  held: PullRequest,
  answer: PullRequestAnswer,
  now: EpochMillis
): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    const { author, base, defaultBranch, draft, headSha, merged, mergedAt, open } = answer
    yield* sql`UPDATE plane_sync_pull_request SET open = ${open ? 1 : 0}, base = ${base},
        default_branch = ${defaultBranch}, draft = ${draft ? 1 : 0}, author = ${author}, head_sha = ${headSha},
        left_heads = ${leaving(sql, headSha, sql`left_heads`)}, received_at = ${now}
      WHERE repository = ${held.repository} AND number = ${held.number} AND updated_at = ${held.updatedAt}
        AND merged = 0`
    yield* fillIn(sql, held, answer)
    if (merged) yield* rememberMerged(sql, held, mergedAt, now)
  })

/** The pull request of this number. */
export const readPullRequest = (sql: Sql, { number, repository }: PullRequestId) =>
  Effect.map(
    sql<PullRequestRow>`SELECT ${sql.literal(columns)} FROM plane_sync_pull_request p
      JOIN plane_sync_repository r ON r.id = p.repository
      WHERE p.repository = ${repository} AND p.number = ${number}`,
    ([row]) => row && pullRequest(row)
  )

/** The most pull requests of one work item that are looked at. */
const mostOfOne = 200

/**
 * The pull requests that are about a work item, the one that was opened last first. Those of forks come last, because
 * there can be any number of them, and no others may be hidden by them.
 */
export const readPullRequestsOf = (sql: Sql, key: CanonicalKey) =>
  Effect.map(
    sql<PullRequestRow>`SELECT ${sql.literal(columns)} FROM plane_sync_claim c
      JOIN plane_sync_pull_request p ON p.repository = c.repository AND p.number = c.number
      JOIN plane_sync_repository r ON r.id = p.repository
      WHERE c.key = ${key} AND c.kind = 'about'
      ORDER BY p.fork, p.open DESC, p.created_at DESC, p.repository DESC, p.number DESC
      LIMIT ${sql.literal(String(mostOfOne))}`,
    (rows) => rows.map(pullRequest)
  )

/** The merged pull requests that take back what was done for a work item, the one that was merged last first. */
export const readRevertsOf = (sql: Sql, key: CanonicalKey) =>
  Effect.map(
    sql<PullRequestRow>`SELECT ${sql.literal(columns)} FROM plane_sync_claim c
      JOIN plane_sync_pull_request p ON p.repository = c.repository AND p.number = c.number
      JOIN plane_sync_repository r ON r.id = p.repository
      WHERE c.key = ${key} AND c.kind = 'reverts' AND p.merged = 1
      ORDER BY p.fork, p.merged_at DESC NULLS LAST LIMIT ${sql.literal(String(mostOfOne))}`,
    (rows) => rows.map(pullRequest)
  )

/** A pull request as it is known, to be compared with what Gitea lists. */
export interface Known {
  readonly pullRequest: PullRequest
  readonly receivedAt: EpochMillis
  /** It names a work item. */
  readonly isNamed: boolean
  /** An older version has read which work items it names. */
  readonly isUnread: boolean
}

/** The pull requests of a repository that are open, as far as is known, and those of these numbers. */
export const readKnown = (
  sql: Sql,
  repository: number,
  numbers: ReadonlyArray<number>
): Effect.Effect<ReadonlyArray<Known>, SqlError> => {
  const isNamed = sql`EXISTS (SELECT 1 FROM plane_sync_claim c
    WHERE c.repository = p.repository AND c.number = p.number)`
  const select = sql`SELECT ${sql.literal(columns)}, p.received_at AS "receivedAt", p.text_rank AS "textRank",
      ${flag(sql, isNamed)} AS named
    FROM plane_sync_pull_request p JOIN plane_sync_repository r ON r.id = p.repository
    WHERE p.repository = ${repository}`
  return Effect.map(
    sql<PullRequestRow & { readonly receivedAt: EpochMillis; readonly textRank: number; readonly named: number }>`
      ${select} AND p.open = 1 UNION ${select}
        AND p.number IN ${sql.numbers(numbers)}`,
    (rows) =>
      rows.map(({ named, receivedAt, textRank, ...row }): Known => ({
        pullRequest: pullRequest(row),
        receivedAt,
        isNamed: named === 1,
        isUnread: textRank === 0
      }))
  )
}

/** Pull requests that are about nothing, and are not open any more, whatever became of them. */
export const forgetOpen = (sql: Sql, repository: number, numbers: ReadonlyArray<number>, now: EpochMillis) =>
  sql`UPDATE plane_sync_pull_request SET open = 0, received_at = ${now}
    WHERE repository = ${repository} AND number IN ${sql.numbers(numbers)}`

/** The open pull requests of a repository that name a work item. */
export const readOpenIn = (sql: Sql, repository: number): Effect.Effect<ReadonlyArray<PullRequestId>, SqlError> =>
  sql<PullRequestId>`SELECT p.repository, p.number FROM plane_sync_pull_request p
    WHERE p.repository = ${repository} AND p.open = 1
      AND EXISTS (SELECT 1 FROM plane_sync_claim c WHERE c.repository = p.repository AND c.number = p.number)`
