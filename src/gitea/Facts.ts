import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { CanonicalKey } from "../domain/WorkItemKey.js"
import type { Sql } from "../storage/Sql.js"
import type { PullRequestText } from "./WorkItemOf.js"

/** A pull request as a hook shows it: all of it, at one moment. */
export interface PullRequestSeen extends PullRequestText {
  readonly repository: number
  /** "owner/name". */
  readonly name: string
  readonly number: number
  /** An outsider chose its branch and title. */
  readonly fork: boolean
  readonly open: boolean
  readonly merged: boolean
  readonly headSha: string
  readonly createdAt: EpochMillis
  readonly updatedAt: EpochMillis
  /** Of two hooks of the same second, the state of the higher rank is the later one. */
  readonly rank: number
  /** The same for the head. */
  readonly headRank: number
}

/** A reviewer's word, as a hook shows it. */
export interface ReviewSeen {
  readonly reviewer: string
  readonly approved: boolean
  readonly content: string
}

/** A check of a commit, as a hook shows it. */
export interface StatusSeen {
  readonly repository: number
  readonly sha: string
  readonly context: string
  /** Gitea's, ascending. */
  readonly id: number
  readonly state: string
  readonly description: string
}

/** What is known of a pull request, and may move a task. */
export interface PullRequest {
  readonly repository: number
  /** "owner/name". */
  readonly name: string
  readonly number: number
  /** The key that it names, if it names one. */
  readonly workItem: CanonicalKey | null
  readonly open: boolean
  readonly merged: boolean
  readonly headSha: string
  /** When Gitea last changed it. */
  readonly updatedAt: EpochMillis
}

/** The newest state of a check of a commit. */
export interface CommitStatus {
  readonly context: string
  readonly id: number
  readonly state: string
  readonly description: string
}

/** A reviewer's newest word. */
export interface Review {
  readonly reviewer: string
  readonly approved: boolean
  readonly content: string
  /** The pull request's head when it was given. */
  readonly headSha: string
}

interface PullRequestRow extends Omit<PullRequest, "open" | "merged"> {
  readonly open: number
  readonly merged: number
}

const columns = `repository, name, number, work_item AS "workItem", open, merged, head_sha AS "headSha",
  updated_at AS "updatedAt"`

const pullRequest = (row: PullRequestRow): PullRequest => ({ ...row, open: row.open === 1, merged: row.merged === 1 })

/** The column `rank` holds two ranks: that of the head times this number, plus that of the state. */
const ranks = 8

/**
 * Remembers a pull request as it was seen. Hooks come in any order, so the newest one counts, separately for its head
 * and for its state. But a pull request that was merged stays merged.
 */
export const rememberPullRequest = (
  sql: Sql,
  seen: PullRequestSeen,
  workItem: CanonicalKey | null,
  now: EpochMillis
): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    const rank = seen.headRank * ranks + seen.rank
    yield* sql`UPDATE plane_sync_pull_request
      SET head_sha = ${seen.headSha}, rank = ${seen.headRank * ranks} + rank % ${ranks}
      WHERE repository = ${seen.repository} AND number = ${seen.number}
        AND (${seen.updatedAt}, ${seen.headRank * ranks}) >= (updated_at, rank - rank % ${ranks})`
    yield* sql`INSERT INTO plane_sync_pull_request AS held
        (repository, number, name, work_item, fork, open, merged, head_sha, created_at, updated_at, rank,
          received_at)
      VALUES (${seen.repository}, ${seen.number}, ${seen.name}, ${workItem}, ${seen.fork ? 1 : 0}, ${seen.open ? 1 : 0},
        ${seen.merged ? 1 : 0}, ${seen.headSha}, ${seen.createdAt}, ${seen.updatedAt}, ${rank}, ${now})
      ON CONFLICT (repository, number) DO UPDATE SET name = excluded.name, work_item = excluded.work_item,
        fork = excluded.fork, open = excluded.open, merged = max(held.merged, excluded.merged),
        updated_at = excluded.updated_at, rank = held.rank - held.rank % ${ranks} + ${seen.rank},
        received_at = excluded.received_at
      WHERE (excluded.updated_at, ${seen.rank}) >= (held.updated_at, held.rank % ${ranks})`
    if (seen.merged) yield* rememberMerged(sql, seen, now)
  })

/** Remembers that a pull request is merged. That never changes again. */
export const rememberMerged = (
  sql: Sql,
  { number, repository }: Pick<PullRequest, "number" | "repository">,
  now: EpochMillis
): Effect.Effect<void, SqlError> =>
  Effect.asVoid(
    sql`UPDATE plane_sync_pull_request SET merged = 1, open = 0, received_at = ${now}
      WHERE repository = ${repository} AND number = ${number}`
  )

