import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { CanonicalKey } from "../domain/WorkItemKey.js"
import type { Sql } from "../storage/Sql.js"
import { rememberClaims } from "./ClaimRows.js"
import type { Claim, PullRequestText } from "./Claims.js"

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
  readonly mergedAt: EpochMillis | null
  readonly draft: boolean
  readonly author: string | null
  /** The branch that it goes into. */
  readonly base: string
  /** That of its repository. */
  readonly defaultBranch: string | null
  readonly headSha: string
  readonly createdAt: EpochMillis
  readonly updatedAt: EpochMillis
  /** Of two hooks of the same second, the state of the higher rank is the later one. */
  readonly rank: number
  /** The same for the head. */
  readonly headRank: number
  /** The hook that merged it: what it says then stays what the pull request is about. */
  readonly isMerging: boolean
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
  /** Who reported it. */
  readonly creator: string | null
}

/** What is known of a pull request, and may move a task. */
export interface PullRequest {
  readonly repository: number
  /** "owner/name". */
  readonly name: string
  readonly number: number
  readonly fork: boolean
  readonly open: boolean
  readonly merged: boolean
  readonly mergedAt: EpochMillis | null
  readonly draft: boolean
  readonly author: string | null
  /** The branch that it goes into. Null while nothing was heard of it since an older version stored it. */
  readonly base: string | null
  readonly defaultBranch: string | null
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
  readonly creator: string | null
  /** When we heard of this state. */
  readonly receivedAt: EpochMillis
}

/** A reviewer's newest word. */
export interface Review {
  readonly reviewer: string
  readonly approved: boolean
  readonly content: string
  /** The pull request's head when it was given. */
  readonly headSha: string
}

interface PullRequestRow extends Omit<PullRequest, "fork" | "open" | "merged" | "draft"> {
  readonly fork: number
  readonly open: number
  readonly merged: number
  readonly draft: number
}

const columns = `p.repository, p.number, p.name, p.fork, p.open, p.merged, p.merged_at AS "mergedAt", p.draft, p.author,
  p.base, p.default_branch AS "defaultBranch", p.head_sha AS "headSha", p.updated_at AS "updatedAt"`

const pullRequest = (row: PullRequestRow): PullRequest => ({
  ...row,
  fork: row.fork === 1,
  open: row.open === 1,
  merged: row.merged === 1,
  draft: row.draft === 1
})

/** What names a pull request. */
export type PullRequestId = Pick<PullRequest, "number" | "repository">

/** The column `rank` holds two ranks: that of the head times this number, plus that of the state. */
const ranks = 8

/**
 * Remembers a pull request as it was seen. Hooks come in any order, so the newest one counts, separately for its head
 * and for its state. But a pull request that was merged stays merged.
 */
export const rememberPullRequest = (
  sql: Sql,
  seen: PullRequestSeen,
  claims: ReadonlyArray<Claim>,
  now: EpochMillis
): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    const rank = seen.headRank * ranks + seen.rank
    yield* sql`UPDATE plane_sync_pull_request
      SET head_sha = ${seen.headSha}, rank = ${seen.headRank * ranks} + rank % ${ranks}
      WHERE repository = ${seen.repository} AND number = ${seen.number}
        AND (${seen.updatedAt}, ${seen.headRank * ranks}) >= (updated_at, rank - rank % ${ranks})`
    yield* sql`INSERT INTO plane_sync_pull_request AS held
        (repository, number, name, fork, open, merged, merged_at, draft, author, base, default_branch, head_sha,
          created_at, updated_at, rank, received_at)
      VALUES (${seen.repository}, ${seen.number}, ${seen.name}, ${seen.fork ? 1 : 0}, ${seen.open ? 1 : 0},
        ${seen.merged ? 1 : 0}, ${seen.mergedAt}, ${seen.draft ? 1 : 0}, ${seen.author}, ${seen.base},
        ${seen.defaultBranch}, ${seen.headSha}, ${seen.createdAt}, ${seen.updatedAt}, ${rank}, ${now})
      ON CONFLICT (repository, number) DO UPDATE SET name = excluded.name, fork = excluded.fork, open = excluded.open,
        draft = excluded.draft, author = excluded.author, base = excluded.base,
        default_branch = coalesce(excluded.default_branch, held.default_branch), updated_at = excluded.updated_at,
        rank = held.rank - held.rank % ${ranks} + ${seen.rank}, received_at = excluded.received_at
      WHERE (excluded.updated_at, ${seen.rank}) >= (held.updated_at, held.rank % ${ranks}) OR held.base IS NULL`
    yield* rememberClaims(sql, seen, claims)
    if (seen.merged) yield* rememberMerged(sql, seen, seen.mergedAt ?? seen.updatedAt, now)
  })

/** Remembers that a pull request is merged, and when first. That never changes again. */
const rememberMerged = (sql: Sql, { number, repository }: PullRequestId, mergedAt: EpochMillis, now: EpochMillis) =>
  sql`UPDATE plane_sync_pull_request SET merged = 1, open = 0, merged_at = coalesce(merged_at, ${mergedAt}),
      received_at = ${now}
    WHERE repository = ${repository} AND number = ${number}`

/** What Gitea answers of a pull request that it is asked about. */
export type PullRequestAnswer = Pick<
  PullRequest,
  "author" | "base" | "defaultBranch" | "draft" | "headSha" | "merged" | "mergedAt" | "open"
>

/**
 * Remembers what Gitea answered, unless a hook came since \`held\` was read, because it may be newer. But a merge is
 * remembered in every case.
 */
