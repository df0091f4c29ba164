import { Data, Effect, Schedule, Schema } from "effect"
import type { Scope } from "effect"
import { caller } from "../Caller.js"
import { freePort } from "../Port.js"
import type { ServiceProcess } from "../ServiceProcess.js"
import { startService } from "../ServiceProcess.js"
import { begun } from "./Destinations.js"

/** Names the process in its requests to Plane, so that the stand-in can tell replicas apart. */
const nameItself = `data:text/javascript,${
  encodeURIComponent(
    `import { subscribe } from "node:diagnostics_channel"
    subscribe("undici:request:create", ({ request }) => request.addHeader("x-process", String(process.pid)))`
  )
}`

const Health = Schema.parseJson(Schema.Struct({
  outbox: Schema.Struct({ pending: Schema.Number, dead: Schema.Number }),
  replicas: Schema.Array(
    Schema.Struct({ pid: Schema.Number, alive: Schema.Boolean, leads: Schema.Array(Schema.String) })
  )
}))
export type Health = typeof Health.Type

class NotAccepted extends Data.TaggedError("NotAccepted")<{ readonly status: number; readonly text: string }> {
  override get message(): string {
    return `An event was not accepted (${this.status} ${this.text}): the times of publishing mean nothing`
  }
}

/** A process of the program, by what its users have. */
export interface Replica extends ServiceProcess {
  readonly health: Effect.Effect<Health, unknown>
  /** Publishes that a task is begun. It is committed then. */
  readonly publish: (project: number, number: number) => Effect.Effect<void, NotAccepted>
}

/** Starts a process on this database, and waits until it answers. It is killed when the scope closes. */
export const startReplica = (options: {
  readonly database: string
  readonly plane: string
  /** The settings of `destinations`. */
  readonly settings: Readonly<Record<string, string>>
}): Effect.Effect<Replica, unknown, Scope.Scope> =>
  Effect.gen(function*() {
    const port = yield* freePort
    const call = yield* caller(port)
    const health = Effect.flatMap(call({ method: "GET", path: "/health" }), ({ text }) => Schema.decode(Health)(text))
    const process = yield* startService({
      script: "src/main.js",
      args: ["serve"],
      imports: [nameItself],
      env: {
        ORCH_PORT: String(port),
        ORCH_DATABASE_URL: options.database,
        ORCH_PLANE_API_URL: options.plane,
        // Plane takes any number, so that the limit does not bound what is measured.
        ORCH_PLANE_RATE_LIMIT: "1000000/second",
        // While Plane is held, its requests must not fail.
        ORCH_PLANE_TIMEOUT: "2 minutes",
        ...options.settings
      },
      port,
      ready: health
    })
    return {
      ...process,
      health,
      publish: (project, number) =>
        call({
          method: "POST",
          path: "/api/events",
          headers: { "content-type": "application/json" },
          body: begun(project, number)
        }).pipe(
          Effect.filterOrFail(({ status }) => status === 202, (called) => new NotAccepted(called)),
          Effect.asVoid
        )
    }
  })

class NotSettled extends Data.TaggedError("NotSettled")<{ readonly wanted: number; readonly seen: string }> {
  override get message(): string {
    return `Within a minute it was not settled which of ${this.wanted} replicas leads what: ${this.seen}`
  }
}

const led = ({ replicas }: Health) =>
  replicas.filter(({ alive }) => alive).map(({ leads, pid }) => `${pid}: ${[...leads].sort().join(" ")}`).sort()

const fits = ({ replicas }: Health, count: number, projects: number) => {
  const alive = replicas.filter(({ alive }) => alive)
  const names = alive.flatMap(({ leads }) => leads)
  return alive.length === count && names.length === projects && new Set(names).size === projects
}

/**
 * Waits until all replicas are there, each project is led by one of them, and that did not change for three seconds.
 * Over a file there are none, and nothing is waited for.
 */
export const settled = (replica: Replica, count: number, projects: number): Effect.Effect<void, unknown> => {
  let seen = ""
  let since = 0
  return Effect.gen(function*() {
    const health = yield* replica.health
    if (count === 0) return
    const now = led(health).join("; ")
    since = now === seen && fits(health, count, projects) ? since + 1 : 0
    seen = now
    if (since < 6) return yield* new NotSettled({ wanted: count, seen })
  }).pipe(Effect.retry(Schedule.intersect(Schedule.spaced("500 millis"), Schedule.recurs(120))))
}

/** The process that leads a project, by what a replica tells. Those that ended without a word do not count. */
export const leaderOf = (replica: Replica, project: number): Effect.Effect<number | undefined, unknown> =>
  Effect.map(
    replica.health,
    ({ replicas }) => replicas.find(({ alive, leads }) => alive && leads.includes(`D${project}`))?.pid
  )