/** Remembers that a pull request is closed, unless a hook came since it was read, because it may have been reopened. */
export const rememberClosed = (
  sql: Sql,
  { number, repository, updatedAt }: PullRequest,
  now: EpochMillis
): Effect.Effect<void, SqlError> =>
  Effect.asVoid(
    sql`UPDATE plane_sync_pull_request SET open = 0, received_at = ${now}
      WHERE repository = ${repository} AND number = ${number} AND updated_at = ${updatedAt}`
  )

/** Remembers a reviewer's word, if it is the newest. */
export const rememberReview = (
  sql: Sql,
  { headSha, number, repository, updatedAt }: PullRequestSeen,
  { approved, content, reviewer }: ReviewSeen
) =>
  sql`INSERT INTO plane_sync_review AS held
      (repository, number, reviewer, approved, content, head_sha, updated_at)
    VALUES (${repository}, ${number}, ${reviewer}, ${approved ? 1 : 0}, ${content}, ${headSha}, ${updatedAt})
    ON CONFLICT (repository, number, reviewer) DO UPDATE SET approved = excluded.approved, content = excluded.content,
      head_sha = excluded.head_sha, updated_at = excluded.updated_at
    WHERE excluded.updated_at >= held.updated_at`

/** Remembers checks of commits, whether or not a pull request with such a head is known yet. */
export const rememberStatuses = (sql: Sql, seen: ReadonlyArray<StatusSeen>, now: EpochMillis) => {
  const rows = seen.map(({ context, description, id, repository, sha, state }) => [
    repository,
    sha,
    context,
    id,
    state,
    description
  ])
  return sql`INSERT INTO plane_sync_commit_status AS held
      (repository, sha, context, status_id, state, description, received_at)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, ${now}
    FROM json_each(${JSON.stringify(rows)}) WHERE true ORDER BY key
    ON CONFLICT (repository, sha, context) DO UPDATE SET status_id = excluded.status_id, state = excluded.state,
      description = excluded.description, received_at = excluded.received_at
    WHERE excluded.status_id >= held.status_id`
}

/** The pull request of this number, unless it comes from a fork. */
export const readPullRequest = (sql: Sql, repository: number, number: number) =>
  Effect.map(
    sql<PullRequestRow>`SELECT ${sql.literal(columns)} FROM plane_sync_pull_request
      WHERE repository = ${repository} AND number = ${number} AND fork = 0`,
    ([row]) => row && pullRequest(row)
  )

/**
 * The pull request that is about a work item: the one that was opened last. One that was closed without a merge counts
 * only when there is no other.
 */
export const readPullRequestOf = (sql: Sql, workItem: CanonicalKey) =>
  Effect.map(
    sql<PullRequestRow>`SELECT ${sql.literal(columns)} FROM plane_sync_pull_request
      WHERE work_item = ${workItem} AND fork = 0
      ORDER BY max(open, merged) DESC, created_at DESC, repository DESC, number DESC LIMIT 1`,
    ([row]) => row && pullRequest(row)
  )

/** The pull requests whose heads are the commits of these checks. */
export const readPullRequestsAt = (sql: Sql, statuses: ReadonlyArray<StatusSeen>) => {
  const commits = new Map(statuses.map(({ repository, sha }) => [`${repository} ${sha}`, [repository, sha]]))
  return Effect.map(
    sql<PullRequestRow>`SELECT ${sql.literal(columns)} FROM json_each(${JSON.stringify(Array.from(commits.values()))})
      JOIN plane_sync_pull_request ON repository = value ->> 0 AND head_sha = value ->> 1 WHERE fork = 0`,
    (rows) => rows.map(pullRequest)
  )
}

/** The checks of a pull request's head. */
export const readStatuses = (sql: Sql, { headSha, repository }: PullRequest) =>
  sql<CommitStatus>`SELECT context, status_id AS id, state, description FROM plane_sync_commit_status
    WHERE repository = ${repository} AND sha = ${headSha} ORDER BY context`

/** What the reviewers of a pull request say, the oldest word first. */
export const readReviews = (sql: Sql, { number, repository }: PullRequest) =>
  Effect.map(
    sql<Omit<Review, "approved"> & { readonly approved: number }>`
      SELECT reviewer, approved, content, head_sha AS "headSha" FROM plane_sync_review
      WHERE repository = ${repository} AND number = ${number} ORDER BY updated_at, reviewer`,
    (rows) => rows.map((row): Review => ({ ...row, approved: row.approved === 1 }))
  )
