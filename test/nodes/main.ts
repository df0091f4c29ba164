import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Command from "@effect/platform/Command"
import * as FileSystem from "@effect/platform/FileSystem"
import { Clock, Console, Data, Effect, Schedule, Schema, Stream } from "effect"
import { fileURLToPath } from "node:url"

/**
 * What a user of each supported Node gets: npm's `node` package brings the binary and its headers. The package is
 * compiled by this Node, and installed without install scripts. What the program then says is missing is done word for
 * word, which compiles better-sqlite3. Then it publishes, serves, and runs the demo. Where the program says that the
 * driver does not fit this Node, the command that it names is run first. A newer driver on an older Node is refused.
 */

const supported = ["20.19", "22", "24"]

class Wrong extends Data.TaggedError("Wrong")<{ readonly what: string }> {
  override get message(): string {
    return this.what
  }
}

const root = fileURLToPath(new URL("../../", import.meta.url))

interface Where {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

const start = ({ cwd, env }: Where, command: string, ...args: ReadonlyArray<string>) =>
  Command.start(Command.make(command, ...args).pipe(Command.workingDirectory(cwd), Command.env(env)))

/** What a command wrote to both outputs, and its exit code. */
const ended = (where: Where, command: string, ...args: ReadonlyArray<string>) =>
  Effect.scoped(Effect.gen(function*() {
    const child = yield* start(where, command, ...args)
    const output = Stream.merge(child.stdout, child.stderr).pipe(Stream.decodeText(), Stream.mkString)
    const [out, code] = yield* Effect.all([output, child.exitCode], { concurrency: "unbounded" })
    return { out, code: Number(code) }
  })).pipe(Effect.timeout("8 minutes"))

const run = (where: Where, command: string, ...args: ReadonlyArray<string>) =>
  Effect.flatMap(ended(where, command, ...args), ({ code, out }) =>
    code === 0
      ? Effect.succeed(out)
      : new Wrong({ what: `${command} ${args.join(" ")}: exit ${code}\n${out}` }))

const Packed = Schema.parseJson(
  Schema.Struct({ devDependencies: Schema.Record({ key: Schema.String, value: Schema.String }) })
)

/** Brings a Node: the environment in which it is the one that runs. */
const fetched = (folder: string, version: string) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    yield* files.makeDirectory(folder)
    yield* files.writeFileString(`${folder}/package.json`, "{\"private\":true}")
    yield* run(
      { cwd: folder, env: {} },
      "npm",
      "install",
      "--ignore-scripts=false",
      "--no-audit",
      "--no-fund",
      `node@${version}`
    )
    const platform = `node-${process.platform}-${process.arch}`
    const places = [`${folder}/node_modules/node/node_modules/${platform}`, `${folder}/node_modules/${platform}`]
    for (const place of places) {
      if (yield* files.exists(`${place}/bin/node`)) {
        // The headers are those of this Node, whatever npm is configured to take.
        return {
          PATH: `${place}/bin:${process.env["PATH"] ?? ""}`,
          npm_config_nodedir: place,
          ORCH_PLANE_API_TOKEN: ""
        }
      }
    }
    return yield* new Wrong({ what: `node@${version} has brought no binary for ${platform}` })
  })

/** Starts `serve`, asks for its health, and ends it. */
const serves = (where: Where) =>
  Effect.scoped(Effect.gen(function*() {
    const child = yield* start(
      { ...where, env: { ...where.env, ORCH_PORT: "0", ORCH_LOG_FORMAT: "json" } },
      "node",
      program
    )
    const said = yield* Stream.merge(child.stdout, child.stderr).pipe(
      Stream.decodeText(),
      Stream.scan("", (all, text) => all + text),
      Stream.filter((all) => /listens on (http:\S+)/.test(all)),
      Stream.runHead,
      Effect.timeout("60 seconds")
    )
    const [, url = ""] = /listens on (http:\S+)/.exec(said._tag === "Some" ? said.value : "") ?? []
    const status = yield* Effect.tryPromise({
      try: async () => (await fetch(`${url}/health`)).status,
      catch: (cause) => new Wrong({ what: `GET ${url}/health: ${String(cause)}` })
    }).pipe(Effect.retry({ times: 5, schedule: Schedule.spaced("200 millis") }))
    if (status !== 200) return yield* new Wrong({ what: `GET ${url}/health: ${status}` })
    yield* child.kill("SIGTERM")
  }))

const program = "node_modules/plane-sync/dist/main.js"
const publish = [program, "publish", "completed", "ET-2"]

/** How often the demo is run where the older driver was seen to end it in half of the runs. */
const demos = 4

