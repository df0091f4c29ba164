import * as Reactivity from "@effect/experimental/Reactivity"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as PgClient from "@effect/sql-pg/PgClient"
import { Duration, Effect, Option, Redacted, Schedule } from "effect"
import type { Scope } from "effect"
import { tokens } from "../../src/simulator/Keyring.js"
import { enduroTrails, projectsLike } from "../../src/simulator/Options.js"
import { freePort } from "../support/FreePort.js"
import { makeCluster } from "../support/PostgresCluster.js"
import type { TcpProxy } from "../support/TcpProxy.js"
import { makeTcpProxy } from "../support/TcpProxy.js"
import type { Built } from "./Build.js"
import type * as Child from "./Child.js"
import { asked, watchLeaders } from "./Leaders.js"
import * as Load from "./Load.js"
import type { Recorded } from "./Plane.js"
import { inTime, program, startPlane } from "./Program.js"
import type { Owed } from "./Scene.js"
import { became } from "./Scene.js"
import type { Planned } from "./Stale.js"
import { allTold, faults, findingsOf, initialState, makeTargets, untilTold } from "./Trail.js"

/** Plane's limit for each API token. The replicas know nothing of each other's requests. */
export const limit = 600

/** The first project, and others like it. Each has an API token of its own, so it is a destination. */
const further = projectsLike(enduroTrails, ["OPS", "WEB"])
export const projects = [enduroTrails, ...further]

/** One of the destinations tells changes of stages by one comment that is edited. */
const livingOne = "WEB"

/** The variables that hold the tokens, by the settings of the projects. */
const projectSettings = {
  projects: {
    ET: {},
    OPS: { apiToken: "CRASH_OPS_TOKEN" },
    [livingOne]: { apiToken: "CRASH_WEB_TOKEN", comments: "living" }
  }
}
const projectTokens = { CRASH_OPS_TOKEN: tokens.owner, CRASH_WEB_TOKEN: tokens.service }

export const items = 16
const hot = 3

const configFile = "plane-sync.json"

/** Longer than a lease, and than what a replica waits for a database that is away. */
const leaderLimit = Duration.seconds(45)

/** After this time, in milliseconds, no request's record changes any more. */
const recordedAfter = 5_000

/** One of the processes, and its own way to Postgres. */
export interface Replica {
  readonly name: string
  readonly url: string
  readonly proxy: TcpProxy
  readonly start: Effect.Effect<Child.Child, never, Scope.Scope>
  readonly listening: (child: Child.Child) => Effect.Effect<unknown, Child.ChildError>
  /** Undefined while it does not run. */
  child: Child.Child | undefined
  /** Whether publishers may try it. */
  isListed: boolean
}

/** What the kill of the leader met. */
export interface Met {
  readonly unclaimed: number
  readonly claimed: number
  readonly sent: number
  readonly answered: number
}

const makeReplica = Effect.fnUntraced(function*(options: {
  readonly built: Built
  readonly directory: string
  readonly plane: { readonly url: string; readonly token: string }
  readonly cluster: { readonly port: number; readonly url: (database: string) => string }
  readonly name: string
}) {
  const { built, cluster, name, plane } = options
  const path = yield* Path.Path
  const directory = path.join(options.directory, name)
  yield* Effect.flatMap(FileSystem.FileSystem, (files) => files.makeDirectory(directory))
  const proxy = yield* makeTcpProxy(cluster.port)
  const { listening, start, url } = yield* program({
    built,
    directory,
    plane,
    port: yield* freePort,
    database: proxy.via(cluster.url("postgres")),
    but: {
      ORCH_PLANE_RATE_LIMIT: `${limit}/minute`,
      ORCH_CONFIG: path.join(options.directory, configFile),
      ...projectTokens
    }
  })
  const replica: Replica = { name, url, proxy, start, listening, child: undefined, isListed: false }
  return replica
})

