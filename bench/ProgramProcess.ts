import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Path from "@effect/platform/Path"
import { Data, Effect, Schedule } from "effect"
import { build } from "esbuild"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { freePort } from "./Port.js"

class DidNotStart extends Data.TaggedError("DidNotStart")<{ readonly path: string; readonly said: string }> {
  override get message(): string {
    return `${this.path} did not answer GET /health: ${this.said}`
  }
}

class NotBuilt extends Data.TaggedError("NotBuilt")<{ readonly cause: unknown }> {}

const root = fileURLToPath(new URL("..", import.meta.url))

/**
 * The program, and the bare one that it is compared with, as plain JavaScript: a file for each module, as `npm run build`
 * leaves them. They stand below `node_modules`, where packages are found, and are gone when the scope closes.
 */
export const builtPrograms = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const cache = path.join(root, "node_modules", ".cache")
  yield* files.makeDirectory(cache, { recursive: true })
  const folder = yield* files.makeTempDirectoryScoped({ directory: cache, prefix: "plane-sync-bench-" })
  yield* files.copyFile(path.join(root, "package.json"), path.join(folder, "package.json"))
  const sources = yield* files.readDirectory(path.join(root, "src"), { recursive: true })
  const entryPoints = sources.filter((name) => name.endsWith(".ts")).map((name) => path.join(root, "src", name))
  yield* Effect.tryPromise({
    try: () =>
      build({
        entryPoints: [...entryPoints, path.join(root, "bench", "BareApi.ts")],
        outbase: root,
        outdir: folder,
        format: "esm",
        target: "node20",
        logLevel: "silent"
      }),
    catch: (cause) => new NotBuilt({ cause })
  })
  return { program: path.join(folder, "src", "main.js"), bare: path.join(folder, "bench", "BareApi.js") }
})

/**
 * Starts a program as a process of its own, with no settings but those given and `ORCH_PORT`, and waits until it
 * answers `GET /health`, which it gives. Killed when the scope closes.
 */
export const startProgram = (path: string, args: ReadonlyArray<string>, settings: Readonly<Record<string, string>>) =>
  Effect.gen(function*() {
    const client = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
    const port = yield* freePort
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [path, ...args], {
          env: { PATH: process.env["PATH"], ORCH_PORT: String(port), ...settings },
          stdio: ["ignore", "ignore", "pipe"]
        })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    let said = ""
    child.stderr.setEncoding("utf8").on("data", (part: string) => {
      said += part
    })
    const health = Effect.flatMap(client.get(`http://127.0.0.1:${port}/health`), (response) => response.text)
    const answer = yield* health.pipe(
      Effect.retry(Schedule.spaced("2 millis")),
      Effect.timeoutFail({ duration: "30 seconds", onTimeout: () => new DidNotStart({ path, said }) })
    )
    return { pid: child.pid ?? 0, health: answer }
  })
