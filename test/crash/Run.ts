import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Clock, Console, Duration, Effect, Random, Schema } from "effect"
import { createServer } from "node:net"
import { judge, together, toldBy } from "../../demo/Judge.js"
import { Fault } from "../../src/simulator/PlaneSimulator.js"
import { build } from "./Build.js"
import * as Child from "./Child.js"
import type { Target } from "./Load.js"
import * as Load from "./Load.js"
import * as Plane from "./Plane.js"
import { closing, problemsOf, strainOf } from "./Report.js"

/** The run ended and is not as it must be: all has been said. */
export class Failed extends Schema.TaggedError<Failed>()("Failed", {}) {}

/**
 * Times are shorter than in earnest, in proportion: Plane applies a request up to 1 s after it came, a client gives up
 * after 0.5 s, and asks again 2.5 s after it sent. The backoff is so short that without the quiet time comments double.
 * Attempts are not bounded: what fails at random is no poison.
 */
const settings = {
  ORCH_PLANE_TIMEOUT: "500 millis",
  ORCH_PLANE_QUIET: "2500 millis",
  ORCH_PLANE_MAX_BACKOFF: "100 millis",
  ORCH_PLANE_MAX_ATTEMPTS: "1000",
  ORCH_PLANE_RATE_LIMIT: "1000/second"
}
const timeoutMillis = 500
const insertDelayMillis = 100

const faults = (seed: number) =>
  Fault.Random({
    probability: 0.15,
    seed,
    faults: [
      Fault.Status({ status: 500, when: "before" }),
      Fault.Status({ status: 502, when: "before", html: true }),
      Fault.Status({ status: 503, when: "after" }),
      Fault.Status({ status: 502, when: "after", html: true }),
      Fault.Reset({ when: "before" }),
      Fault.Reset({ when: "after" }),
      Fault.Reset({ when: "midBody" }),
      Fault.Truncated({}),
      Fault.ApplyLate({ afterMillis: 1_000 })
    ]
  })

// Some are written about all the time, most now and then; every fifth is named with leading zeros.
const hot = 4
const items = 24
const hotPause = Duration.millis(700)
const coldPause = Duration.seconds(2)

// All that a run waits for has an end.
const startLimit = Duration.seconds(30)
const drainLimit = Duration.minutes(3)

const freePort = Effect.async<number>((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})

const Announced = Schema.parseJson(Schema.Struct({ url: Schema.String, token: Schema.String }))

const inTime = (limit: Duration.Duration, what: string) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.timeoutFail(effect, {
    duration: limit,
    onTimeout: () => new Child.ChildError({ program: what, words: `not within ${Duration.format(limit)}` })
  })

