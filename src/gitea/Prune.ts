import type { SqlError } from "@effect/sql/SqlError"
import type { Scope } from "effect"
import { Duration, Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { pruneHourly } from "../storage/Retention.js"
import type { Sql } from "../storage/Sql.js"
import { Storage } from "../storage/Storage.js"
import { concernsNoTask } from "../tasks/PullRequestTasks.js"

/** How long a check is kept while its commit is not the head of an open pull request. */
const statusesKeptFor = Duration.days(7)

// A pull request is deleted with its reviews and claims, so a transaction that deletes few of them is short.
const pruneBatch = 100

/**
 * Deletes a batch of the pull requests, with their reviews and claims, that are closed or merged, that nothing was
 * heard of since `before` (by our own clock), and that concern no unfinished task. Says whether there may be more.
 */
export const prunePullRequests = (sql: Sql, before: EpochMillis): Effect.Effect<boolean, SqlError> =>
  Effect.gen(function*() {
    const columns = {
      repository: sql.literal("p.repository"),
      number: sql.literal("p.number"),
      keys: sql`SELECT c.key FROM plane_sync_claim c WHERE c.repository = p.repository AND c.number = p.number`
    }
    // What others change meanwhile is judged again by the conditions outside.
    const deleted = yield* sql<{ repository: number; number: number }>`DELETE FROM plane_sync_pull_request
      WHERE (repository, number) IN (
        SELECT repository, number FROM plane_sync_pull_request p WHERE open = 0 AND received_at < ${before}
          AND ${concernsNoTask(sql, columns)}
        ORDER BY received_at LIMIT ${sql.literal(String(pruneBatch))})
        AND open = 0 AND received_at < ${before}
      RETURNING repository, number`
    const each = sql.each(deleted.map(({ number, repository }) => [repository, number]))
    const keys = sql`(SELECT CAST(value ->> 0 AS bigint), CAST(value ->> 1 AS bigint) FROM ${each})`
    yield* sql`DELETE FROM plane_sync_review WHERE (repository, number) IN ${keys}`
    yield* sql`DELETE FROM plane_sync_claim WHERE (repository, number) IN ${keys}`
    return deleted.length === pruneBatch
  })

/**
 * Deletes a batch of the checks that came before a moment and whose commit is not the head of an open pull request: it
 * no longer is, or never was. Says whether there may be more.
 */
export const pruneCommitStatuses = (sql: Sql, before: EpochMillis): Effect.Effect<boolean, SqlError> =>
  Effect.map(
    sql`DELETE FROM plane_sync_commit_status WHERE (repository, sha, context) IN (
      SELECT repository, sha, context FROM plane_sync_commit_status s WHERE received_at < ${before} AND NOT EXISTS (
        SELECT 1 FROM plane_sync_pull_request p
        WHERE p.repository = s.repository AND p.head_sha = s.sha AND p.open = 1)
      ORDER BY received_at LIMIT ${sql.literal(String(pruneBatch))}) AND received_at < ${before} RETURNING 1`,
    (deleted) => deleted.length === pruneBatch
  )

/** Deletes facts that are too old, every hour: pull requests after `ORCH_RETENTION` (`kept`), checks after 7 days. */
export const pruneFactsHourly = (kept: Duration.Duration): Effect.Effect<void, never, Scope.Scope | Storage> =>
  Effect.gen(function*() {
    const { sql, write } = yield* Storage
    yield* pruneHourly((before) => write(pruneCommitStatuses(sql, before)), statusesKeptFor)
    yield* pruneHourly((before) => write(prunePullRequests(sql, before)), kept)
  })