/** One simulated Plane, one Postgres, and several replicas of the program on it under load. */
export const make = Effect.fnUntraced(function*(options: {
  readonly built: Built
  readonly directory: string
  readonly seed: number
  readonly count: number
  /** The folder of Postgres's programs. */
  readonly programs: string
}) {
  const { built, count, directory, programs, seed } = options
  const cluster = yield* makeCluster(programs)
  const plane = yield* startPlane(built, directory, seed, {
    limit,
    projects: further.map(({ identifier }) => identifier)
  })
  const targets = yield* makeTargets(
    plane.control,
    items,
    hot,
    projects.map(({ id, identifier }) => ({ id, identifier, living: identifier === livingOne }))
  )
  const config = (yield* Path.Path).join(directory, configFile)
  yield* Effect.flatMap(
    FileSystem.FileSystem,
    (files) => files.writeFileString(config, JSON.stringify(projectSettings))
  )
  yield* plane.control.misbehave(faults(seed))
  const sql = yield* PgClient.make({ url: Redacted.make(cluster.url("postgres")), maxConnections: 3 }).pipe(
    Effect.provide(Reactivity.layer)
  )
  const leaders = yield* watchLeaders(sql)
  const replicas = yield* Effect.forEach(
    Array.from({ length: count }),
    (_, index) => makeReplica({ built, directory, plane, cluster, name: `replica-${index + 1}` })
  )

  let turn = 0
  // What is to happen when a replica has answered 202.
  const hooks: { accepted: ((replica: Replica) => void) | undefined } = { accepted: undefined }
  const listed = () => replicas.filter(({ isListed }) => isListed)
  const load = yield* Load.start({
    url: () => {
      const some = listed().length > 0 ? listed() : replicas
      return some[++turn % some.length]?.url ?? ""
    },
    seed,
    targets,
    initialState,
    accepted: (url) => {
      const by = replicas.find((replica) => replica.url === url)
      if (by !== undefined) hooks.accepted?.(by)
    }
  })

  /** Tells the publishers whether to try a replica. */
  const list = (replica: Replica, isListed: boolean) =>
    Effect.suspend(() => {
      replica.isListed = isListed
      return load.listening(listed().length > 0)
    })

  const exits: Array<string> = []
  /** Starts a replica. Whatever ends it but a SIGKILL is noted. */
  const launch = Effect.fnUntraced(function*(replica: Replica) {
    const child = yield* replica.start
    replica.child = child
    yield* Effect.flatMap(child.end, ({ killed, words }) => {
      if (!killed) exits.push(`${replica.name} ${words}`)
      if (replica.child !== child) return Effect.void
      replica.child = undefined
      return list(replica, false)
    }).pipe(Effect.forkScoped)
    return child
  })

  /** Starts it if it does not run, and waits until it listens. */
  const up = (replica: Replica) =>
    Effect.gen(function*() {
      if (replica.isListed) return
      yield* replica.listening(replica.child ?? (yield* launch(replica)))
      yield* list(replica, true)
    }).pipe(Effect.retry(Schedule.intersect(Schedule.recurs(3), Schedule.spaced("1 second"))))

  const leader = Effect.map(leaders.pid, (pid) => replicas.find(({ child }) => pid !== undefined && child?.pid === pid))

  /** Waits until one leads, of those that `which` takes. */
  const leads = (which: (replica: Replica) => boolean = () => true) =>
    inTime(leaderLimit, "a leader")(Effect.gen(function*() {
      for (;;) {
        const found = yield* leader
        if (found !== undefined && which(found)) return found
        yield* Effect.sleep("50 millis")
      }
    }))

  const requests = new Map<number, Recorded>()
  let final = 0
  /** Gets the records that may be new, or may have changed. */
  const record = Effect.fnUntraced(function*(now: number) {
    const found = yield* plane.control.requests(final)
    const first = found[0]
    if (first !== undefined && first.sequence !== final + 1) {
      return yield* Effect.dieMessage(`the simulator has forgotten requests: ${final + 1} to ${first.sequence - 1}`)
    }
    for (const request of found) {
      requests.set(request.sequence, request)
      if (request.at < now - recordedAfter && request.sequence === final + 1) final = request.sequence
    }
    return found
  })

  /** What the kill of the leader with this process has met. To be asked before another leads. */
  const look = (pid: number, at: number) =>
    Effect.gen(function*() {
      const recorded = yield* record(at)
      const mine = sql`(SELECT holder FROM plane_sync_sender WHERE pid = ${pid})`
      const owed = yield* asked(sql<Owed>`SELECT d.kind, l.work_item AS "workItem", d.sent_at::float8 AS "sentAt"
        FROM plane_sync_delivery d JOIN plane_sync_lane l ON l.id = d.lane
        WHERE d.status = 'pending' AND l.holder IN ${mine}`)
      const events = yield* asked(sql<{ count: number }>`SELECT count(*)::int AS count
        FROM plane_sync_event e JOIN plane_sync_lane l ON l.id = e.lane
        WHERE e.status = 'pending' AND l.holder IS NULL AND NOT EXISTS (
          SELECT 1 FROM plane_sync_delivery d WHERE d.lane = l.id AND d.status = 'pending')`)
      const { answered, claimed, sent } = became(Option.getOrElse(owed, () => []), recorded, at)
      const met: Met = { answered, claimed, sent, unclaimed: Option.getOrElse(events, () => [])[0]?.count ?? 0 }
      return met
    })

  const findingsNow = Effect.suspend(() => findingsOf(plane.control, targets, load.expected()))

  /** Goes on until nothing is owed. Returns what Plane shows then, what it was asked, and what the database owed. */
  const drain = (patience: Duration.Duration) =>
    Effect.gen(function*() {
      yield* inTime(Duration.seconds(60), "the publishers: the last 202")(load.stop)
      // A comment that is edited has to show the last failure at once, and not only after 30 s.
      yield* Effect.zipRight(allTold(findingsNow, patience), load.failAll)
      const { findings, isTold } = yield* untilTold(findingsNow, patience)
      yield* record(Infinity)
      const planned = yield* sql<Planned>`SELECT d.id::float8 AS id, l.work_item AS "workItem", d.kind,
        d.external_id AS "externalId", d.body, d.plane_id AS "commentId", d.planned_at::float8 AS "plannedAt"
        FROM plane_sync_delivery d JOIN plane_sync_lane l ON l.id = d.lane WHERE l.work_item IS NOT NULL ORDER BY d.id`
      return { findings, isTold, requests: Array.from(requests.values()), planned }
    })

  return {
    cluster,
    replicas,
    hooks,
    orderKill: plane.control.orderKill,
    endKill: plane.control.endKill,
    launch,
    up,
    list,
    leader,
    leads,
    look,
    drain,
    record,
    exits,
    leaders: leaders.sum,
    counts: load.counts,
    failed: load.failed
  }
})

export type Replicas = Effect.Effect.Success<ReturnType<typeof make>>
