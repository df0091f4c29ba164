import { Duration, Effect, Schedule } from "effect"
import type { Scope } from "effect"
import { onDatabase } from "../../test/support/PostgresCluster.js"
import type { Figure } from "../Figure.js"
import { first } from "./Destinations.js"
import { settled, startReplica } from "./Replica.js"
import type { Scene } from "./Scene.js"
import { Quick } from "./Scene.js"
import { startStandIn } from "./StandIn.js"
import { cpuSeconds, residentSet } from "./Usage.js"

const projects = 30
/** What processes take that do nothing: percent of a core, and MB. */
const takenBy = (pids: ReadonlyArray<number>, duration: Duration.Duration) =>
  Effect.gen(function*() {
    const before = yield* Effect.forEach(pids, cpuSeconds)
    yield* Effect.sleep(duration)
    return yield* Effect.forEach(pids, (pid, index) =>
      Effect.all({
        cpu: Effect.map(
          cpuSeconds(pid),
          (seconds) => (seconds - (before[index] ?? NaN)) / Duration.toSeconds(duration) * 100
        ),
        memory: residentSet(pid)
      }))
  })

/** The connections to a database that plane-sync has, as Postgres tells. */
const connections = (url: string) =>
  Effect.map(
    onDatabase(url, (sql) =>
      sql<{ connections: number }>`SELECT count(*)::int AS connections FROM pg_stat_activity
        WHERE application_name = 'plane-sync' AND datname = current_database()`),
    ([row]) => row?.connections ?? NaN
  )

/** What two replicas take that have nothing to do, each, beside a process on a file that has nothing to do. */
export const idle = (scene: Scene): Effect.Effect<ReadonlyArray<Figure>, unknown, Scope.Scope> =>
  Effect.gen(function*() {
    const duration = Duration.seconds((yield* Quick) ? 3 : 20)
    const plane = yield* startStandIn
    const database = yield* scene.postgres
    const settings = yield* scene.settings(first(projects))
    const start = (database: string) => startReplica({ database, plane: plane.url, settings })
    const replicas = [yield* start(database), yield* start(database)] as const
    const file = yield* start(yield* scene.sqlite)
    yield* settled(replicas[0], replicas.length, projects)
    // All have looked at Plane by then, and what that took is over.
    yield* Effect.sleep(Duration.times(duration, 0.25))
    let most = 0
    const watching = Effect.repeat(
      Effect.map(connections(database), (count) => {
        most = Math.max(most, count)
      }),
      Schedule.spaced("1 second")
    )
    const pids = [file, ...replicas].map(({ pid }) => pid)
    const [alone, ...taken] = yield* Effect.raceFirst(
      takenBy(pids, duration),
      Effect.zipRight(watching, Effect.never)
    )
    const cpus = taken.map(({ cpu }) => cpu)
    const texts = cpus.map((cpu) => cpu.toFixed(2)).join(" and ")
    return [{
      row: "replicas: connections of an idle one",
      value: most / replicas.length,
      unit: "connections to Postgres, at most",
      means: `what each takes of Postgres's max_connections, with ${projects} destinations`
    }, {
      row: "replicas: CPU of an idle one",
      value: Math.max(...cpus),
      unit: `% of a core over ${Duration.toSeconds(duration)} s`,
      beside: { what: `by a process on a file, ${texts} by two replicas`, value: alone?.cpu ?? NaN },
      means: "what it costs to be there"
    }, {
      row: "replicas: memory of an idle one",
      value: Math.max(...taken.map(({ memory }) => memory)),
      unit: "MB resident",
      beside: { what: "MB of a process on a file", value: alone?.memory ?? NaN },
      means: "what a further replica needs of a machine"
    }]
  })
