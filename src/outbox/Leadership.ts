import type { Scope } from "effect"
import { Data, DateTime, Deferred, Duration, Effect, Schedule, Schema } from "effect"
import { hostname } from "node:os"
import { epochMillis } from "../base/Time.js"
import type { EpochMillis } from "../base/Time.js"
import type { IndexFile } from "../storage/sqlite/IndexFile.js"
import { otherIndexError } from "../storage/sqlite/IndexFile.js"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"

/** How often the one who sends says that it is still there, and after how long without it is not. */
const heartbeat = Duration.seconds(30)
const staleAfter = Duration.toMillis("90 seconds")

/** Who sends what this file owes. Times are milliseconds since 1970, UTC. */
export interface Leader {
  readonly holder: string
  readonly pid: number
  readonly host: string
  readonly since: EpochMillis
  readonly seenAt: EpochMillis
  /** The index of the log that it has open; null where that is not known. */
  readonly index: string | null
}

const columns = `holder, pid, host, since, seen_at AS "seenAt", index_file AS "index"`

/** Another process sends what this file owes. Two would double comments: there is one writer per work item. */
export class LeaderActive extends Schema.TaggedError<LeaderActive>()("LeaderActive", {
  where: Schema.String,
  pid: Schema.Int,
  host: Schema.String,
  since: Schema.DateTimeUtcFromNumber
}) {
  override get message(): string {
    return `Storage ${this.where}: process ${this.pid} on ${this.host} has been sending from it since ` +
      `${DateTime.formatIso(this.since)}. Only one may: ` +
      "stop that one, or give this one another ORCH_DATABASE_URL"
  }
}

/** This process is no longer the one that sends: another has taken over, as after a long suspension of this one. */
export class LeadershipLost extends Data.TaggedError("LeadershipLost") {}

/** Whether `holder` still is the one that sends. A write, and a heartbeat. */
export const isLeader = (sql: Storage["Type"]["sql"], holder: string, now: EpochMillis) =>
  Effect.map(
    sql`UPDATE plane_sync_sender SET seen_at = ${now} WHERE holder = ${holder} RETURNING id`,
    (rows) => rows.length > 0
  )

// Of this process: its own pid in the table may also be that of a container's former life.
const alive = new Set<string>()

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // There is such a process, and it is somebody else's.
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}

const isActive = ({ holder, host, pid, seenAt }: Leader, now: EpochMillis): boolean => {
  if (host === hostname() && pid === process.pid) return alive.has(holder)
  // The pid of one that was killed may be another program's by now, so it must have been seen lately as well.
  return Math.abs(now - seenAt) < staleAfter && (host !== hostname() || isRunning(pid))
}

/** The last one that sends or has sent, and whether it does. */
export const readLeader = ({ read, sql }: Storage["Type"]) =>
  Effect.gen(function*() {
    const [leader] = yield* read(sql<Leader>`SELECT ${sql.literal(columns)} FROM plane_sync_sender`)
    const now = yield* epochMillis
    return leader === undefined ? undefined : { ...leader, active: isActive(leader, now) }
  })

/**
 * Whether it runs with another index than `index`. It has no heartbeat any more once it has noticed, and would still write
 * over what is committed here when it closes: on this host its process is asked for, however long it has not been seen.
 */
const hasOtherIndex = (leader: Leader, index: IndexFile | undefined, now: EpochMillis): boolean => {
  const { host, pid } = leader
  if (leader.index === null || index === undefined || leader.index === index.identity) return false
  if (host !== hostname() || pid === process.pid) return isActive(leader, now)
  // The pid of one that was killed may be another program's by now, which does not have the file open.
  return isRunning(pid) && (index.strangers()?.includes(pid) ?? true)
}

const named = ({ host, pid }: Leader) => `process ${pid} on ${host}`

/** Fails when the leader has another index open, because its own was removed while it was running. */
export const refuseOtherIndex = (
  { index, read, sql, where }: Pick<Storage["Type"], "index" | "read" | "sql" | "where">
): Effect.Effect<void, StorageError> =>
  Effect.gen(function*() {
    if (index === undefined) return
    const [leader] = yield* read(sql<Leader>`SELECT ${sql.literal(columns)} FROM plane_sync_sender`)
    const now = yield* epochMillis
    if (leader !== undefined && hasOtherIndex(leader, index, now)) return yield* otherIndexError(where, named(leader))
  })

/** This process is the one that sends. */
export interface Leadership {
  /** The last delivery that was planned before. What its predecessor had in flight when it died may still be executing. */
  readonly lastBefore: number
  /** Completed should another process have taken over, as after a long suspension of this one. */
  readonly lost: Effect.Effect<void>
}

/** Makes this process the one that sends, until the scope closes. */
export const becomeLeader = (
  { index, sql, where, write }: Storage["Type"],
  holder: string
): Effect.Effect<Leadership, LeaderActive | StorageError, Scope.Scope> =>
  Effect.gen(function*() {
    const take = Effect.gen(function*() {
      const now = yield* epochMillis
      // The first statement writes, so that two who start at the same time come one after the other.
      const [leader] = yield* sql<Leader>`UPDATE plane_sync_sender SET seen_at = seen_at
        RETURNING ${sql.literal(columns)}`
      if (leader !== undefined && isActive(leader, now)) return { other: leader }
      if (leader !== undefined && hasOtherIndex(leader, index, now)) return { apart: leader }
      yield* sql`INSERT INTO plane_sync_sender (id, holder, pid, host, since, seen_at, index_file)
        VALUES (1, ${holder}, ${process.pid}, ${hostname()}, ${now}, ${now}, ${index?.identity ?? null})
        ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, pid = excluded.pid, host = excluded.host,
          since = excluded.since, seen_at = excluded.seen_at, index_file = excluded.index_file`
      yield* sql`UPDATE plane_sync_lane SET holder = NULL WHERE holder IS NOT NULL`
      const [last] = yield* sql<{ id: number | null }>`SELECT max(id) AS id FROM plane_sync_delivery`
      alive.add(holder)
      return { lastBefore: last?.id ?? 0 }
    })

    yield* Effect.addFinalizer(() =>
      write(sql`DELETE FROM plane_sync_sender WHERE holder = ${holder}`).pipe(
        Effect.ignoreLogged,
        Effect.ensuring(Effect.sync(() => alive.delete(holder)))
      )
    )
    const taken = yield* write(take)
    if ("other" in taken) {
      const { other } = taken
      return yield* new LeaderActive({
        where,
        pid: other.pid,
        host: other.host,
        since: DateTime.unsafeMake(other.since)
      })
    }

    if ("apart" in taken) return yield* otherIndexError(where, named(taken.apart))

    const lost = yield* Deferred.make<void>()
    yield* Effect.flatMap(
      epochMillis,
      (now) => write(isLeader(sql, holder, now))
    ).pipe(
      Effect.flatMap((still) => still ? Effect.void : Deferred.succeed(lost, undefined)),
      // Storage that fails is the workers' trouble as well, and they say so.
      Effect.ignore,
      Effect.schedule(Schedule.spaced(heartbeat)),
      Effect.forkScoped
    )
    return { lastBefore: taken.lastBefore, lost: Deferred.await(lost) }
  })
