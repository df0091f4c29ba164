import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Command from "@effect/platform/Command"
import * as FileSystem from "@effect/platform/FileSystem"
import { Console, Data, Effect, Schedule, Schema, Stream } from "effect"
import { fileURLToPath } from "node:url"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { choose, installed } from "../support/PostgresBinaries.js"
import { makeCluster } from "../support/PostgresCluster.js"

/**
 * What a user gets: the packed package, installed in an empty program beside nothing. It brings few packages, and one
 * copy of effect. The examples of the documents and those of `examples/` are whole programs there, under strict types
 * and with declarations. They run, and a simulated Plane has what they publish.
 */

class Wrong extends Data.TaggedError("Wrong")<{ readonly what: string }> {
  override get message(): string {
    return this.what
  }
}

const root = fileURLToPath(new URL("../../", import.meta.url))

/** The most packages that a host which only embeds plane-sync has to install, plane-sync included. */
const mostPackages = 76

type Settings = Readonly<Record<string, string>>

/** What a command wrote to both outputs. It fails if the command does not end with `expected`, within minutes. */
const run = (
  { cwd, expected = 0, settings = {} }: {
    readonly cwd: string
    readonly settings?: Settings
    readonly expected?: number
  },
  command: string,
  ...args: ReadonlyArray<string>
) =>
  Effect.scoped(Effect.gen(function*() {
    const child = yield* Command.start(
      Command.make(command, ...args).pipe(Command.workingDirectory(cwd), Command.env(settings))
    )
    const [out, code] = yield* Effect.all(
      [
        Stream.merge(child.stdout, child.stderr).pipe(Stream.decodeText(), Stream.mkString),
        child.exitCode
      ],
      { concurrency: "unbounded" }
    )
    if (Number(code) !== expected) {
      return yield* new Wrong({ what: `${command} ${args.join(" ")}: exit ${code}\n${out}` })
    }
    return out
  })).pipe(
    Effect.timeoutFail({
      duration: "5 minutes",
      onTimeout: () => new Wrong({ what: `${command} ${args.join(" ")} did not end` })
    })
  )

const says = (out: string, ...words: ReadonlyArray<string>) =>
  Effect.forEach(
    words,
    (each) => out.includes(each) ? Effect.void : new Wrong({ what: `expected ${JSON.stringify(each)} in:\n${out}` }),
    { discard: true }
  )

/** The example of a document that embeds the package. */
const exampleIn = (document: string) =>
  Effect.gen(function*() {
    const text = yield* Effect.flatMap(FileSystem.FileSystem, (files) => files.readFileString(`${root}${document}`))
    const blocks = Array.from(text.matchAll(/```ts\n(.*?)```/gs), ([, code = ""]) => code)
    const code = blocks.find((block) => block.includes("from \"plane-sync\""))
    return code ?? (yield* new Wrong({ what: `${document} has no example of a host` }))
  })

const Versions = Schema.parseJson(
  Schema.Struct({ devDependencies: Schema.Record({ key: Schema.String, value: Schema.String }) })
)
const Version = Schema.parseJson(Schema.Struct({ version: Schema.String }))
const Installed = Schema.parseJson(
  Schema.Struct({ packages: Schema.Record({ key: Schema.String, value: Schema.Unknown }) })
)

const types = {
  compilerOptions: {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noImplicitOverride: true,
    noImplicitReturns: true,
    noFallthroughCasesInSwitch: true,
    noPropertyAccessFromIndexSignature: true,
    noUnusedLocals: true,
    noUnusedParameters: true,
    isolatedModules: true,
    verbatimModuleSyntax: true,
    declaration: true,
    target: "ES2022",
    lib: ["ES2022", "DOM", "DOM.AsyncIterable"],
    module: "NodeNext",
    types: ["node"],
    // Not ours: @effect/platform-node's declarations use some of packages that have none.
    skipLibCheck: true,
    outDir: "out"
  },
  include: ["*.ts"]
}

