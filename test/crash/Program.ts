import * as Path from "@effect/platform/Path"
import { Duration, Effect, Random, Schema } from "effect"
import type { Built } from "./Build.js"
import * as Child from "./Child.js"
import * as Plane from "./Plane.js"

/**
 * Times are shorter than the defaults, in proportion. Plane applies a request up to 1 s after it came, a client stops
 * waiting after 0.5 s, and repeats it 2.5 s after it was sent. The backoff is so short that comments would double
 * without the quiet time. Attempts are not limited, because failing at random does not make an event poison.
 */
export const settings = {
  ORCH_PLANE_TIMEOUT: "500 millis",
  ORCH_PLANE_QUIET: "2500 millis",
  ORCH_PLANE_MAX_BACKOFF: "100 millis",
  ORCH_PLANE_MAX_ATTEMPTS: "1000",
  ORCH_PLANE_RATE_LIMIT: "1000/second"
}
const insertDelayMillis = 100

/** How many of the last requests the simulator keeps. They are fetched after every kill. */
const kept = 5_000

/** A net: a start takes two seconds, and on a machine that does much else some ten. */
const startLimit = Duration.seconds(120)

/** Puts a limit on everything that a run waits for. */
export const inTime = (limit: Duration.Duration, what: string) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.timeoutFail(effect, {
    duration: limit,
    onTimeout: () => new Child.ChildError({ program: what, words: `not within ${Duration.format(limit)}` })
  })

const Announced = Schema.parseJson(Schema.Struct({ url: Schema.String, token: Schema.String }))

/**
 * Starts a simulated Plane, with its log in `directory`. `limit` is how many requests it takes in a minute: any number
 * without it.
 */
export const startPlane = Effect.fnUntraced(function*(
  built: Built,
  directory: string,
  seed: number,
  { limit, projects = [] }: { readonly limit?: number; readonly projects?: ReadonlyArray<string> } = {}
) {
  const path = yield* Path.Path
  const limits = ["--limit", String(limit ?? "off"), "--record", String(kept), "--kills"]
  if (projects.length > 0) limits.push("--projects", projects.join(","))
  const simulator = yield* Child.start({
    program: "the simulated Plane",
    script: built.simulator,
    args: [...limits, "--insert-delay-millis", String(insertDelayMillis), "--seed", String(seed)],
    env: {},
    cwd: directory,
    log: path.join(directory, "plane.log"),
    wanted: (line) => line.startsWith("{")
  })
  const { token, url } = yield* Effect.flatMap(
    inTime(startLimit, "the simulated Plane: listening")(simulator.line),
    Schema.decode(Announced)
  )
  return { token, url, control: yield* Plane.make(url) }
})

/** Makes the program's start on a database, with its log in `directory`. */
export const program = Effect.fnUntraced(function*(options: {
  readonly built: Built
  readonly directory: string
  readonly plane: { readonly url: string; readonly token: string }
  readonly port: number
  readonly database: string
  /** Settings that differ from those above. */
  readonly but?: Readonly<Record<string, string>>
}) {
  const { built, but, database, directory, plane, port } = options
  const path = yield* Path.Path
  const start = Child.start({
    program: "plane-sync",
    script: built.program,
    args: ["serve"],
    env: {
      ORCH_PLANE_API_URL: plane.url,
      ORCH_PLANE_API_TOKEN: plane.token,
      ORCH_DATABASE_URL: database,
      ORCH_PORT: String(port),
      ...settings,
      ...but
    },
    cwd: directory,
    log: path.join(directory, "plane-sync.log"),
    wanted: (line) => line.includes("plane-sync listens on")
  })
  return {
    url: `http://127.0.0.1:${port}`,
    start,
    listening: (child: Child.Child) => inTime(startLimit, "plane-sync: listening")(child.line)
  }
})

/** The file of the program that has its files in `directory`. */
export const sqliteFile = (directory: string) =>
  Effect.map(Path.Path, (path) => path.join(directory, "plane-sync.sqlite"))

/** Waits for the process to be killed. Fails if it ends in any other way. */
export const killed = (child: Child.Child): Effect.Effect<void, Child.ChildError> =>
  Effect.flatMap(
    child.end,
    ({ killed, words }) => killed ? Effect.void : Effect.fail(new Child.ChildError({ program: "plane-sync", words }))
  )

/** A random length of time in milliseconds, by the run's seed. */
export const within = (least: number, most: number) => Random.nextRange(least, most)
