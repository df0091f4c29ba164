import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Effect, Schema } from "effect"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"

/** The program does not compile. */
export class BuildError extends Schema.TaggedError<BuildError>()("BuildError", { words: Schema.String }) {
  override get message(): string {
    return `The program cannot be built: ${this.words}`
  }
}

const root = fileURLToPath(new URL("../../", import.meta.url))

/**
 * The program as plain JavaScript, for it is started many times: the folder with its `main.js`, gone when the scope closes.
 * It stands below `node_modules`, where its imports resolve and nobody's `dist` is overwritten.
 */
export const build = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const cache = path.join(root, "node_modules", ".cache")
  yield* files.makeDirectory(cache, { recursive: true })
  const directory = yield* files.makeTempDirectoryScoped({ directory: cache, prefix: "plane-sync-crash-" })
  const compiled = path.join(directory, "dist")
  yield* files.copyFile(path.join(root, "package.json"), path.join(directory, "package.json"))
  const args = ["-p", "tsconfig.build.json", "--outDir", compiled, "--noCheck"]
  const quick = ["--declaration", "false", "--declarationMap", "false", "--sourceMap", "false"]
  yield* Effect.async<void, BuildError>((resume) => {
    const tsc = path.join(root, "node_modules", "typescript", "bin", "tsc")
    const child = execFile(process.execPath, [tsc, ...args, ...quick], { cwd: root }, (error, stdout) => {
      resume(error === null ? Effect.void : Effect.fail(new BuildError({ words: `${error.message}\n${stdout}` })))
    })
    return Effect.sync(() => {
      child.kill("SIGKILL")
    })
  })
  return compiled
})