const showsDemo = (where: Where) =>
  Effect.flatMap(
    run(where, "node", "--import", "tsx", "demo/main.ts"),
    (out) => out.includes("✔ all") ? Effect.void : new Wrong({ what: `the demo said:\n${out}` })
  )

/** better-sqlite3 13 ends Node 20 by a segmentation fault; the program says so before. */
const refusesNewDriver = (where: Where, packed: string) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    yield* files.makeDirectory(where.cwd)
    yield* files.writeFileString(
      `${where.cwd}/package.json`,
      JSON.stringify({ private: true, overrides: { "better-sqlite3": "^13" } })
    )
    yield* run(where, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", packed, "@effect/cli")
    const { code, out } = yield* ended(where, "node", ...publish)
    if (code !== 1 || !out.includes("take Node 22 or newer, or npm pkg delete")) {
      return yield* new Wrong({
        what: `of better-sqlite3 13 on Node 20, publish said, with exit code ${code}:\n${out}`
      })
    }
  })

const check = (folder: string, packed: string, tools: ReadonlyArray<string>, version: string) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const began = yield* Clock.currentTimeMillis
    const env = yield* fetched(`${folder}/node-${version}`, version)
    const cwd = `${folder}/with-${version}`
    const where = { cwd, env }
    yield* files.makeDirectory(cwd)
    yield* files.writeFileString(`${cwd}/package.json`, JSON.stringify({ private: true, type: "module" }))
    const node = (yield* run(where, "node", "--version")).trim()
    if (!node.startsWith(`v${version}`)) return yield* new Wrong({ what: `node@${version} is ${node}` })
    const tsc = ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json", "--outDir", `${cwd}/built`]
    yield* run({ cwd: root, env }, "node", ...tsc)
    yield* run(where, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", packed, ...tools)
    const help = yield* run(where, "node", program, "--help")
    if (!help.includes("EXIT CODES")) return yield* new Wrong({ what: `--help said:\n${help}` })

    const without = yield* ended(where, "node", ...publish)
    const [, command = ""] = /run `(npm rebuild [^`]+)`/.exec(without.out) ?? []
    if (without.code !== 1 || command === "") {
      return yield* new Wrong({ what: `without a binary of better-sqlite3, publish said:\n${without.out}` })
    }
    yield* run(where, "npm", ...command.split(" ").slice(1))
    const published = yield* run(where, "node", ...publish)
    const [, newer] = /at any moment, because of better-sqlite3 12\S* on Node \S+: run `([^`]+)`/.exec(published) ?? []
    if ((newer === undefined) !== (version !== "24")) {
      return yield* new Wrong({ what: `of better-sqlite3 12 on ${node}, publish said:\n${published}` })
    }
    if (newer !== undefined) {
      yield* run(where, "sh", "-c", newer)
      const again = yield* run(where, "node", ...publish)
      if (again.includes("better-sqlite3")) return yield* new Wrong({ what: `after ${newer}, publish said:\n${again}` })
    }
    yield* serves(where)

    for (const part of ["src", "demo"]) yield* files.copy(`${root}${part}`, `${cwd}/${part}`)
    yield* files.copyFile(`${root}package.json`, `${cwd}/package.json`)
    for (let run = 0; run < (newer === undefined ? 1 : demos); run++) yield* showsDemo(where)
    if (version === "20.19") yield* refusesNewDriver({ cwd: `${cwd}-new-driver`, env }, packed)
    const seconds = Math.round(((yield* Clock.currentTimeMillis) - began) / 1000)
    yield* Console.log(`${node}: built, installed, "${command}", published, served, the demo is right (${seconds} s)`)
  })

/** What the program does not bring: its command line needs the first; the demo, which is run from its sources, the rest. */
const needed = ["@effect/cli", "tsx", "mdast-util-from-markdown", "mdast-util-gfm", "micromark-extension-gfm"]

const nodes = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const wanted = process.argv.slice(2)
  const unknown = wanted.filter((version) => !supported.includes(version))
  if (unknown.length > 0) {
    return yield* new Wrong({ what: `${unknown.join(", ")}: expected some of ${supported.join(", ")}` })
  }
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "plane-sync-nodes-" })
  const { devDependencies } = yield* Schema.decode(Packed)(yield* files.readFileString(`${root}package.json`))
  yield* run({ cwd: root, env: {} }, "npm", "pack", "--pack-destination", folder)
  const packed = (yield* files.readDirectory(folder)).find((name) => name.endsWith(".tgz")) ?? ""
  const tools = needed.map((name) => `${name}@${devDependencies[name] ?? ""}`)
  for (const version of wanted.length === 0 ? supported : wanted) {
    yield* check(folder, `${folder}/${packed}`, tools, version)
  }
})

nodes.pipe(Effect.scoped, Effect.provide(NodeContext.layer), NodeRuntime.runMain)
