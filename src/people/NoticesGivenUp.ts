import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import { epochMillis } from "../base/Time.js"
import type { EpochMillis } from "../base/Time.js"
import type { Fragment, Sql } from "../storage/Sql.js"
import type { NoticeKind } from "./Notices.js"

/** A notice that was given up, as it is stored. */
export interface StoredDeadNotice {
  readonly id: number
  readonly kind: NoticeKind
  readonly body: string
  readonly reason: string
  readonly attempts: number
  readonly settledAt: EpochMillis
}

/** Those of these ids, the oldest first. */
interface Batch {
  readonly after: number
  readonly upTo: number
}

/** How many one transaction takes. */
const batchSize = 100

/** No more are counted. */
const mostCounted = 1_000

/** A page of them, newest first. `cursor`: the last one of the page before. */
export const readDead = (
  sql: Sql,
  { cursor = Number.MAX_SAFE_INTEGER, limit }: { readonly limit: number; readonly cursor?: number | undefined }
): Effect.Effect<ReadonlyArray<StoredDeadNotice>, SqlError> =>
  sql<StoredDeadNotice>`SELECT id, kind, body, coalesce(reason, '') AS reason, attempts,
    coalesce(settled_at, made_at) AS "settledAt" FROM plane_sync_notice
    WHERE status = 'dead' AND id < ${cursor} ORDER BY id DESC LIMIT ${limit}`

/** How many there are, up to 1,000. */
export const countDead = (sql: Sql): Effect.Effect<number, SqlError> =>
  Effect.map(
    sql<{ n: number }>`SELECT count(*) AS n FROM (SELECT 1 FROM plane_sync_notice WHERE status = 'dead'
      LIMIT ${sql.literal(String(mostCounted))}) AS dead`,
    ([row]) => row?.n ?? 0
  )

const dead = (sql: Sql, { after, upTo }: Batch, rest: Fragment) =>
  sql`status = 'dead' AND id IN (SELECT notice.id FROM plane_sync_notice notice WHERE notice.status = 'dead'
    AND notice.id > ${after} AND notice.id <= ${upTo} ${rest}
    ORDER BY notice.id LIMIT ${sql.literal(String(batchSize))})`

const ids = (rows: ReadonlyArray<{ readonly id: number }>) => rows.map(({ id }) => id)

/**
 * Owes a batch of them again, in the order of all, and gives their ids. What calls somebody is left out unless its wait
 * is still open: it would not be true any more.
 */
export const retryDead = (sql: Sql, batch: Batch): Effect.Effect<ReadonlyArray<number>, SqlError> =>
  Effect.map(
    sql<{ id: number }>`UPDATE plane_sync_notice SET status = 'pending', attempts = 0, due_at = 0, settled_at = NULL
      WHERE ${
      dead(
        sql,
        batch,
        sql`AND (notice.kind IN ('answered', 'withdrawn')
          OR EXISTS (SELECT 1 FROM plane_sync_wait wait WHERE wait.id = notice.wait AND wait.state = 'open'))`
      )
    } RETURNING id`,
    ids
  )

/** Discards a batch of them, and gives their ids: they are never sent. */
export const discardDead = (sql: Sql, batch: Batch): Effect.Effect<ReadonlyArray<number>, SqlError> =>
  Effect.flatMap(epochMillis, (now) =>
    Effect.map(
      sql<{ id: number }>`UPDATE plane_sync_notice SET status = 'discarded', settled_at = ${now}
        WHERE ${dead(sql, batch, sql``)} RETURNING id`,
      ids
    ))
