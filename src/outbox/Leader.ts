import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type { Scope } from "effect"
import { Data, DateTime, Deferred, Duration, Effect, Schedule, Schema } from "effect"
import { hostname } from "node:os"
import { epochMillis } from "../base/Time.js"
import type { EpochMillis } from "../base/Time.js"
import type { Migration } from "../storage/Migrations.js"
import type { Fragment, Sql } from "../storage/Sql.js"
import type { IndexFile } from "../storage/sqlite/IndexFile.js"
import { otherIndexError } from "../storage/sqlite/IndexFile.js"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { Rows } from "./Covers.js"
import { freeLanes } from "./GoneLeaders.js"
import { besideTurns, everythingElse, keepTurnsAway } from "./Turns.js"

/**
 * How often the leader shows that it is alive, and how long ago it may last have done so before it counts as gone. A
 * file is led by one process for a long time; on Postgres, another replica is there to go on.
 */
interface Lease {
  readonly heartbeat: Duration.Duration
  readonly length: Duration.Duration
}

const leaseOfFile: Lease = { heartbeat: Duration.seconds(30), length: Duration.seconds(90) }
const leaseOfShared: Lease = { heartbeat: Duration.seconds(5), length: Duration.seconds(15) }

/** The lease in a database. */
export const leaseOf = ({ isShared }: Pick<Sql, "isShared">): Lease => isShared ? leaseOfShared : leaseOfFile

/** A process that sends what this database owes. Moments are those of the database's clock. */
export interface Leader {
  readonly holder: string
  readonly pid: number
  readonly host: string
  readonly since: EpochMillis
  readonly seenAt: EpochMillis
  /** When this was read. */
  readonly readAt: EpochMillis
  /** The index file that the leader has open. Null if that is not known, or there is none. */
  readonly index: string | null
}

const columns = `holder, pid, host, since, seen_at AS "seenAt", index_file AS "index"`

const leaderAsOf = (sql: Sql, now: EpochMillis) => sql`${sql.literal(columns)}, ${sql.clock(now)} AS "readAt"`

/** Another process is the leader. With two, comments would double: each work item must have one writer. */
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

/** This process is no longer the leader. Another has taken over, as after a long suspension of this one. */
export class LeadershipLost extends Data.TaggedError("LeadershipLost") {}

/**
 * Whether this is still a leader, and what else is asked in the same statement. It writes, because it is a heartbeat
 * too. It writes one row: of several, two turns could each have one that the other waits for.
 */
export const ifLeader = <A extends object>(
  sql: Sql,
  { holder, projects: [first = everythingElse] }: Rows,
  now: EpochMillis,
  columns: Fragment
) =>
  Effect.map(
    sql<A>`UPDATE plane_sync_sender SET seen_at = ${sql.clock(now)} ${besideTurns(sql)}
      WHERE holder = ${holder} AND project = ${first} RETURNING ${columns}`,
    ([row]) => row
  )

const heartbeat = (sql: Sql, holder: string, now: EpochMillis) =>
  Effect.map(
    sql`UPDATE plane_sync_sender SET seen_at = ${sql.clock(now)} ${besideTurns(sql)} WHERE holder = ${holder}
      RETURNING 1`,
    ([row]) => row !== undefined
  )

// The holders of this process. Its pid in the table alone proves nothing: it may be that of the container's life
// before.
const alive = new Set<string>()

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // The process exists, and belongs to another user.
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}

/** Whether a leader was seen lately. Of one on another host that is all that can be known. */
export const hasLease = ({ readAt, seenAt }: Leader, { length }: Lease): boolean =>
  Math.abs(readAt - seenAt) < Duration.toMillis(length)

/** Whether it still sends, as far as that can be known. */
export const isActive = (leader: Leader, lease: Lease): boolean => {
  const { holder, host, pid } = leader
  if (host === hostname() && pid === process.pid) return alive.has(holder)
  // The pid of a leader that was killed may be another program's by now, so the leader must also have been seen lately.
  return hasLease(leader, lease) && (host !== hostname() || isRunning(pid))
}

