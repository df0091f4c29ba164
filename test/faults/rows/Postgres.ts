import { Effect, Fiber, Schedule, Scope } from "effect"
import { execFileSync } from "node:child_process"
import { appendFileSync } from "node:fs"
import { join } from "node:path"
import { onDatabase } from "../../support/PostgresCluster.js"
import type { OnPostgres } from "../OnPostgres.js"
import type { Row } from "../Row.js"
import type { Scene, Script } from "../Scene.js"

/** Whether `/health` tells of the database. */
const isSaid = ({ health }: Scene) =>
  Effect.map(
    health,
    ({ reasons, status }) => status === "degraded" && reasons.some((reason) => reason.includes("Storage Postgres"))
  )

const until = (what: string, holds: Effect.Effect<boolean>) =>
  Effect.repeat(holds, { until: (held) => held, schedule: Schedule.spaced("50 millis") }).pipe(
    Effect.timeoutFail({ duration: "15 seconds", onTimeout: () => what }),
    Effect.orDie
  )

/**
 * Publishes before, during and after Postgres is away, by publishers that repeat what was not stored. `/health` must
 * say so meanwhile, and be fine afterwards, without anybody's doing.
 */
const away = (
  begin: (postgres: OnPostgres) => Effect.Effect<unknown>,
  end: (postgres: OnPostgres, scene: Scene) => Effect.Effect<unknown>
): Script =>
(scene) =>
  Effect.gen(function*() {
    const { clock, gate, health, over, postgres: postgresOf, round, tasks, told } = scene
    const postgres = yield* postgresOf
    yield* round(1)
    yield* told()
    yield* begin(postgres)
    const meanwhile = yield* Effect.fork(round(2))
    yield* until("/health does not say that Postgres is away", isSaid(scene))
    yield* end(postgres, scene)
    yield* over
    yield* Fiber.join(meanwhile)
    yield* Effect.forEach(tasks, (task) => gate(task))
    yield* told()
    yield* until("/health says that Postgres is away", Effect.negate(isSaid(scene)))
    // Until then it tells of what could not be stored, which the publishers have repeated.
    yield* clock.shift(6 * 60_000)
    yield* until("/health is degraded", Effect.map(health, ({ status }) => status === "ok"))
  })

const notStored: Row["met"] = ({ notStored }) => notStored

/** Has another server go on with the files of this one, at another address. */
const failOver = ({ another, cluster, proxy }: OnPostgres) =>
  Effect.gen(function*() {
    const next = yield* another
    yield* next.stop("fast")
    execFileSync("sh", [
      "-c",
      `rm -rf "$1" && cp -a "$0" "$1"`,
      join(cluster.folder, "data"),
      join(next.folder, "data")
    ])
    appendFileSync(
      join(next.folder, "data", "postgresql.conf"),
      `port = ${next.port}\nunix_socket_directories = '${next.folder}'\n`
    )
    yield* Effect.orDie(next.start)
    yield* proxy.to(next.port)
  })

/** The database goes away. */
export const postgres: ReadonlyArray<Row> = [
  {
    name: "postgres-restart",
    shows: "Postgres crashes, and is started again: publishers repeat, and all goes on by itself",
    ci: true,
    postgres: true,
    script: away(({ cluster }) => cluster.stop("immediate"), ({ cluster }) => Effect.orDie(cluster.start)),
    met: notStored
  },
  {
    name: "postgres-cut",
    shows: "all connections to Postgres are cut, 20 times while events are published and sent",
    postgres: true,
    script: ({ check, gate, note, over, postgres, round, tasks, told }) =>
      Effect.gen(function*() {
        const { cluster } = yield* postgres
        yield* round(1)
        const working = yield* Effect.fork(Effect.forEach(
          tasks,
          (task) => Effect.repeat(Effect.delay(gate(task), "20 millis"), { times: 60 }),
          { concurrency: "unbounded" }
        ))
        let cut = 0
        for (let times = 0; times < 20; times++) {
          cut += yield* cluster.cutConnections
          yield* Effect.sleep("150 millis")
        }
        yield* check(cut >= 20, `only ${cut} connections were cut`)
        yield* note(`${cut} connections were cut`)
        yield* over
        yield* Fiber.join(working)
        yield* round(2)
        yield* told()
      }),
    met: ({ accepted }) => accepted
  },
  {
    name: "postgres-hang",
    shows: "the network to Postgres is silent for 9 s, and ends nothing",
    postgres: true,
    deadlineSeconds: 60,
    script: away(({ proxy }) => proxy.hang, ({ proxy }) => Effect.delay(proxy.pass, "3 seconds")),
    met: notStored
  },
  {
    name: "postgres-pool",
    shows: "somebody keeps the events locked for 8 s, so that all connections of the pool wait",
    postgres: true,
    deadlineSeconds: 60,
    script: (scene) =>
      Effect.gen(function*() {
        const { url } = yield* scene.postgres
        const locked = (sql: Parameters<Parameters<typeof onDatabase>[1]>[0]) =>
          sql.withTransaction(Effect.zipRight(sql`LOCK TABLE plane_sync_event`, sql`SELECT pg_sleep(8)`))
        const holder = yield* Effect.makeSemaphore(1)
        const hold = Effect.asVoid(Effect.forkDaemon(holder.withPermits(1)(onDatabase(url, locked))))
        const asking = yield* Effect.fork(Effect.forever(
          Effect.all(Array.from({ length: 10 }, () => scene.health), { concurrency: "unbounded", discard: true })
        ))
        yield* away(
          () => Effect.zipRight(hold, Effect.sleep("100 millis")),
          () => holder.withPermits(1)(Effect.void)
        )(scene)
        yield* Fiber.interrupt(asking)
      }),
    met: notStored
  },
  {
    name: "postgres-failover",
    shows: "Postgres ends, and another server goes on with its files at another address",
    postgres: true,
    deadlineSeconds: 60,
    script: (scene) =>
      Effect.flatMap(Effect.scope, (scope) =>
        away(
          ({ cluster }) => cluster.stop("fast"),
          (postgres) => Scope.extend(failOver(postgres), scope)
        )(scene)),
    met: notStored
  }
]
