import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Command from "@effect/platform/Command"
import * as FileSystem from "@effect/platform/FileSystem"
import { Console, Data, Effect, Schema, Stream } from "effect"
import { fileURLToPath } from "node:url"

/**
 * What a user gets: the packed package, installed in an empty program beside nothing. It has one copy of effect, the
 * examples of the documents are whole programs there, under strict types, and what the README's example publishes the
 * command line shows.
 */

class Wrong extends Data.TaggedError("Wrong")<{ readonly what: string }> {
  override get message(): string {
    return this.what
  }
}

const root = fileURLToPath(new URL("../../", import.meta.url))

/** What a command wrote to both outputs. It fails if the command does not end with 0. */
const run = (cwd: string, command: string, ...args: ReadonlyArray<string>) =>
  Effect.scoped(Effect.gen(function*() {
    const child = yield* Command.start(
      Command.make(command, ...args).pipe(Command.workingDirectory(cwd), Command.env({ ORCH_PLANE_API_TOKEN: "" }))
    )
    const [out, code] = yield* Effect.all(
      [
        Stream.merge(child.stdout, child.stderr).pipe(Stream.decodeText(), Stream.mkString),
        child.exitCode
      ],
      { concurrency: "unbounded" }
    )
    if (code !== 0) {
      return yield* new Wrong({ what: `${command} ${args.join(" ")}: exit ${code}\n${out}` })
    }
    return out
  }))

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

// What users' own tests import.
const simulated = `import { PlaneSimulator } from "plane-sync/simulator"
export const layer = PlaneSimulator.layer()
`

const types = {
  compilerOptions: {
    strict: true,
    exactOptionalPropertyTypes: true,
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

const host = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const cwd = yield* files.makeTempDirectoryScoped({ prefix: "plane-sync-host-" })
  const { devDependencies } = yield* Schema.decode(Versions)(yield* files.readFileString(`${root}package.json`))

  yield* Console.log("packing, and installing in an empty program")
  yield* run(root, "npm", "pack", "--pack-destination", cwd)
  const packed = (yield* files.readDirectory(cwd)).filter((name) => name.endsWith(".tgz"))
  yield* files.writeFileString(`${cwd}/package.json`, JSON.stringify({ name: "host", private: true, type: "module" }))
  yield* run(
    cwd,
    "npm",
    "install",
    "--no-audit",
    "--no-fund",
    ...packed.map((name) => `./${name}`),
    ...["typescript", "@types/node"].map((name) => `${name}@${devDependencies[name] ?? ""}`)
  )

  const copies = (yield* files.readDirectory(`${cwd}/node_modules`, { recursive: true }))
    .filter((path) => /(^|node_modules\/)effect\/package\.json$/.test(path))
  yield* Console.log(`copies of effect: ${copies.length}`)
  if (copies.length !== 1) return yield* new Wrong({ what: `copies of effect:\n${copies.join("\n")}` })

  yield* files.writeFileString(`${cwd}/host.ts`, yield* exampleIn("README.md"))
  yield* files.writeFileString(`${cwd}/webhooks.ts`, yield* exampleIn("docs/setup.md"))
  yield* files.writeFileString(`${cwd}/simulated.ts`, simulated)
  yield* files.writeFileString(`${cwd}/tsconfig.json`, JSON.stringify(types))
  yield* run(cwd, "npx", "tsc")
  yield* Console.log("the examples of README and docs/setup.md, and the simulator: types as strict as they can be")

  const said = yield* run(cwd, "node", "out/host.js")
  if (!said.includes("Committed")) return yield* new Wrong({ what: `the README's example said:\n${said}` })
  const shown = yield* run(cwd, "npx", "plane-sync", "events")
  if (!shown.includes("ET-002")) return yield* new Wrong({ what: `plane-sync events said:\n${shown}` })
  yield* Console.log(`the README's example has published:\n${shown.trimEnd()}`)
})

host.pipe(Effect.scoped, Effect.provide(NodeContext.layer), NodeRuntime.runMain)
