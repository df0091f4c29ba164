import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Context, Effect, Layer } from "effect"
import type { Scope } from "effect"
import { Duration } from "effect"
import { execFile, execFileSync } from "node:child_process"
import { build } from "../crash/Build.js"
import type { BuildError } from "../crash/Build.js"
import * as Child from "../crash/Child.js"
import { inTime } from "../crash/Program.js"
import { freePort } from "../support/FreePort.js"

type Settings = Readonly<Record<string, string>>

/** The program, running. */
export interface Served {
  readonly url: string
  readonly port: number
  /** Its database. */
  readonly file: string
  /** Where it writes its log. */
  readonly log: string
  /** Its resident memory in MiB. */
  readonly memory: Effect.Effect<number>
}

/** What a command has printed. */
export interface Printed {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** What is attacked: the built program in processes of its own, which know none of our settings. */
export class Target extends Context.Tag("plane-sync/test/Target")<Target, {
  /** Starts the server on a database of its own, or on `ORCH_DATABASE_URL`. It is killed when the scope closes. */
  readonly serve: (settings?: Settings) => Effect.Effect<Served, Child.ChildError, Scope.Scope>
  /** Runs a command to its end, of at most a minute. */
  readonly command: (args: ReadonlyArray<string>, settings?: Settings) => Effect.Effect<Printed>
  /** A new folder that is gone when the run ends. */
  readonly folder: Effect.Effect<string>
}>() {
  static readonly layer: Layer.Layer<Target, BuildError, FileSystem.FileSystem | Path.Path> = Layer.scoped(
    Target,
    Effect.suspend(() => make)
  )
}

const startLimit = Duration.seconds(30)

/** Resident memory by `ps`, which each system has. */
const memoryOf = (pid: number) =>
  Effect.sync(() => Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) / 1_024)

const make = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const built = yield* Effect.catchTags(build, { BadArgument: Effect.die, SystemError: Effect.die })
  const root = yield* Effect.orDie(files.makeTempDirectoryScoped({ prefix: "plane-sync-attack-" }))
  const folder = Effect.orDie(files.makeTempDirectory({ directory: root }))

  return Target.of({
    folder,
    serve: (settings = {}) =>
      Effect.gen(function*() {
        const directory = yield* folder
        const port = yield* freePort
        const file = path.join(directory, "plane-sync.sqlite")
        const log = path.join(directory, "plane-sync.log")
        const child = yield* Child.start({
          program: "plane-sync",
          script: built.program,
          args: ["serve"],
          // Without a token nothing is sent to Plane.
          env: { ORCH_DATABASE_URL: file, ORCH_PORT: String(port), ...settings },
          cwd: directory,
          log,
          wanted: (line) => line.includes("plane-sync listens on")
        })
        yield* inTime(startLimit, "plane-sync: listening")(child.line)
        return {
          url: `http://127.0.0.1:${port}`,
          port,
          file: settings["ORCH_DATABASE_URL"] ?? file,
          log,
          memory: memoryOf(child.pid)
        }
      }),
    command: (args, settings = {}) =>
      Effect.async<Printed>((resume) => {
        const child = execFile(
          process.execPath,
          [built.program, ...args],
          { env: { PATH: process.env["PATH"] ?? "", ...settings }, maxBuffer: 64 * 1_024 * 1_024, timeout: 60_000 },
          (error, out, err) =>
            resume(
              Effect.succeed({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : 1, out, err })
            )
        )
        return Effect.sync(() => child.kill("SIGKILL"))
      })
  })
})