// A host exports what it has made of ours, and its declarations name our types then.
const exported = `import { HttpApiClient, HttpRouter } from "@effect/platform"
import { Effect, Layer } from "effect"
import { AgentLauncher, DeadLetters, GiteaGates, Orchestrator, Pipeline, PlaneClient, PlaneSync } from "plane-sync"
import { Receiver, Repair, Silence, StageEvents, Storage, Tasks, Webhooks, WorkItemKey } from "plane-sync"
import { Api, HttpInterface } from "plane-sync/http"
import { PlaneSimulator } from "plane-sync/simulator"
import { NotTold, untilTold } from "plane-sync/testing"

export const planeSync = [PlaneSync.layer, PlaneSync.layerSql, PlaneSync.layerStorage] as const
export const storage = [Storage.layer, Storage.layerSql, Storage.layerFile] as const
export const orchestrator = [
  Orchestrator.layer, Orchestrator.layerSql, Orchestrator.layerStorage, Orchestrator.layerTasks
] as const
export const whole = HttpInterface.layer.pipe(
  Layer.provideMerge(Layer.merge(Webhooks.layer, Repair.layer)),
  Layer.provideMerge(Orchestrator.layerTasks),
  Layer.provideMerge(GiteaGates.layer),
  Layer.provide([Pipeline.layerDefault, AgentLauncher.layerLog]),
  Layer.provideMerge(PlaneSync.layerStorage),
  Layer.provideMerge(Storage.layer)
)
export const services = Effect.all({
  events: StageEvents, letters: DeadLetters, plane: PlaneClient, tasks: Tasks, receiver: Receiver, silence: Silence, sync: PlaneSync
})
export const router = Effect.map(HttpInterface, (http) => HttpRouter.empty.pipe(HttpRouter.mountApp("/plane", http)))
export const client = HttpApiClient.make(Api, { baseUrl: "http://127.0.0.1:8500" })
export const tests = [PlaneSimulator.layer(), PlaneSimulator.layerMemory(), untilTold, NotTold] as const
export const key = WorkItemKey.parse("ET-2")
`

