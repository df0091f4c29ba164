import { Effect } from "effect"
import type { Sql } from "../storage/Sql.js"
import type { PullRequestId, PullRequestSeen, Review, ReviewSeen } from "./Facts.js"

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

/** What the reviewers of a pull request say, the oldest word first. */
export const readReviews = (sql: Sql, { number, repository }: PullRequestId) =>
  Effect.map(
    sql<Omit<Review, "approved"> & { readonly approved: number }>`
      SELECT reviewer, approved, content, head_sha AS "headSha" FROM plane_sync_review
      WHERE repository = ${repository} AND number = ${number} ORDER BY updated_at, reviewer`,
    (rows) => rows.map((row): Review => ({ ...row, approved: row.approved === 1 }))
  )
