import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { LaneId } from "../domain/Ids.js"
import { metrics } from "../metrics/Metrics.js"
import type { Sql } from "../storage/Sql.js"
import { idleDue } from "./Idle.js"
import type { EventStatus } from "./StoredEvent.js"
import { everythingElse } from "./Turns.js"

/**
 * Counts what a transaction changes: how many events have each status, and how many each lane is owed. The sums are
 * kept where events change, so that no query has to count.
 */
export interface Tally {
  /** Events that were pending now have these statuses. An event that is still pending changes nothing. */
  readonly settled: (lane: LaneId | null, rows: ReadonlyArray<{ readonly status: EventStatus }>) => void
  /** An event has changed its status. `from` is undefined if it was not counted before, `to` if it is deleted. */
  readonly moved: (
    lane: LaneId | null,
    from: EventStatus | undefined,
    to: EventStatus | undefined,
    events?: number
  ) => void
  /** The change in what a lane is owed. The caller writes it itself. */
  readonly take: (lane: LaneId) => number
  /** Comments have told these events. */
  readonly told: (rows: ReadonlyArray<{ readonly publishedAt: EpochMillis }>, now: EpochMillis) => void
  /** Writes all changes that were not taken. */
  readonly write: Effect.Effect<void, SqlError>
  /** Gives the metrics what was told. For when the transaction is committed. */
  readonly count: () => void
}

/** `share`: whose sums are written, by the first project of a leader. */
export const makeTally = (sql: Sql, share = everythingElse): Tally => {
  const counts: Record<EventStatus, number> = { pending: 0, delivered: 0, dead: 0, discarded: 0 }
  const owed = new Map<LaneId, number>()
  const tookSeconds: Array<number> = []

  const owe = (lane: LaneId | null, events: number) => {
    if (lane !== null) owed.set(lane, (owed.get(lane) ?? 0) + events)
  }
  const moved: Tally["moved"] = (lane, from, to, events = 1) => {
    if (from === to) return
    if (from !== undefined) counts[from] -= events
    if (to !== undefined) counts[to] += events
    if (from === "pending") owe(lane, -events)
    if (to === "pending") owe(lane, events)
  }

  const writeCounts = Effect.suspend((): Effect.Effect<unknown, SqlError> => {
    const { dead, delivered, discarded, pending } = counts
    if (pending === 0 && delivered === 0 && dead === 0 && discarded === 0) return Effect.void
    if (share === everythingElse) {
      return sql`UPDATE plane_sync_count SET events = CASE status WHEN 'pending' THEN events + ${pending}
        WHEN 'delivered' THEN events + ${delivered} WHEN 'dead' THEN events + ${dead} ELSE events + ${discarded} END`
    }
    const rows = Object.entries(counts).map(([status, events]) => [share, status, events])
    return sql`INSERT INTO plane_sync_count_of (project, status, events)
      SELECT value ->> 0, value ->> 1, CAST(value ->> 2 AS bigint) FROM ${sql.each(rows)} WHERE true ORDER BY key
      ON CONFLICT (project, status) DO UPDATE SET events = plane_sync_count_of.events + excluded.events`
  })
  const writeOwed = Effect.suspend(() =>
    Effect.forEach(
      Array.from(owed).filter(([, events]) => events !== 0),
      ([lane, events]) =>
        sql`UPDATE plane_sync_lane SET owed = owed + ${events},
          due_at = CASE owed + ${events} WHEN 0 THEN ${idleDue(sql)} ELSE due_at END WHERE id = ${lane}`,
      { discard: true }
    )
  )

  return {
    moved,
    settled: (lane, rows) => {
      for (const { status } of rows) moved(lane, "pending", status)
    },
    take: (lane) => {
      const events = owed.get(lane) ?? 0
      owed.delete(lane)
      return events
    },
    told: (rows, now) => {
      for (const { publishedAt } of rows) tookSeconds.push((now - publishedAt) / 1_000)
    },
    write: Effect.zipRight(writeOwed, Effect.asVoid(writeCounts)),
    count: () => {
      for (const seconds of tookSeconds) metrics.told.observe({}, seconds)
    }
  }
}
