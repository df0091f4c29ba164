import { Effect, Schedule, Schema } from "effect"
import { hostname } from "node:os"
import { DoctorReport } from "../../src/doctor/DoctorReport.js"
import { HealthReport } from "../../src/health/HealthReport.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { make as makeWire } from "../faults/Wire.js"
import { fakeGitea } from "../gitea/FakeGitea.js"
import { folder, post } from "../http/Server.js"
import { freePort, run, start } from "../main/Child.js"
import type { Scene, Trouble } from "./Trouble.js"

/** What is said of a trouble, in each place where a person would look. */
export interface Said {
  readonly log: ReadonlyArray<string>
  readonly health: ReadonlyArray<string>
  readonly doctor: ReadonlyArray<string>
  readonly explain: ReadonlyArray<string>
}

const LogLine = Schema.parseJson(Schema.Struct({ message: Schema.Unknown, logLevel: Schema.String }))

/** Lines of the log that are warnings or worse, or that are told without a log. */
const logLines = (err: string): ReadonlyArray<string> =>
  err.split("\n").filter((line) => line !== "").flatMap((line) => {
    const read = Schema.decodeUnknownOption(LogLine)(line)
    if (read._tag === "None") return [line]
    const { logLevel, message } = read.value
    return ["WARN", "ERROR", "FATAL"].includes(logLevel)
      ? [`${logLevel} ${Array.isArray(message) ? message.join(" ") : String(message)}`]
      : []
  })

const decodeDoctor = Schema.decodeSync(Schema.parseJson(DoctorReport))

const doctorLines = (out: string): ReadonlyArray<string> =>
  decodeDoctor(out).checks.flatMap(({ mend, name, result, seen }) =>
    result === "failed" || result === "warned"
      ? [`${result === "failed" ? "✘" : "!"} ${name}: ${seen} → ${mend ?? ""}`]
      : []
  )

/** What is next and what it waits for; if nothing is owed any more, also what was the last that happened. */
const explainLines = (out: string): ReadonlyArray<string> => {
  const lines = out.trim().split(/\n(?=\S)/).map((line) => line.replace(/\n\s+/g, " "))
  const at = lines.findIndex((line) => line.startsWith("next: "))
  return at === -1 ? [] : lines.slice(lines[at]?.includes("nothing is owed") === true ? at - 1 : at)
}

/** In place of what is another one each time, what is the same. */
const steady = (places: ReadonlyArray<readonly [string, string]>) => (line: string) =>
  places.reduce((text, [from, to]) => text.replaceAll(from, to), line)
    .replace(/ \(\d+ ms\)/g, "")
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "2026-11-29T08:00:00Z")
    .replace(/process \d+ on \S+?(?=[ :,])/g, "process 4711 on this-host")
    .replace(/, in \d+ s \(/g, ", in 10 s (")
    .replace(/\d+ (events? waits?)/g, "1 event waits")
    .replace(/tried again in \d+ s/g, "tried again in 60 s")

const health = (url: string) =>
  Effect.tryPromise(() =>
    fetch(`${url}/health`, { signal: AbortSignal.timeout(1_000) }).then((answer) => answer.json())
  )
    .pipe(
      Effect.flatMap(Schema.decodeUnknown(HealthReport)),
      Effect.option
    )

/** Whether Plane and the file have been looked at. */
const isSettled = ({ reasons }: HealthReport) =>
  reasons.every((reason) => !/not looked at yet|is being checked/.test(reason))

const patience = "15 seconds"

/** Breaks it, and looks where a person would. Undefined where it cannot be broken. */
export const look = (trouble: Trouble) =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    const cwd = yield* folder
    const wire = yield* makeWire(plane.url)
    const gitea = yield* fakeGitea
    const { key } = yield* plane.addWorkItem({ name: "Trail map" })
    const port = yield* freePort
    const url = `http://127.0.0.1:${port}`
    const database = `${cwd}/data/plane-sync.sqlite`
    const scene: Scene = { plane, planeUrl: wire.url, cut: wire.cut, gitea, database }
    const broken = yield* trouble.broken(scene)
    if (broken === undefined) return undefined
    const settings = {
      ...plane.settings,
      ORCH_PLANE_API_URL: wire.url,
      ORCH_DATABASE_URL: database,
      ORCH_PORT: String(port),
      ORCH_LOG_FORMAT: "json",
      ...broken
    }
    const options = { cwd, settings }
    const workItem = trouble.workItem ?? key

    let log: ReadonlyArray<string> = []
    let reasons: ReadonlyArray<string> = []
    if (trouble.alone === true) {
      log = logLines((yield* run(["publish", "completed", workItem], options)).err)
    } else {
      const serve = yield* start(["serve"], options)
      const isUp = yield* Effect.raceFirst(
        Effect.as(
          Effect.repeat(health(url), { until: ({ _tag }) => _tag === "Some", schedule: Schedule.spaced("20 millis") }),
          true
        ),
        Effect.as(serve.ended, false)
      ).pipe(Effect.timeoutTo({ duration: patience, onSuccess: (isUp) => isUp, onTimeout: () => false }))
      if (isUp) {
        yield* post(url, JSON.stringify({ type: "stage_changed", workItem, from: "created", to: "done", agent: "x" }))
        if (trouble.later !== undefined) yield* trouble.later(url, scene)
        // What is degraded only later is waited for; what never is, is not waited for long.
        yield* Effect.repeat(Effect.zipRight(Effect.sleep("100 millis"), health(url)), {
          until: (answer) => answer._tag === "Some" && isSettled(answer.value) && answer.value.status === "degraded"
        }).pipe(Effect.timeoutOption("5 seconds"))
        const report = yield* health(url)
        reasons = report._tag === "Some" ? report.value.reasons : []
      }
      yield* Effect.sleep("300 millis")
      const { err } = yield* serve.output
      log = logLines(err)
      if (!isUp) reasons = ["(it does not answer)"]
    }
    const doctor = yield* run(["doctor", "--json"], options)
    const explain = yield* run(["explain", workItem], options)
    const written = steady([
      [cwd, "/srv/plane-sync"],
      [wire.url, "http://localhost:8091"],
      [new URL(settings.ORCH_PLANE_API_URL).host, "localhost:8091"],
      [new URL(wire.url).host, "localhost:8091"],
      [gitea.url, "http://localhost:3000"],
      [new URL(gitea.url).host, "localhost:3000"],
      [url, "http://127.0.0.1:8500"],
      [hostname(), "this-host"]
    ])
    const distinct = (lines: ReadonlyArray<string>) => Array.from(new Set(lines.map(written)))
    return {
      log: distinct(log),
      health: distinct(reasons),
      doctor: distinct(doctorLines(doctor.out)),
      explain: distinct(explain.code === 0 ? explainLines(explain.out) : logLines(explain.err))
    } satisfies Said
  }).pipe(Effect.scoped, Effect.provide(PlaneSimulator.layer()))