export const rememberAnswer = (
  sql: Sql,
  held: PullRequest,
  { author, base, defaultBranch, draft, headSha, merged, mergedAt, open }: PullRequestAnswer,
  now: EpochMillis
): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    yield* sql`UPDATE plane_sync_pull_request SET open = ${open ? 1 : 0}, base = ${base},
        default_branch = ${defaultBranch}, draft = ${draft ? 1 : 0}, author = ${author}, head_sha = ${headSha},
        received_at = ${now}
      WHERE repository = ${held.repository} AND number = ${held.number} AND updated_at = ${held.updatedAt}
        AND merged = 0`
    if (merged) yield* rememberMerged(sql, held, mergedAt ?? now, now)
  })

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
  const rows = seen.map(({ context, creator, description, id, repository, sha, state }) => [
    repository,
    sha,
    context,
    id,
    state,
    description,
    creator
  ])
  // A hook that is repeated is nothing new.
  return sql`INSERT INTO plane_sync_commit_status AS held
      (repository, sha, context, status_id, state, description, creator, received_at)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, ${now}
    FROM json_each(${JSON.stringify(rows)}) WHERE true ORDER BY key
    ON CONFLICT (repository, sha, context) DO UPDATE SET status_id = excluded.status_id, state = excluded.state,
      description = excluded.description, creator = excluded.creator, received_at = excluded.received_at
    WHERE excluded.status_id > held.status_id
      OR excluded.status_id = held.status_id AND excluded.state <> held.state`
}

/**
 * Remembers what Gitea answered about the checks of a commit. The ids that it answers do not tell which of two is
 * newer, because a hook's id counts all statuses there are, and an answer's only those of the commit. So an answer
 * stands until a hook comes that is newer than the last one. (A hook that came while Gitea was asked has the gates asked
 * again.)
 */
export const rememberAskedStatuses = (
  sql: Sql,
  { headSha, repository }: Pick<PullRequest, "headSha" | "repository">,
  asked: ReadonlyArray<Pick<CommitStatus, "context" | "creator" | "description" | "state">>,
  now: EpochMillis
) => {
  const rows = asked.map(({ context, creator, description, state }) => [context, state, description, creator])
  return sql`INSERT INTO plane_sync_commit_status
      (repository, sha, context, status_id, state, description, creator, received_at)
    SELECT ${repository}, ${headSha}, value ->> 0, 0, value ->> 1, value ->> 2, value ->> 3, ${now}
    FROM json_each(${JSON.stringify(rows)}) WHERE true ORDER BY key
    ON CONFLICT (repository, sha, context) DO UPDATE SET state = excluded.state, description = excluded.description,
      creator = excluded.creator, received_at = excluded.received_at`
}

/** The pull request of this number. */
export const readPullRequest = (sql: Sql, { number, repository }: PullRequestId) =>
  Effect.map(
    sql<PullRequestRow>`SELECT ${sql.literal(columns)} FROM plane_sync_pull_request p
      WHERE p.repository = ${repository} AND p.number = ${number}`,
    ([row]) => row && pullRequest(row)
  )

/**
 * The pull requests that are about a work item, the one that was opened last first. What nobody will read any more is
 * not looked at, because a key may be in many titles.
 */
export const readPullRequestsOf = (sql: Sql, key: CanonicalKey) =>
  Effect.map(
    sql<PullRequestRow>`SELECT ${sql.literal(columns)} FROM plane_sync_claim c
      JOIN plane_sync_pull_request p ON p.repository = c.repository AND p.number = c.number
      WHERE c.key = ${key} AND c.kind = 'about'
      ORDER BY p.open DESC, p.created_at DESC, p.repository DESC, p.number DESC LIMIT ${
      sql.literal(String(mostOfOne))
    }`,
    (rows) => rows.map(pullRequest)
  )

/** The most pull requests of one work item that are looked at. */
const mostOfOne = 50

/** The merged pull requests that take back what was done for a work item, the one that was merged last first. */
export const readRevertsOf = (sql: Sql, key: CanonicalKey) =>
  Effect.map(
    sql<PullRequestRow>`SELECT ${sql.literal(columns)} FROM plane_sync_claim c
      JOIN plane_sync_pull_request p ON p.repository = c.repository AND p.number = c.number
      WHERE c.key = ${key} AND c.kind = 'reverts' AND p.merged = 1
      ORDER BY p.merged_at DESC LIMIT ${sql.literal(String(mostOfOne))}`,
    (rows) => rows.map(pullRequest)
  )

/** The pull requests whose heads are the commits of these checks. */
export const readPullRequestsAt = (sql: Sql, statuses: ReadonlyArray<StatusSeen>) => {
  const commits = new Map(statuses.map(({ repository, sha }) => [`${repository} ${sha}`, [repository, sha]]))
  return sql<PullRequestId>`SELECT p.repository, p.number FROM json_each(${
    JSON.stringify(Array.from(commits.values()))
  })
    JOIN plane_sync_pull_request p ON p.repository = value ->> 0 AND p.head_sha = value ->> 1`
}

/** The checks of a pull request's head. */
export const readStatuses = (sql: Sql, { headSha, repository }: Pick<PullRequest, "headSha" | "repository">) =>
  sql<CommitStatus>`SELECT context, status_id AS id, state, description, creator, received_at AS "receivedAt"
    FROM plane_sync_commit_status WHERE repository = ${repository} AND sha = ${headSha} ORDER BY context`

/** What the reviewers of a pull request say, the oldest word first. */
export const readReviews = (sql: Sql, { number, repository }: PullRequestId) =>
  Effect.map(
    sql<Omit<Review, "approved"> & { readonly approved: number }>`
      SELECT reviewer, approved, content, head_sha AS "headSha" FROM plane_sync_review
      WHERE repository = ${repository} AND number = ${number} ORDER BY updated_at, reviewer`,
    (rows) => rows.map((row): Review => ({ ...row, approved: row.approved === 1 }))
  )