const leaderOf = (sql: Sql, project: string, now: EpochMillis) =>
  sql<Leader>`SELECT ${leaderAsOf(sql, now)} FROM plane_sync_sender WHERE project IN (${project}, ${everythingElse})
    ORDER BY CASE project WHEN ${everythingElse} THEN 1 ELSE 0 END LIMIT 1`

/** Whether this one is still a leader. */
export const isLeader = ({ read, sql }: Storage["Type"], holder: string): Effect.Effect<boolean, StorageError> =>
  Effect.map(read(sql`SELECT 1 FROM plane_sync_sender WHERE holder = ${holder}`), ([row]) => row !== undefined)

/** The last leader of a project, and whether it is still active. */
export const readLeader = ({ read, sql }: Storage["Type"], project = everythingElse) =>
  Effect.gen(function*() {
    const now = yield* epochMillis
    const [leader] = yield* read(leaderOf(sql, project, now))
    return leader === undefined ? undefined : { ...leader, active: isActive(leader, leaseOf(sql)) }
  })

/**
 * Whether the leader runs with another index than `index`. Once it has noticed, it has no heartbeat any more, but when
 * it closes it would still write over what is committed here. So on this host its process is checked, however long ago
 * it was last seen.
 */
const hasOtherIndex = (leader: Leader, index: IndexFile | undefined): boolean => {
  const { host, pid } = leader
  if (leader.index === null || index === undefined || leader.index === index.identity) return false
  if (host !== hostname() || pid === process.pid) return isActive(leader, leaseOfFile)
  // The pid of a leader that was killed may be another program's by now, which does not have the file open.
  return isRunning(pid) && (index.strangers()?.includes(pid) ?? true)
}

/** A leader, as a person can find it. */
export const named = ({ host, pid }: Pick<Leader, "host" | "pid">) => `process ${pid} on ${host}`

/** Fails when the leader has another index open because its own was removed while it was running. */
export const refuseOtherIndex = (
  { index, read, sql, where }: Pick<Storage["Type"], "index" | "read" | "sql" | "where">
): Effect.Effect<void, StorageError> =>
  Effect.gen(function*() {
    if (index === undefined) return
    const now = yield* epochMillis
    const [leader] = yield* read(leaderOf(sql, everythingElse, now))
    if (leader !== undefined && hasOtherIndex(leader, index)) return yield* otherIndexError(where, named(leader))
  })

/**
 * A step that changes what an older plane-sync works with. In a file it fails while such a process is the leader,
 * because that one would go on without noticing. On Postgres that process is no longer the leader from then on, and
 * stops when it notices the newer tables, so that replicas can be replaced one by one.
 */
export const whileNobodyLeads = (migration: Migration): Migration =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const depose = Effect.asVoid(sql`DELETE FROM plane_sync_sender`)
    const refuseLeader = Effect.gen(function*() {
      const now = yield* epochMillis
      const [leader] = yield* sql<Leader>`SELECT ${sql.literal(columns)}, ${now} AS "readAt" FROM plane_sync_sender`
      if (leader !== undefined && isActive(leader, leaseOfFile)) {
        return yield* Effect.dieMessage(
          `${named(leader)} sends from it with an older plane-sync: stop that one first. If it was killed, its lease ` +
            "ends 90 seconds after it was last seen: start this one again then"
        )
      }
    })
    yield* sql.onDialectOrElse({ pg: () => depose, orElse: () => refuseLeader })
    yield* migration
  })

/** The time for which this process is the leader. */
export interface Term {
  /** The name of this process in its rows, and in the lanes that it holds. It is new for each term. */
  readonly holder: string
  /** The projects whose rows it has. */
  readonly projects: ReadonlyArray<string>
  /**
   * The id of the last delivery that was planned before. A request that the former leader had in flight when it died
   * may still be executing.
   */
  readonly lastBefore: number
  /** Completes, and says why, when this process must not go on as the leader, as after a long suspension. */
  readonly lost: Effect.Effect<string>
  /** For whoever finds out that another process has taken over. */
  readonly lose: Effect.Effect<void>
}

type Taken = { readonly other: Leader } | { readonly apart: Leader } | { readonly lastBefore: number }

