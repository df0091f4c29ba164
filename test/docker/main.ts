import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as FileSystem from "@effect/platform/FileSystem"
import { Clock, Console, Data, Effect, Schedule, Schema } from "effect"
import { spawn } from "node:child_process"
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, statSync } from "node:fs"
import { basename, dirname, join, posix } from "node:path"
import { fileURLToPath } from "node:url"
import { freePort } from "../support/FreePort.js"
import { choose, installed } from "../support/PostgresBinaries.js"
import { makeCluster } from "../support/PostgresCluster.js"
import type { Stage, Step } from "./Dockerfile.js"
import { environmentOf, healthCheckOf, listOf, permittedBy, stagesOf, stepIn } from "./Dockerfile.js"

/**
 * Does what the Dockerfile says without a container engine, step by step: each stage has an empty folder that stands
 * for its root, and what it copies is what `.dockerignore` lets in. Then it starts what the image starts, as the
 * image's user, and asks what its health check asks: with Plane away, while the program hangs, and after its end. Where
 * there is a Postgres, two replicas run on it. `-- --copied` copies the packages of this tree instead of `npm ci`.
 *
 * The base images are not there: programs are those of this machine. It says what it has done in another way.
 */

class Wrong extends Data.TaggedError("Wrong")<{ readonly what: string }> {
  override get message(): string {
    return this.what
  }
}

const root = fileURLToPath(new URL("../../", import.meta.url))
const isCopied = process.argv.includes("--copied")

/** The ids of `node` in Node's images. Who is not root can only be itself. */
const isRoot = process.getuid?.() === 0
const node = isRoot ? { uid: 1000, gid: 1000 } : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

interface Where {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly user?: typeof node
}

interface Running {
  readonly said: () => string
  /** None while it runs. */
  readonly code: () => number | string | undefined
  readonly signal: (name: NodeJS.Signals) => void
}

/** A program in a group of its own, which is killed when the scope ends. */
const started = ({ cwd, env, user }: Where, [command = "", ...args]: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync((): Running => {
      const child = spawn(command, args, { cwd, env, ...user, detached: true, stdio: ["ignore", "pipe", "pipe"] })
      let said = ""
      let code: number | string | undefined
      for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (chunk: Buffer) => {
          said += chunk.toString()
        })
      }
      child.on("error", (error) => {
        code = error.message
      })
      child.on("close", (status, signal) => {
        code = status ?? signal ?? "?"
      })
      return {
        said: () => said,
        code: () => code,
        signal: (name) => {
          if (child.pid !== undefined && code === undefined) process.kill(-child.pid, name)
        }
      }
    }),
    (running) => Effect.sync(() => running.signal("SIGKILL"))
  )

/** Its exit code, which is a failure when it does not end in time. */
const ended = (running: Running, patience: number) =>
  Effect.suspend(() => {
    const code = running.code()
    return code === undefined ? new Wrong({ what: `it does not end:\n${running.said()}` }) : Effect.succeed(code)
  }).pipe(Effect.retry({ schedule: Schedule.spaced(50), times: patience / 50 }))

const run = (where: Where, command: ReadonlyArray<string>) =>
  Effect.scoped(Effect.gen(function*() {
    const running = yield* started(where, command)
    const code = yield* ended(running, 600_000)
    if (code !== 0) return yield* new Wrong({ what: `${command.join(" ")}: ${code}\n${running.said()}` })
    return running.said()
  }))

/** Of this machine a step gets the way to programs, and what npm needs to reach its registry. */
const ofMachine = Object.fromEntries(
  [
    "PATH",
    "HOME",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "NODE_EXTRA_CA_CERTS"
  ]
    .flatMap((name) => process.env[name] === undefined ? [] : [[name, process.env[name]] as const])
)

/** Where a path of a stage is on this machine. */
const below = (folder: string, path: string) => join(folder, path)

/** What a value or a word of a step means here: what is absolute in the image lies below the stage's folder. */
const moved = (folder: string, text: string) => text.replace(/(?<=^| )\/(?=\w)/g, `${folder}/`)

/** What git has, or would take, of what `.dockerignore` lets in. */
const contextOf = (folder: string) =>
  Effect.gen(function*() {
    const permitted = permittedBy(readFileSync(join(root, ".dockerignore"), "utf8"))
    const list = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    const listed = yield* run({ cwd: root, env: ofMachine }, list)
    const names = listed.split("\0").filter((name) => permitted.has(name) && existsSync(join(root, name)))
    for (const name of names) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      copyFileSync(join(root, name), join(folder, name))
    }
    yield* Console.log(`.dockerignore lets ${names.length} files into the build`)
  })

interface Place {
  readonly folder: string
  readonly cwd: string
}

