import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import type { HttpClient } from "@effect/platform/HttpClient"
import { Array, Console, Context, Data, Duration, Effect, Fiber, Schedule } from "effect"
import type { Scope } from "effect"
import { caller } from "../Caller.js"
import type { Figure, Row } from "../Figure.js"
import { Aim } from "../Figure.js"
import { secret } from "../Hooks.js"
import { temporaryDatabase } from "../Pipelines.js"
import { freePort } from "../Port.js"
import { readable } from "../Report.js"
import { startWith } from "../SimulatorProcess.js"
import type { Seen } from "../SoakLoad.js"
import { leftOwed, run, settings } from "../SoakLoad.js"
import { median } from "../Statistics.js"
import type { WatchedProgram } from "../WatchedProgram.js"
import { startWatched } from "../WatchedProgram.js"

/** How long the soak takes, in minutes. */
export class SoakMinutes extends Context.Reference<SoakMinutes>()("bench/SoakMinutes", {
  defaultValue: () => 30
}) {}

const planeSecret = "plane_wh_bench"

class DidNotListen extends Data.TaggedError("DidNotListen")<{ readonly port: number }> {
  override get message(): string {
    return `The program did not answer GET /health on port ${this.port} within 30 seconds`
  }
}

/** The middle of what a window of samples says, each of which is one second. */
const settled = (read: Effect.Effect<number>, window: Duration.Duration) =>
  Effect.map(
    Effect.forEach(
      Array.range(1, Math.max(5, Math.round(Duration.toSeconds(window)))),
      () => Effect.delay(read, "1 second")
    ),
    median
  )

/** What the program takes at a moment; memory in MB. The heap and what is outside it are without garbage. */
export interface Moment {
  readonly residentSet: number
  readonly heap: number
  readonly external: number
  readonly openFiles: number
}

/**
 * Looks what the program takes now. The collections come last, because they change the rest. Of several the least
 * counts, because work is under way all the time.
 */
const look = (program: WatchedProgram, window: Duration.Duration): Effect.Effect<Moment, unknown> =>
  Effect.gen(function*() {
    const residentSet = yield* settled(program.residentSet, window)
    const openFiles = yield* settled(program.openFiles, Duration.seconds(5))
    const collected = yield* Effect.forEach(Array.range(1, 5), () => Effect.delay(program.collected, "700 millis"))
    return {
      residentSet,
      openFiles,
      heap: Math.min(...Array.map(collected, ({ heap }) => heap)),
      external: Math.min(...Array.map(collected, ({ external }) => external))
    }
  })

/** A line for each minute on stderr, because the run is long and its course says more than its end. */
const course = (program: WatchedProgram, seen: Seen) => {
  let minute = 0
  const line = Effect.gen(function*() {
    const { arrayBuffers, external, heap } = yield* program.memory
    yield* Console.error(
      [
        `soak: minute ${minute++}`,
        `rss ${readable(yield* program.residentSet)} MB`,
        `heap ${readable(heap)}`,
        `external ${readable(external)}`,
        `array buffers ${readable(arrayBuffers)}`,
        `files ${yield* program.openFiles}`,
        `requests ${readable(seen.answered)}`,
        ...Array.map([...seen.unexpected], ([what, times]) => `${what} (${times} times)`)
      ].join(", ")
    )
  })
  return Effect.repeat(line, Schedule.fixed("1 minute"))
}