const host = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const cwd = yield* files.makeTempDirectoryScoped({ prefix: "plane-sync-host-" })
  const { devDependencies } = yield* Schema.decode(Versions)(yield* files.readFileString(`${root}package.json`))
  const npmInstall = (...names: ReadonlyArray<string>) =>
    run({ cwd }, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", ...names)
  // What its script compiles takes a minute or two, and was mostly compiled when this project was installed.
  const driver = "node_modules/better-sqlite3"
  const versionOf = (folder: string) =>
    Effect.flatMap(files.readFileString(`${folder}/package.json`), Schema.decode(Version))

  yield* Console.log("packing, and installing in an empty program")
  yield* run({ cwd: root }, "npm", "pack", "--silent", "--pack-destination", cwd)
  const packed = (yield* files.readDirectory(cwd)).filter((name) => name.endsWith(".tgz"))
  yield* files.writeFileString(`${cwd}/package.json`, JSON.stringify({ name: "host", private: true, type: "module" }))
  yield* npmInstall(...packed.map((name) => `./${name}`))

  const [theirs, ours] = yield* Effect.all([versionOf(`${cwd}/${driver}`), versionOf(`${root}${driver}`)])
  yield* theirs.version === ours.version
    ? files.copy(`${root}${driver}/build`, `${cwd}/${driver}/build`)
    : run({ cwd }, "npm", "rebuild", "better-sqlite3")

  const { packages } = yield* Schema.decode(Installed)(
    yield* files.readFileString(`${cwd}/node_modules/.package-lock.json`)
  )
  const names = Object.keys(packages)
  yield* Console.log(`packages that an embedding host installs: ${names.length}, at most ${mostPackages}`)
  if (names.length > mostPackages) return yield* new Wrong({ what: `too many packages:\n${names.join("\n")}` })
  const copies = names.filter((path) => /(^|\/)node_modules\/effect$/.test(path))
  yield* Console.log(`copies of effect: ${copies.length}`)
  if (copies.length !== 1) return yield* new Wrong({ what: `copies of effect:\n${copies.join("\n")}` })

  const without = yield* run({ cwd, expected: 1 }, "npx", "plane-sync", "--help")
  yield* says(without, "npm install @effect/cli@0")
  yield* Console.log(`plane-sync --help: ${without.trim()}`)

  yield* npmInstall(
    "@effect/cli@0",
    ...["typescript", "@types/node", "vitest", "@effect/vitest", "@effect/sql-pg"].map((name) =>
      `${name}@${devDependencies[name] ?? ""}`
    )
  )
  yield* says(yield* run({ cwd }, "npx", "plane-sync", "--help"), "publish stage-changed")
  yield* Console.log("with @effect/cli it shows its commands")

  const examples = (yield* files.readDirectory(`${root}examples`)).filter((name) => name.endsWith(".ts"))
  for (const name of examples) yield* files.copyFile(`${root}examples/${name}`, `${cwd}/${name}`)
  yield* files.writeFileString(`${cwd}/readme.ts`, yield* exampleIn("README.md"))
  yield* files.writeFileString(`${cwd}/setup.ts`, yield* exampleIn("docs/setup.md"))
  yield* files.writeFileString(`${cwd}/exported.ts`, exported)
  yield* files.writeFileString(`${cwd}/tsconfig.json`, JSON.stringify(types))
  yield* run({ cwd }, "npx", "tsc")
  yield* Console.log(`README, docs/setup.md, ${examples.join(", ")}: types as strict as they can be, with declarations`)

  const plane = yield* PlaneSimulator
  const items = yield* Effect.forEach(
    ["of the README", "ET-002 of the README", "embed", "own-pipeline"],
    (name) => plane.addWorkItem({ name })
  )
  const settingsOf = (name: string): Settings => ({ ...plane.settings, ORCH_DATABASE_URL: `./${name}.sqlite` })
  /** The item in Plane, once it has at least so many comments. */
  const told = (index: number, comments: number) =>
    Effect.flatMap(Effect.fromNullable(items[index]), ({ id }) => plane.workItem(id)).pipe(
      Effect.filterOrFail(
        (item) => item.comments >= comments,
        (item) => new Wrong({ what: `${item.key} has ${item.comments} comments, expected ${comments}` })
      ),
      Effect.tap(({ key, state, comments }) =>
        Console.log(`  in Plane: ${key} is ${state.name}, comments: ${comments}`)
      )
    )

  const settings = settingsOf("readme")
  yield* says(yield* run({ cwd, settings }, "node", "out/readme.js"), "Committed")
  yield* says(yield* run({ cwd, settings }, "npx", "plane-sync", "events"), "ET-002", "delivered")
  yield* Console.log("the README's example has changed its work item")
  yield* told(1, 1)

  yield* Effect.scoped(Effect.gen(function*() {
    const child = yield* Command.start(
      Command.make("node", "out/embed.js", "ET-3").pipe(
        Command.workingDirectory(cwd),
        Command.env(settingsOf("embed")),
        Command.stdout("inherit")
      )
    )
    yield* told(2, 3).pipe(Effect.retry({ schedule: Schedule.spaced("1 second"), times: 60 }))
    if (!(yield* child.isRunning)) return yield* new Wrong({ what: "examples/embed.ts did not stay alive" })
    yield* child.kill("SIGTERM")
  }))
  yield* Console.log("examples/embed.ts stays alive, and takes its work item from stage to stage")

  const transaction = yield* run({ cwd, settings: settingsOf("host") }, "node", "out/host-transaction.js")
  yield* says(transaction, "Joined", "tasks: ET-1; published: ET-1")
  yield* Console.log("examples/host-transaction.ts: one is committed, the other has vanished")

  const postgres = choose(undefined, installed)
  yield* postgres._tag !== "Own"
    ? Console.log("NOT RUN: examples/host-transaction-postgres.ts, because there is no Postgres")
    : Effect.scoped(Effect.gen(function*() {
      const cluster = yield* makeCluster(postgres.folder)
      const settings = { ...plane.settings, DATABASE_URL: cluster.url("postgres") }
      const out = yield* run({ cwd, settings }, "node", "out/host-transaction-postgres.js")
      yield* says(out, "tasks: ET-1; published: ET-1")
      yield* Console.log("examples/host-transaction-postgres.ts: one is committed, the other has vanished")
    }))

  const pipeline = yield* run({ cwd, settings: settingsOf("own") }, "node", "out/own-pipeline.js", "ET-4")
  yield* says(pipeline, "writer works on ET-4", "ET-4 is done at published", "Plane has been told")
  yield* Console.log("examples/own-pipeline.ts goes through its own stages")
  yield* told(3, 1)

  yield* says(yield* run({ cwd }, "npx", "vitest", "run", "out/host.test.js"), "1 passed")
  yield* Console.log("examples/host.test.ts passes")
})

host.pipe(
  Effect.scoped,
  Effect.provide([NodeContext.layer, PlaneSimulator.layer()]),
  NodeRuntime.runMain
)