const copy = ({ cwd, folder }: Place, from: string, { rest }: Step) =>
  Effect.sync(() => {
    const paths = rest.split(/ +/)
    const to = paths.at(-1) ?? ""
    const target = to.startsWith("/") ? below(folder, to) : below(folder, posix.join(cwd, to))
    for (const path of paths.slice(0, -1)) {
      const source = below(from, path)
      // Docker copies what is in a folder, and a file into what ends with a slash.
      const isInto = to.endsWith("/") && !statSync(source).isDirectory()
      cpSync(source, isInto ? join(target, basename(path)) : target, { recursive: true, verbatimSymlinks: true })
    }
  })

/** Whether `npm ci` has only been imitated. */
const runIn = ({ cwd, folder }: Place, env: Readonly<Record<string, string>>, { rest }: Step) =>
  Effect.gen(function*() {
    if (rest === "npm ci" && isCopied) {
      const target = below(folder, posix.join(cwd, "node_modules"))
      // What is in it: here it may be a link itself.
      yield* run({ cwd: root, env: ofMachine }, ["cp", "-r", "node_modules/.", target])
      return "REPLACED: the packages of this tree are copied"
    }
    // This machine need not have a user `node`.
    const words = moved(folder, rest).replace(/-o node -g node/g, `-o ${node.uid} -g ${node.gid}`)
    yield* run({ cwd: below(folder, cwd), env: { ...ofMachine, ...env } }, ["/bin/sh", "-c", words])
    return words === rest ? "" : `as ${words}`
  })

const build = (stage: Stage, folder: string, from: (name: string | undefined) => string) =>
  Effect.gen(function*() {
    yield* Console.log(`FROM ${stage.image}\n   REPLACED: an empty folder, and Node ${process.version} of this machine`)
    let cwd = "/"
    mkdirSync(folder)
    // The image's user must get to it.
    chmodSync(folder, 0o755)
    for (const step of stage.steps) {
      const began = yield* Clock.currentTimeMillis
      let note = ""
      if (step.keyword === "WORKDIR") {
        cwd = step.rest
        mkdirSync(below(folder, cwd), { recursive: true })
      } else if (step.keyword === "COPY") yield* copy({ folder, cwd }, from(step.flags["from"]), step)
      else if (step.keyword === "RUN") note = yield* runIn({ folder, cwd }, environmentOf(stage), step)
      else continue
      const seconds = ((yield* Clock.currentTimeMillis) - began) / 1000
      const flags = Object.entries(step.flags).map(([name, value]) => ` --${name}=${value}`).join("")
      yield* Console.log(
        `${step.keyword}${flags} ${step.rest}  (${seconds.toFixed(1)} s)${note === "" ? "" : `\n   ${note}`}`
      )
    }
    return cwd
  })

const Health = Schema.Struct({
  status: Schema.String,
  outbox: Schema.Struct({ pending: Schema.Number }),
  plane: Schema.Struct({ state: Schema.String }),
  replicas: Schema.Array(Schema.Struct({ alive: Schema.Boolean }))
})

const token = "a-token-of-the-image"

const asked = (port: string, path: string, init: RequestInit = {}) =>
  Effect.tryPromise({
    try: async () => {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers, ...init })
      return { status: answer.status, body: await answer.text() }
    },
    catch: (cause) => new Wrong({ what: `${path}: ${String(cause)}` })
  })

const healthOf = (port: string) =>
  Effect.flatMap(asked(port, "/health"), ({ body }) => Schema.decode(Schema.parseJson(Health))(body))

const publish = (port: string) =>
  Effect.gen(function*() {
    const event = { type: "stage_changed", workItem: "ET-2", from: "created", to: "analysis", agent: "analyst" }
    const { body, status } = yield* asked(port, "/api/events", { method: "POST", body: JSON.stringify(event) })
    if (status >= 300) return yield* new Wrong({ what: `the event was answered ${status} ${body}` })
  })

/** Asks until it is so, for half a minute. */
const until = (what: string, isSo: Effect.Effect<boolean, unknown>) =>
  Effect.flatMap(
    Effect.orElseSucceed(isSo, () => false),
    (is) => is ? Effect.void : new Wrong({ what: `after 30 s: not yet ${what}` })
  ).pipe(Effect.retry({ schedule: Schedule.spaced(200), times: 150 }), Effect.zipRight(Console.log(`✔ ${what}`)))

interface Image {
  readonly where: Where
  readonly command: ReadonlyArray<string>
  readonly check: ReturnType<typeof healthCheckOf>
}

