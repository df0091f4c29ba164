import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { Console, Data, Duration, Effect, Schedule, Schema } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { cpSync, symlinkSync } from "node:fs"
import { createConnection } from "node:net"
import { fileURLToPath } from "node:url"
import { key, onTerminal } from "../support/OnTerminal.js"

/**
 * The steps of the README's section "Alone", as they stand there, in a fresh copy of this tree: it is built, a simulated
 * Plane runs beside it, a person answers `init` on a terminal, `serve` starts, an event is posted, and Plane has its
 * comment. Only `npm ci` does nothing: the packages that are installed here are linked. `-- --install` installs them.
 */

class Wrong extends Data.TaggedError("Wrong")<{ readonly what: string }> {
  override get message(): string {
    return this.what
  }
}

const root = fileURLToPath(new URL("../../", import.meta.url))
const isInstalling = process.argv.includes("--install")

/** The ports that the README names. */
const ports = { simulator: 8091, serve: 8500 }

const patience = Duration.minutes(5)

const ways = ["to its end", "beside the others", "with a person"] as const

interface Step {
  readonly way: (typeof ways)[number]
  readonly text: string
}

const stepsOf = (readme: string): ReadonlyArray<Step> => {
  const section = /^## Alone.*?(?=^## )/ms.exec(readme)?.[0] ?? ""
  return Array.from(section.matchAll(/<!-- run: (.*?) -->\n```sh\n(.*?)```/gs)).flatMap(([, mark, text = ""]) => {
    const way = ways.find((each) => each === mark)
    return way === undefined ? [] : [{ way, text }]
  })
}

const isTaken = (port: number) =>
  Effect.async<boolean>((resume) => {
    const socket = createConnection({ host: "127.0.0.1", port })
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.succeed(true))
    })
    socket.once("error", () => resume(Effect.succeed(false)))
  })

/** The files of this tree as they are now, without what git ignores. */
const copyTo = (folder: string) =>
  Effect.sync(() => {
    const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root })
    for (const name of listed.toString().split("\0").filter((name) => name !== "")) {
      cpSync(`${root}${name}`, `${folder}/${name}`, { recursive: true })
    }
  })

/** A shell in which `npm ci` finds its packages there. */
const linking = "npm() { if [ \"$1\" = ci ]; then true; else command npm \"$@\"; fi; }\n"

const shell = (text: string): ReadonlyArray<string> => ["/bin/bash", "-e", "-c", (isInstalling ? "" : linking) + text]

const settings = { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "" }

interface Running {
  readonly said: () => string
  /** None while it runs. */
  readonly code: () => number | string | undefined
}

/** A step in a shell of its own, which ends with the scope. */
const started = (text: string, cwd: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const [command = "", ...args] = shell(text)
      const child = spawn(command, args, { cwd, env: settings, detached: true, stdio: ["ignore", "pipe", "pipe"] })
      let said = ""
      let code: number | string | undefined
      for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (chunk: Buffer) => {
          said += chunk.toString()
        })
      }
      child.on("close", (status, signal) => {
        code = status ?? signal ?? "?"
      })
      const running: Running = { said: () => said, code: () => code }
      return { child, running }
    }),
    ({ child, running }) =>
      Effect.sync(() => {
        if (child.pid !== undefined && running.code() === undefined) process.kill(-child.pid, "SIGTERM")
      })
  ).pipe(Effect.map(({ running }) => running))

/** What it has said once it is ready. It fails as soon as it ends otherwise. */
const until = (running: Running, isReady: (running: Running) => boolean) =>
  Effect.suspend(() =>
    isReady(running)
      ? Effect.succeed(running.said())
      : new Wrong({ what: `it ${running.code() === undefined ? "does not go on" : "failed"}:\n${running.said()}` })
  ).pipe(Effect.retry({ schedule: Schedule.spaced("100 millis"), while: () => running.code() === undefined }))

const Ready = Schema.parseJson(Schema.Struct({ url: Schema.String, token: Schema.String }))

const Items = Schema.Array(
  Schema.Struct({ id: Schema.String, key: Schema.String, state: Schema.Struct({ name: Schema.String }) })
)
const Comments = Schema.Array(Schema.Struct({ html: Schema.String }))

/** What the simulated Plane shows, as another process asks it. */
const shownBy = <A, I>(url: string, path: string, schema: Schema.Schema<A, I>) =>
  Effect.flatMap(HttpClient.get(`${url}/_simulator/${path}`), HttpClientResponse.schemaBodyJson(schema))

const told = (url: string) =>
  Effect.gen(function*() {
    const item = (yield* shownBy(url, "work-items", Items)).find((each) => each.key === "ET-2")
    if (item === undefined) return yield* new Wrong({ what: "the simulator has no work item ET-2" })
    const [comment] = yield* shownBy(url, `work-items/${item.id}/comments`, Comments)
    if (comment === undefined || item.state.name !== "In Progress") {
      return yield* new Wrong({
        what: `ET-2 is ${item.state.name}, and has ${comment === undefined ? "no" : "a"} comment`
      })
    }
    return `ET-2 is ${item.state.name}: ${comment.html}`
  }).pipe(Effect.retry({ schedule: Schedule.spaced("200 millis"), times: 150 }))

const { enter } = key

const readme = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  for (const port of Object.values(ports)) {
    if (yield* isTaken(port)) return yield* new Wrong({ what: `port ${port}, which the README names, is in use` })
  }
  const cwd = yield* files.makeTempDirectoryScoped({ prefix: "plane-sync-readme-" })
  yield* copyTo(cwd)
  if (!isInstalling) symlinkSync(`${root}node_modules`, `${cwd}/node_modules`)
  const steps = stepsOf(yield* files.readFileString(`${cwd}/README.md`))
  let simulator: typeof Ready.Type | undefined
  for (const { text, way } of steps) {
    yield* Console.log(`$ ${text.trim().replaceAll("\n", "\n  ")}`)
    if (way === "with a person") {
      if (simulator === undefined) return yield* new Wrong({ what: "nobody has said where Plane is" })
      const { shown, status } = yield* onTerminal(shell(text), {
        cwd,
        settings,
        steps: [
          ["any of its pages", `${simulator.url}${enter}`],
          ["Workspace", `ag_proj${enter}`],
          ["API token", `${simulator.token}${enter}`],
          ["Y/n", enter],
          ["Plane shows then", enter],
          ["secret for Gitea", enter]
        ]
      })
      if (status !== 0) return yield* new Wrong({ what: `it ended with ${status}:\n${shown}` })
      continue
    }
    const running = yield* started(text, cwd)
    if (way === "to its end") {
      yield* until(running, ({ code }) => code() === 0)
      continue
    }
    const said = yield* until(running, ({ said }) => /"url".*\n|listens on/.test(said()))
    const ready = /^\{"url".*$/m.exec(said)?.[0]
    if (ready !== undefined) simulator = yield* Schema.decode(Ready)(ready)
  }
  if (simulator === undefined) return yield* new Wrong({ what: "the README starts no simulator" })
  yield* Console.log(yield* told(simulator.url))
}).pipe(
  Effect.timeoutFail({ duration: patience, onTimeout: () => new Wrong({ what: "the README's steps did not end" }) })
)

readme.pipe(
  Effect.scoped,
  Effect.provide([NodeContext.layer, NodeHttpClient.layer]),
  NodeRuntime.runMain
)
