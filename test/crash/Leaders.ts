import type { PgClient } from "@effect/sql-pg/PgClient"
import { Effect, Option } from "effect"
import type { Scope } from "effect"

/** The row of the leader. Moments are those of the database's clock, which is that of this machine. */
interface LeaderRow {
  readonly holder: string
  readonly pid: number
  readonly since: number
  readonly seenAt: number
  readonly now: number
}

const row = (sql: PgClient) =>
  Effect.map(
    sql<LeaderRow>`SELECT holder, pid::int AS pid, since::float8 AS since, seen_at::float8 AS "seenAt",
      extract(epoch FROM clock_timestamp())::float8 * 1000 AS now FROM plane_sync_sender WHERE project = '*'`,
    ([leader]) => leader
  )

/** What a run's leaders add up to. */
export interface Leaders {
  /** How often another process became the leader. */
  readonly changes: number
  /** How often the same process became the leader anew. */
  readonly again: number
  /** The longest time from the last sign of a leader to the beginning of the next one, in milliseconds. */
  readonly longestGap: number
}

/** Runs statements while the database may be away: none if it does not answer. */
export const asked = <A, E>(statements: Effect.Effect<A, E>): Effect.Effect<Option.Option<A>> =>
  Effect.uninterruptible(statements).pipe(
    // The pool loses a connection for good if it is interrupted while it gives one.
    Effect.disconnect,
    Effect.timeoutOption("2 seconds"),
    Effect.catchAllCause(() => Effect.succeedNone)
  )

const lease = 15_000

/** Looks all the time who leads. */
export const watchLeaders = (sql: PgClient): Effect.Effect<
  {
    /** The process that leads, if there is one whose lease is not over. */
    readonly pid: Effect.Effect<number | undefined>
    readonly sum: () => Leaders
  },
  never,
  Scope.Scope
> =>
  Effect.gen(function*() {
    let last: LeaderRow | undefined
    let sum: Leaders = { changes: 0, again: 0, longestGap: 0 }
    const look = Effect.map(asked(row(sql)), (found) => {
      const seen = Option.getOrUndefined(found)
      if (seen === undefined) return undefined
      if (last !== undefined && last.holder !== seen.holder) {
        const isSame = last.pid === seen.pid
        sum = {
          changes: sum.changes + (isSame ? 0 : 1),
          again: sum.again + (isSame ? 1 : 0),
          longestGap: Math.max(sum.longestGap, seen.since - last.seenAt)
        }
      }
      last = seen
      return seen.now - seen.seenAt < lease ? seen.pid : undefined
    })
    yield* Effect.forkScoped(Effect.forever(Effect.delay(look, "100 millis")))
    return { pid: look, sum: () => sum }
  })