/** The whole run: build, load, kills, drain, and what Plane shows in the end. Its files go to `directory`. */
export const run = (options: { readonly kills: number; readonly seed: number; readonly directory: string }) =>
  Effect.gen(function*() {
    const { directory, seed } = options
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const begin = yield* Clock.currentTimeMillis
    const say = (text: string) =>
      Effect.flatMap(
        Clock.currentTimeMillis,
        (now) => Console.log(`${((now - begin) / 1000).toFixed(1).padStart(6)} s  ${text}`)
      )

    yield* say(`seed ${seed}, files in ${directory}`)
    const compiled = yield* build
    const home = path.join(directory, "home")
    yield* files.makeDirectory(home)

    const simulator = yield* Child.start({
      program: "the simulated Plane",
      script: path.join(compiled, "simulator", "main.js"),
      args: ["--limit", "off", "--insert-delay-millis", String(insertDelayMillis), "--seed", String(seed)],
      env: {},
      cwd: home,
      log: path.join(directory, "plane.log"),
      wanted: (line) => line.startsWith("{")
    })
    const { token, url: planeUrl } = yield* Effect.flatMap(
      inTime(startLimit, "the simulated Plane: listening")(simulator.line),
      Schema.decode(Announced)
    )
    const plane = yield* Plane.make(planeUrl)
    const targets = yield* Effect.forEach(
      Array.from({ length: items }),
      (_, index) =>
        Effect.map(plane.addWorkItem(`Trail ${index + 1}`), ({ id, number }): Target => ({
          id,
          key: index % 5 === 4 ? `ET-${String(number).padStart(4, "0")}` : `ET-${number}`,
          pause: index < hot ? hotPause : coldPause
        }))
    )
    yield* plane.misbehave(faults(seed))

    const port = yield* freePort
    const program = Child.start({
      program: "plane-sync",
      script: path.join(compiled, "main.js"),
      args: ["serve"],
      env: {
        ORCH_PLANE_API_URL: planeUrl,
        ORCH_PLANE_API_TOKEN: token,
        ORCH_DATABASE_URL: path.join(directory, "plane-sync.sqlite"),
        ORCH_PORT: String(port),
        ...settings
      },
      cwd: home,
      log: path.join(directory, "plane-sync.log"),
      wanted: (line) => line.includes("plane-sync listens on")
    })
    const listening = (child: Child.Child) => inTime(startLimit, "plane-sync: listening")(child.line)

    const load = yield* Load.start({ url: `http://127.0.0.1:${port}`, seed, targets, initialState: "Backlog" })
    yield* say(`${items} work items, ${hot} of them hot; Plane fails or is late at 15 of 100 requests, at random`)
    yield* say(
      Object.entries(settings).map(([name, value]) => `${name.replace("ORCH_PLANE_", "")}=${value}`).join(", ")
    )

    /** One life of the program. Every fourth ends before it listens, or hardly after. */
    const life = (index: number) =>
      Effect.scoped(Effect.gen(function*() {
        const child = yield* program
        const starting = index % 4 === 3
        if (!starting) yield* listening(child)
        const after = Math.round(yield* Random.nextRange(starting ? 100 : 200, starting ? 1_500 : 3_000))
        yield* Effect.sleep(after)
        const at = yield* Clock.currentTimeMillis
        if (!(yield* child.kill)) return yield* Effect.zipRight(child.line, Effect.fail(ended))
        yield* say(
          `kill ${String(index + 1).padStart(3)} of ${options.kills}, ${String(after).padStart(4)} ms after ` +
            `${starting ? "it was started" : "it listened   "}; accepted so far ${load.counts().accepted}`
        )
        return at
      }))

    const kills = yield* Effect.raceFirst(
      Effect.forEach(Array.from({ length: options.kills }), (_, index) => life(index)).pipe(
        Effect.withRandom(Random.make(`${seed}:kills`))
      ),
      load.failed
    )

    yield* Effect.flatMap(program, listening)
    yield* inTime(startLimit, "the publishers: the last 202")(load.stop)
    const expected = load.expected()
    yield* say(`the last life goes on until nothing is owed: ${load.counts().accepted} accepted`)

    const verdictNow = Effect.gen(function*() {
      const shown = yield* plane.workItems
      const comments = yield* Effect.forEach(targets, ({ id }) => plane.comments(id), { concurrency: 4 })
      return together(expected.map((each, index) =>
        judge(each, {
          lines: (comments[index] ?? []).flatMap(({ html }) => toldBy(html)),
          state: shown.find(({ id }) => id === targets[index]?.id)?.state.name ?? "no state at all"
        })
      ))
    })
    const isTold = Effect.map(verdictNow, ({ lost, wrongState }) => lost.length + wrongState.length === 0)
    const drained = yield* Effect.iterate(false, {
      while: (done) => !done,
      body: () => Effect.delay(isTold, "500 millis")
    }).pipe(Effect.timeoutOption(drainLimit))
    // A line too many, and a state that was overtaken, would come once the quiet time is over.
    yield* Effect.sleep("4 seconds")
    yield* say(drained._tag === "Some" ? "all is told" : `not all was told within ${Duration.format(drainLimit)}`)

    const verdict = yield* verdictNow
    const strain = strainOf({ requests: yield* plane.requests, kills, timeoutMillis })
    const counts = load.counts()
    const problems = problemsOf(strain, counts, verdict)
    yield* Effect.forEach([...problems, ...closing(strain, counts, verdict)], (line) => Console.log(line))
    if (problems.length > 0) return yield* new Failed()
  })

const ended = new Child.ChildError({ program: "plane-sync", words: "ended by itself after it listened" })
