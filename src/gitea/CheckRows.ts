import type { EpochMillis } from "../base/Time.js"
import type { Sql } from "../storage/Sql.js"
import type { CommitStatus, PullRequest, PullRequestId, StatusSeen } from "./Facts.js"

const isNewer = (seen: StatusSeen, held: StatusSeen | undefined) =>
  held === undefined || seen.id > held.id || (seen.id === held.id && seen.state !== held.state)

/**
 * The newest of each check, in one order for all: Postgres refuses a statement that would change a row twice, and who
 * changes many in another order may wait for somebody who waits for him.
 */
const newest = (seen: ReadonlyArray<StatusSeen>) => {
  const found = new Map<string, StatusSeen>()
  for (const one of seen) {
    const key = JSON.stringify([one.repository, one.sha, one.context])
    if (isNewer(one, found.get(key))) found.set(key, one)
  }
  return Array.from(found).sort(([one], [other]) => one < other ? -1 : 1).map(([, one]) => one)
}

/** Remembers checks of commits, whether or not a pull request with such a head is known yet. */
export const rememberStatuses = (sql: Sql, seen: ReadonlyArray<StatusSeen>, now: EpochMillis) => {
  const rows = newest(seen).map(({ context, creator, description, id, page = null, repository, sha, state }) => [
    repository,
    sha,
    context,
    id,
    state,
    description,
    creator,
    page
  ])
  // A hook that is repeated is nothing new.
  return sql`INSERT INTO plane_sync_commit_status AS held
      (repository, sha, context, status_id, state, description, creator, page, received_at)
    SELECT CAST(value ->> 0 AS bigint), value ->> 1, value ->> 2, CAST(value ->> 3 AS bigint), value ->> 4, value ->> 5,
      value ->> 6, value ->> 7, CAST(${now} AS bigint)
    FROM ${sql.each(rows)} WHERE true ORDER BY key
    ON CONFLICT (repository, sha, context) DO UPDATE SET status_id = excluded.status_id, state = excluded.state,
      description = excluded.description, creator = excluded.creator, page = excluded.page,
      received_at = excluded.received_at
    WHERE excluded.status_id > held.status_id
      OR excluded.status_id = held.status_id AND excluded.state <> held.state`
}

/** What Gitea answers that is not stored. It does not name its own runners, as a hook does. */
export const newsIn = <A extends Omit<CommitStatus, "id" | "receivedAt">>(
  held: ReadonlyArray<CommitStatus>,
  asked: ReadonlyArray<A>
) => {
  const known = new Map(held.map((status) => [status.context, status]))
  return asked.filter(({ context, creator, description, state }) => {
    const status = known.get(context)
    return status === undefined || status.state !== state || status.description !== description ||
      (creator !== null && status.creator !== creator)
  })
}

/**
 * Remembers what Gitea answered about the checks of a commit. The ids that it answers do not tell which of two is
 * newer, because a hook's id counts all statuses there are, and an answer's only those of the commit. So an answer
 * stands until a hook comes that is newer than the last one. (A hook that came while Gitea was asked has the gates
 * asked again.) Gitea does not name its own runners in an answer, as it does in a hook.
 */
export const rememberAskedStatuses = (
  sql: Sql,
  { headSha, repository }: Pick<PullRequest, "headSha" | "repository">,
  asked: ReadonlyArray<Pick<CommitStatus, "context" | "creator" | "description" | "page" | "state">>,
  now: EpochMillis
) => {
  // The last of those that stand twice, and in one order for all: see `newest`.
  const each = new Map(asked.map((one) => [JSON.stringify(one.context), one]))
  const rows = Array.from(each).sort(([one], [other]) => one < other ? -1 : 1)
    .map(([, { context, creator, description, page = null, state }]) => [context, state, description, creator, page])
  return sql`INSERT INTO plane_sync_commit_status AS held
      (repository, sha, context, status_id, state, description, creator, page, received_at)
    SELECT CAST(${repository} AS bigint), ${headSha}, value ->> 0, 0, value ->> 1, value ->> 2, value ->> 3,
      value ->> 4, CAST(${now} AS bigint)
    FROM ${sql.each(rows)} WHERE true ORDER BY key
    ON CONFLICT (repository, sha, context) DO UPDATE SET state = excluded.state, description = excluded.description,
      creator = coalesce(excluded.creator, held.creator), page = coalesce(excluded.page, held.page), received_at = excluded.received_at`
}

/** The pull requests whose heads are the commits of these checks. */
export const readPullRequestsAt = (sql: Sql, statuses: ReadonlyArray<StatusSeen>) => {
  const commits = new Map(statuses.map(({ repository, sha }) => [`${repository} ${sha}`, [repository, sha]]))
  return sql<PullRequestId & Pick<StatusSeen, "sha">>`SELECT p.repository, p.number, p.head_sha AS sha
    FROM ${sql.each(Array.from(commits.values()))}
    JOIN plane_sync_pull_request p ON p.repository = CAST(value ->> 0 AS bigint) AND p.head_sha = value ->> 1`
}

/** The checks of a pull request's head. */
export const readStatuses = (sql: Sql, { headSha, repository }: Pick<PullRequest, "headSha" | "repository">) =>
  sql<CommitStatus>`SELECT context, status_id AS id, state, description, creator, page, received_at AS "receivedAt"
    FROM plane_sync_commit_status WHERE repository = ${repository} AND sha = ${headSha} ORDER BY context`

/** The checks of a head that were heard of after a moment, because the clock was set back since, were heard of then. */
export const receivedBy = (
  sql: Sql,
  { headSha, repository }: Pick<PullRequest, "headSha" | "repository">,
  now: EpochMillis
) =>
  sql`UPDATE plane_sync_commit_status SET received_at = ${now}
    WHERE repository = ${repository} AND sha = ${headSha} AND received_at > ${now}`