/** What a term is to be for. */
export interface Wanted {
  readonly holder: string
  /** The projects whose rows it is to have: `everythingElse` if nothing is said. */
  readonly projects?: ReadonlyArray<string>
  /** The id of the replica that this process is. */
  readonly replica?: string
  /**
   * Whether the leader's process is not asked for, because it was taken over by one that it may not see: a standby that
   * waits until the lease is over.
   */
  readonly byLease?: boolean
}

/** Makes this process the leader until the scope closes: of all that is wanted, or of nothing. */
export const becomeLeader = (
  { answersAgain, elsewhere, index, sql, where, write }: Storage["Type"],
  { byLease = false, holder, projects = [everythingElse], replica }: Wanted
): Effect.Effect<Term, LeaderActive | StorageError, Scope.Scope> =>
  Effect.gen(function*() {
    const lease = leaseOf(sql)
    const isTaken = byLease ? hasLease : isActive
    const take: Effect.Effect<Taken, SqlError> = Effect.gen(function*() {
      const now = yield* epochMillis
      // It comes first, so that two processes that start at the same time come one after the other.
      yield* keepTurnsAway(sql)
      const leaders = yield* sql<Leader & { readonly project: string }>`SELECT ${leaderAsOf(sql, now)}, project
        FROM plane_sync_sender WHERE project IN ${sql.texts(projects)} ORDER BY project`
      const other = leaders.find((leader) => isTaken(leader, lease))
      if (other !== undefined) return { other }
      const apart = leaders.find((leader) => hasOtherIndex(leader, index))
      if (apart !== undefined) return { apart }
      // What else they have led had the same lease.
      yield* sql`DELETE FROM plane_sync_sender WHERE project NOT IN ${sql.texts(projects)}
        AND holder IN ${sql.texts(leaders.map((leader) => leader.holder))}`
      const missing = projects.filter((project) => !leaders.some((leader) => leader.project === project))
      yield* sql`INSERT INTO plane_sync_sender (project, holder, pid, host, since, seen_at)
        SELECT value ->> 0, ${holder}, ${process.pid}, ${hostname()}, 0, 0
        FROM ${sql.each(missing.map((project) => [project]))}`
      yield* sql`UPDATE plane_sync_sender SET holder = ${holder}, pid = ${process.pid}, host = ${hostname()},
        since = ${sql.clock(now)}, seen_at = ${sql.clock(now)}, index_file = ${index?.identity ?? null},
        replica = ${replica ?? null} WHERE project IN ${sql.texts(projects)}`
      yield* freeLanes(sql)
      const [last] = yield* sql<{ id: number | null }>`SELECT max(id) AS id FROM plane_sync_delivery`
      alive.add(holder)
      return { lastBefore: last?.id ?? 0 }
    })

    yield* Effect.addFinalizer(() =>
      write(
        Effect.tap(
          sql`DELETE FROM plane_sync_sender WHERE holder = ${holder} RETURNING 1`,
          // Also who could not become the leader comes here: that is no news.
          ([row]) => row === undefined ? Effect.void : elsewhere?.tellFreeWithin ?? Effect.void
        )
      ).pipe(
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

    const lost = yield* Deferred.make<string>()
    const lose = Effect.asVoid(Deferred.succeed(lost, "Another process has taken over"))
    // What it believes of the lanes that it holds may be wrong by then. After a kill it would not know either.
    yield* Effect.zipRight(
      answersAgain,
      Deferred.succeed(lost, "It is not known which of the last commits are on disk, so all is looked at anew")
    ).pipe(Effect.forkScoped)
    yield* Effect.flatMap(
      epochMillis,
      (now) => write(heartbeat(sql, holder, now))
    ).pipe(
      Effect.flatMap((still) => still ? Effect.void : lose),
      // The workers notice failing storage as well, and they log it.
      Effect.ignore,
      Effect.schedule(Schedule.spaced(lease.heartbeat)),
      Effect.forkScoped
    )
    return {
      holder,
      projects,
      lastBefore: taken.lastBefore,
      lost: Deferred.await(lost),
      lose
    }
  })