/** A container of the image, with a port of its own. */
const container = ({ check, command, where }: Image, settings: Readonly<Record<string, string>>) =>
  Effect.gen(function*() {
    const port = String(yield* freePort)
    const env = {
      ...where.env,
      ORCH_API_TOKEN: token,
      ORCH_PLANE_API_TOKEN: "plane_api_no_such",
      // Nothing listens there.
      ORCH_PLANE_API_URL: "http://127.0.0.1:9",
      ORCH_PORT: port,
      ...settings
    }
    const program = yield* started({ ...where, env }, command)
    /** As Docker asks: one that takes too long is killed, and counts as no. */
    const isHealthy = Effect.scoped(Effect.gen(function*() {
      const asking = yield* started({ ...where, env }, check.command)
      return (yield* ended(asking, check.timeout)) === 0
    })).pipe(Effect.orElseSucceed(() => false))
    yield* until(`healthy, on port ${port}`, isHealthy).pipe(
      Effect.mapError(({ what }) => new Wrong({ what: `${what}\n${program.said()}` }))
    )
    return { port, program, isHealthy }
  })

const is = (what: string, isSo: boolean) => isSo ? Console.log(`✔ ${what}`) : new Wrong({ what: `not so: ${what}` })

/** A life of the image on the file in its volume. */
const onFile = (image: Image) =>
  Effect.scoped(Effect.gen(function*() {
    const { isHealthy, port, program } = yield* container(image, {})
    yield* publish(port)
    yield* until(
      "an event is kept, and /health is degraded, because Plane is away",
      Effect.map(healthOf(port), ({ outbox, status }) => status === "degraded" && outbox.pending > 0)
    )
    yield* is("the health check still says healthy", yield* isHealthy)
    program.signal("SIGSTOP")
    yield* is("of a program that hangs the health check says unhealthy", !(yield* isHealthy))
    program.signal("SIGCONT")
    yield* until("it says healthy again once it goes on", isHealthy)
    program.signal("SIGTERM")
    // As long as Docker waits by default.
    const code = yield* ended(program, 10_000)
    yield* Console.log(`✔ ended by SIGTERM within 10 s, with ${code}`)
    yield* is("then the health check says unhealthy", !(yield* isHealthy))
    const again = yield* container(image, {})
    const { outbox } = yield* healthOf(again.port)
    yield* is("a second container on the same volume has the event", outbox.pending > 0)
  }))

const onPostgres = (image: Image, url: string) =>
  Effect.scoped(Effect.gen(function*() {
    const settings = { ORCH_DATABASE_URL: url }
    // At the same time, as compose starts them: one of them makes the tables.
    const [one, two] = yield* Effect.all([container(image, settings), container(image, settings)], { concurrency: 2 })
    yield* publish(one.port)
    yield* until(
      "two replicas: what the first has taken in the second has, too",
      Effect.map(healthOf(two.port), ({ outbox, replicas }) =>
        outbox.pending > 0 && replicas.filter(({ alive }) => alive).length === 2)
    )
    one.program.signal("SIGKILL")
    yield* is("the second is healthy without the first", yield* two.isHealthy)
  }))

const docker = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "plane-sync-docker-" })
  yield* files.chmod(folder, 0o755)
  const context = join(folder, "context")
  yield* contextOf(context)

  const stages = stagesOf(readFileSync(join(root, "Dockerfile"), "utf8"))
  const last = stages.at(-1)
  if (last === undefined) return yield* new Wrong({ what: "the Dockerfile has no FROM" })
  const placeOf = (stage: string) => join(folder, stage === "" ? "image" : stage)
  let cwd = "/"
  for (const stage of stages) {
    cwd = yield* build(stage, placeOf(stage.name), (name) => name === undefined ? context : placeOf(name))
  }
  const place = placeOf(last.name)
  const env = Object.fromEntries(
    Object.entries(environmentOf(last)).map(([name, value]) => [name, moved(place, value)])
  )
  const where = { cwd: below(place, cwd), env: { PATH: ofMachine["PATH"] ?? "", ...env }, user: node }
  const app = yield* files.readDirectory(where.cwd)
  yield* is(`${cwd} has only ${app.sort().join(", ")}`, app.join() === "dist,node_modules,package.json")
  for (const name of ["typescript", "vitest", "esbuild"]) {
    yield* is(`no ${name} in it`, !existsSync(join(where.cwd, "node_modules", name)))
  }
  yield* is(`it prints its version, ${(yield* run(where, ["node", "dist/main.js", "--version"])).trim()}`, true)

  const command = [...listOf(stepIn(last, "ENTRYPOINT").rest), ...listOf(stepIn(last, "CMD").rest)]
  const { rest: user } = stepIn(last, "USER")
  yield* Console.log(`USER ${user}, ${command.join(" ")}`)
  if (!isRoot) yield* Console.log(`   REPLACED: this user, ${node.uid}, who may write to all of the folder`)
  const image = { where, command, check: healthCheckOf(last) }
  yield* onFile(image)

  const postgres = choose(undefined, installed)
  if (postgres._tag !== "Own") return yield* Console.log("NOT RUN: the two replicas, because there is no Postgres")
  const cluster = yield* makeCluster(postgres.folder)
  yield* onPostgres(image, cluster.url("postgres"))
})

docker.pipe(
  Effect.scoped,
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain
)
