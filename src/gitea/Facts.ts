import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { Sql } from "../storage/Sql.js"
import type { PullRequestSeen, ReviewSeen, StatusSeen } from "../webhooks/GiteaHook.js"

/** What is known of a pull request, and may move a task. */
export interface PullRequest {
  readonly repository: number
  /** "owner/name". */
  readonly name: string
  readonly number: number
  /** The work item that it names, canonical, if it names one. */
  readonly workItem: string | null
  readonly open: boolean
  readonly merged: boolean
  readonly headSha: string
  /** When Gitea last changed it, in milliseconds since 1970, UTC. */
  readonly updatedAt: number
}

/** The newest state of a check of a commit. */
export interface CommitStatus {
  readonly context: string
  readonly id: number
  readonly state: string
  readonly description: string
}

/** The newest word of a reviewer. */
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

/** The column `rank` holds two: that of the head, times this, and that of the state. */
const ranks = 8

/**
 * Remembers a pull request as it was seen. Deliveries come in any order, so it is the newest sight that stays, of its head
 * and of its state; but a pull request that was merged is so for ever.
 */
export const rememberPullRequest = (
  sql: Sql,
  seen: PullRequestSeen,
  workItem: string | null,
  now: number
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

/** Remembers that a pull request is merged, which is for ever. */
export const rememberMerged = (
  sql: Sql,
  { number, repository }: Pick<PullRequest, "number" | "repository">,
  now: number
): Effect.Effect<void, SqlError> =>
  Effect.asVoid(
    sql`UPDATE plane_sync_pull_request SET merged = 1, open = 0, received_at = ${now}
      WHERE repository = ${repository} AND number = ${number}`
  )

/** Remembers that a pull request is closed, unless something was delivered since it was read: it may have reopened. */
export const rememberClosed = (
  sql: Sql,
  { number, repository, updatedAt }: PullRequest,
  now: number
): Effect.Effect<void, SqlError> =>
  Effect.asVoid(
    sql`UPDATE plane_sync_pull_request SET open = 0, received_at = ${now}
      WHERE repository = ${repository} AND number = ${number} AND updated_at = ${updatedAt}`
  )

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
export const rememberStatuses = (sql: Sql, seen: ReadonlyArray<StatusSeen>, now: number) => {
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
 * The pull request that is about a work item: the one that was opened last, but one that was given up only when there is
 * no other.
 */
export const readPullRequestOf = (sql: Sql, workItem: string) =>
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

export const readStatuses = (sql: Sql, { headSha, repository }: PullRequest) =>
  sql<CommitStatus>`SELECT context, status_id AS id, state, description FROM plane_sync_commit_status
    WHERE repository = ${repository} AND sha = ${headSha} ORDER BY context`

export const readReviews = (sql: Sql, { number, repository }: PullRequest) =>
  Effect.map(
    sql<Omit<Review, "approved"> & { readonly approved: number }>`
      SELECT reviewer, approved, content, head_sha AS "headSha" FROM plane_sync_review
      WHERE repository = ${repository} AND number = ${number} ORDER BY updated_at, reviewer`,
    (rows) => rows.map((row): Review => ({ ...row, approved: row.approved === 1 }))
  )

// Each has some reviews with it.
const pruneBatch = 100

/**
 * Deletes a batch of the pull requests, with their reviews, that are closed or merged, that nothing was heard of since
 * `before` (milliseconds since 1970, UTC, by our own clock) and that no unfinished task goes by, linked or named. Says
 * whether there may be more.
 */
export const prunePullRequests = (sql: Sql, before: number): Effect.Effect<boolean, SqlError> =>
  Effect.gen(function*() {
    const deleted = yield* sql<{ repository: number; number: number }>`DELETE FROM plane_sync_pull_request
      WHERE (repository, number) IN (
        SELECT repository, number FROM plane_sync_pull_request p WHERE open = 0 AND received_at < ${before}
          AND NOT EXISTS (SELECT 1 FROM plane_sync_task t
            WHERE t.repository_id = p.repository AND t.pull_request = p.number AND t.status <> 'done')
          AND NOT EXISTS (SELECT 1 FROM plane_sync_task t WHERE t.canonical = p.work_item AND t.status <> 'done')
        ORDER BY received_at LIMIT ${sql.literal(String(pruneBatch))})
      RETURNING repository, number`
    const keys = JSON.stringify(deleted.map(({ number, repository }) => [repository, number]))
    yield* sql`DELETE FROM plane_sync_review
      WHERE (repository, number) IN (SELECT value ->> 0, value ->> 1 FROM json_each(${keys}))`
    return deleted.length === pruneBatch
  })
