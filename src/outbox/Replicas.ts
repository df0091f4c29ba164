import { Array, Duration, Effect, Option, Schedule, Schema } from "effect"
import type { Scope } from "effect"
import { hostname } from "node:os"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis, Moment, toTheSecond } from "../base/Time.js"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { leaseOf, named } from "./Leader.js"
import { everythingElse } from "./Turns.js"

/** A process that uses a Postgres together with others. Moments are those of the database's clock. */
export interface Replica {
  readonly host: string
  readonly pid: number
  readonly since: EpochMillis
  readonly seenAt: EpochMillis
  /** Whether it was seen within the time of a lease. */
  readonly alive: boolean
  /** The projects that it sends for, by their identifiers. */
  readonly leads: ReadonlyArray<string>
  /** Whether it does what is of no project: works on webhooks, prunes. */
  readonly isMain: boolean
}

interface Row extends Omit<Replica, "alive" | "leads" | "isMain"> {
  readonly readAt: EpochMillis
  /** The projects whose rows it has, as JSON. */
  readonly leads: string
}

/** For how long a replica that ended without a word is shown. */
const shownFor = Duration.minutes(10)

/**
 * Reads the rows of replicas, one for each project that they lead, for those who have no `Storage`. A file has none, and
 * does not know the clock.
 */
export const replicaStatement = `SELECT r.id, r.host, r.pid, r.since, r.seen_at AS "seenAt", s.project,
    CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint) AS "readAt"
  FROM plane_sync_replica r LEFT JOIN plane_sync_sender s ON s.replica = r.id ORDER BY r.since, r.id, s.project`

const isAlive = ({ readAt, seenAt }: Pick<Row, "readAt" | "seenAt">) =>
  readAt - seenAt < Duration.toMillis(leaseOf({ isShared: true }).length)

const Projects = Schema.parseJson(Schema.Array(Schema.String))

const Seen = Schema.NonEmptyArray(Schema.Struct({
  id: Schema.String,
  host: Schema.String,
  pid: Schema.Int,
  since: Moment,
  seenAt: Moment,
  readAt: Moment,
  project: Schema.NullOr(Schema.String)
}))

const said = (rows: typeof Seen.Type) => {
  const [replica] = rows
  const projects = rows.flatMap(({ project }) => project === null ? [] : [project])
  const leads = [
    ...projects.filter((project) => project !== everythingElse),
    ...(projects.includes(everythingElse) ? ["what is of no project"] : [])
  ].join(", ")
  if (isAlive(replica)) return `${named(replica)} since ${toTheSecond(replica.since)}, leads ${leads || "nothing"}`
  const gone = `${named(replica)} was last seen ${toTheSecond(replica.seenAt)}`
  return leads === "" ? gone : `${gone}, and nobody else leads ${leads} yet`
}

/** The replicas of these rows in words, for those who have no `Storage`; none where there is only one. */
export const seenReplicas = (rows: unknown): Option.Option<string> =>
  Schema.decodeUnknownOption(Seen)(rows).pipe(
    Option.map(Array.groupWith((one, other) => one.id === other.id)),
    Option.filter(({ length }) => length > 1),
    Option.map((replicas) => `replicas: ${replicas.map(said).join("; ")}`)
  )

/** The replicas that are there, and those that ended lately without a word. None over a file. */
export const readReplicas = (
  { read, sql }: Pick<Storage["Type"], "read" | "sql">
): Effect.Effect<ReadonlyArray<Replica>, StorageError> =>
  Effect.gen(function*() {
    const now = yield* epochMillis
    const rows = yield* read(sql<Row>`SELECT host, pid, since, seen_at AS "seenAt", ${sql.clock(now)} AS "readAt",
        (SELECT ${sql.jsonList(sql`led.project`)} FROM (SELECT project FROM plane_sync_sender
          WHERE replica = plane_sync_replica.id ORDER BY project) led) AS leads
      FROM plane_sync_replica ORDER BY since, id`)
    return rows.map(({ leads, readAt, ...row }) => {
      const projects = Schema.decodeSync(Projects)(leads)
      return {
        ...row,
        alive: isAlive({ readAt, seenAt: row.seenAt }),
        leads: projects.filter((project) => project !== everythingElse),
        isMain: projects.includes(everythingElse)
      }
    })
  })

/**
 * Shows this process among the replicas of a Postgres until the scope closes. Nothing depends on it: who leads is
 * decided by the leader's row alone.
 */
export const showReplica = (
  { sql, write }: Pick<Storage["Type"], "sql" | "write">,
  id: string
): Effect.Effect<void, never, Scope.Scope> => {
  if (!sql.isShared) return Effect.void
  const show = Effect.flatMap(epochMillis, (now) =>
    write(Effect.gen(function*() {
      yield* sql`INSERT INTO plane_sync_replica (id, host, pid, since, seen_at)
        VALUES (${id}, ${hostname()}, ${process.pid}, ${sql.clock(now)}, ${sql.clock(now)})
        ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at`
      yield* sql`DELETE FROM plane_sync_replica WHERE seen_at < ${sql.clock(now)} - ${
        sql.literal(String(Duration.toMillis(shownFor)))
      }`
    })))
  const hide = write(sql`DELETE FROM plane_sync_replica WHERE id = ${id}`)
  return Effect.zipRight(
    Effect.addFinalizer(() => Effect.ignore(hide)),
    // Whether the database answers is told by everybody else.
    show.pipe(Effect.ignore, Effect.repeat(Schedule.spaced(leaseOf(sql).heartbeat)), Effect.forkScoped, Effect.asVoid)
  )
}
