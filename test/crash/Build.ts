import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Effect, Schema } from "effect"
import { build as bundle } from "esbuild"
import { fileURLToPath } from "node:url"

/** The program cannot be built. */
export class BuildError extends Schema.TaggedError<BuildError>()("BuildError", { cause: Schema.Defect }) {
  override get message(): string {
    return `The program cannot be built: ${String(this.cause)}`
  }
}

/** The programs as plain JavaScript. */
export interface Built {
  readonly program: string
  readonly simulator: string
}

const root = fileURLToPath(new URL("../../", import.meta.url))

/**
 * Bundles the program and the simulated Plane, each into one file. The program is started for every kill, and a bundle
 * listens after a third of the time that reading the modules one by one takes. Only the SQLite driver, with its
 * compiled part, stays outside. The files stand below `node_modules`, so that the driver is found, and are removed when
 * the scope closes.
 */
export const build = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const cache = path.join(root, "node_modules", ".cache")
  yield* files.makeDirectory(cache, { recursive: true })
  const directory = yield* files.makeTempDirectoryScoped({ directory: cache, prefix: "plane-sync-crash-" })
  // As deep as `dist/http`, because the program reads its version from a relative path.
  const folder = path.join(directory, "dist", "crash")
  yield* files.makeDirectory(folder, { recursive: true })
  yield* files.copyFile(path.join(root, "package.json"), path.join(directory, "package.json"))
  const built: Built = { program: path.join(folder, "main.js"), simulator: path.join(folder, "simulator.js") }
  const require = "import { createRequire } from \"node:module\"; const require = createRequire(import.meta.url);"
  yield* Effect.tryPromise({
    try: () =>
      bundle({
        entryPoints: {
          main: path.join(root, "src", "main.ts"),
          simulator: path.join(root, "src", "simulator", "main.ts")
        },
        outdir: folder,
        bundle: true,
        platform: "node",
        target: "node20",
        format: "esm",
        external: ["better-sqlite3"],
        banner: { js: require },
        logLevel: "silent"
      }),
    catch: (cause) => new BuildError({ cause })
  })
  return built
})