const measure: Effect.Effect<Soaked, unknown, HttpClient | Scope.Scope> = Effect.gen(function*() {
  const minutes = yield* SoakMinutes
  const port = yield* freePort
  const plane = yield* startWith({ webhook: { url: `http://127.0.0.1:${port}/webhooks/plane`, secret: planeSecret } })
  const program = yield* startWatched({
    ...settings,
    ORCH_PORT: String(port),
    ORCH_DATABASE_URL: yield* temporaryDatabase,
    ORCH_PLANE_API_URL: plane.url,
    ORCH_PLANE_API_TOKEN: plane.token,
    ORCH_PLANE_WEBHOOK_SECRET: planeSecret,
    ORCH_GITEA_WEBHOOK_SECRET: secret
  })
  yield* Effect.flatMap(caller(port), (call) =>
    call({ method: "GET", path: "/health" }).pipe(
      Effect.repeat({ until: ({ status }) => status === 200, schedule: Schedule.spaced("100 millis") }),
      Effect.timeoutFail({ duration: "30 seconds", onTimeout: () => new DidNotListen({ port }) })
    ))
  const seen: Seen = { answered: 0, accepted: 0, unexpected: new Map() }
  const loading = yield* Effect.fork(run(port, plane, seen))
  const watching = yield* Effect.fork(course(program, seen))
  const third = Duration.minutes(minutes / 3)
  const window = Duration.min(Duration.minutes(1), Duration.times(third, 0.5))
  const looked = Effect.gen(function*() {
    yield* Effect.sleep(Duration.subtract(third, window))
    const early = yield* look(program, window)
    yield* Effect.sleep(Duration.subtract(Duration.times(third, 2), window))
    const late = yield* look(program, window)
    return { early, late }
  })
  // The load ends only by its failure, which is then the row's.
  const { early, late } = yield* Effect.raceFirst(looked, Effect.zipRight(Fiber.join(loading), Effect.never))
  yield* Fiber.interruptAll([loading, watching])
  yield* plane.misbehave(undefined)
  const owed = yield* leftOwed(port)
  return { early, late, minutes, owed, seen }
})

/** What a soak has seen. `early` is after a third of it. */
export interface Soaked {
  readonly minutes: number
  readonly early: Moment
  readonly late: Moment
  readonly seen: Pick<Seen, "accepted" | "answered" | "unexpected">
  /** How many events were still owed when Plane had been healthy for a minute. */
  readonly owed: number
}

/** Holds what a soak has seen against the aims. */
export const figuresOf = ({ early, late, minutes, owed, seen }: Soaked): ReadonlyArray<Figure> => {
  const then = `at ${readable(minutes / 3)} min`
  return [
    {
      row: `soak: resident memory at ${readable(minutes)} min`,
      value: late.residentSet / early.residentSet,
      unit: `× that ${then}`,
      aim: Aim.AtMost({ limit: 1.2 }),
      beside: { what: `MB ${then}, ${readable(late.residentSet)} at the end`, value: early.residentSet },
      means: "a program that runs for long does not fill the machine's memory"
    },
    {
      row: `soak: heap after a collection at ${readable(minutes)} min`,
      value: late.heap / early.heap,
      unit: `× that ${then}`,
      aim: Aim.AtMost({ limit: 1.2 }),
      beside: { what: `MB ${then}, ${readable(late.heap)} at the end`, value: early.heap },
      means: "what is no longer needed is not kept"
    },
    {
      row: "soak: memory outside the heap",
      value: late.external - early.external,
      unit: `MB more than ${then}`,
      aim: Aim.AtMost({ limit: 5 }),
      beside: { what: `MB ${then}`, value: early.external },
      means: "no buffers are left behind"
    },
    {
      row: "soak: open files and sockets",
      value: late.openFiles - early.openFiles,
      unit: `more than ${then}`,
      aim: Aim.AtMost({ limit: 10 }),
      beside: { what: then, value: early.openFiles },
      means: "no connection is left behind"
    },
    {
      row: "soak: unexpected answers",
      value: Array.reduce([...seen.unexpected.values()], 0, (sum, times) => sum + times),
      unit: "requests",
      aim: Aim.AtMost({ limit: 0 }),
      means: `of ${readable(seen.answered)}, while Plane had trouble`
    },
    {
      row: "soak: owed in the end",
      value: owed,
      unit: "events",
      aim: Aim.AtMost({ limit: 0 }),
      means: `of ${readable(seen.accepted)} that were published, after a minute of a healthy Plane at most`
    }
  ]
}

/** Whether the memory stays, when the program runs for long. */
export const row: Row = {
  name: "soak",
  description: "memory while everything happens at once, faults of Plane included (30 minutes, or --minutes)",
  onDemand: true,
  measure: Effect.map(measure, figuresOf).pipe(Effect.provide(NodeHttpClient.layer))
}
