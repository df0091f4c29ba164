import * as NodeContext from "@effect/platform-node/NodeContext"
import { Context, Effect, Layer } from "effect"
import { spawn } from "node:child_process"
import { createServer } from "node:net"
import { build } from "../crash/Build.js"

/** The program, built once for all that start it. */
export class Program extends Context.Tag("test/Program")<Program, { readonly path: string }>() {
  static readonly layer = Layer.scoped(Program, Effect.map(build, ({ program }) => ({ path: program }))).pipe(
    Layer.provide(NodeContext.layer)
  )
}

/** A port that was free a moment ago. */
export const freePort = Effect.async<number>((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})

/** The real program in a separate process, with no settings but the given ones. It is killed when the scope closes. */
export const start = (
  args: ReadonlyArray<string>,
  options: {
    readonly cwd: string
    readonly settings?: Readonly<Record<string, string>>
    /** What it gets on standard input; nothing if it is left out. */
    readonly input?: string
  }
) =>
  Effect.gen(function*() {
    const { path } = yield* Program
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [path, ...args], {
          cwd: options.cwd,
          env: { PATH: process.env["PATH"], ...options.settings },
          stdio: ["pipe", "pipe", "pipe"]
        })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    child.stdin.end(options.input ?? "")
    let out = ""
    let err = ""
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString()
    })
    child.stderr.on("data", (chunk: Buffer) => {
      err += chunk.toString()
    })
    const ended = yield* Effect.fork(Effect.async<number | string>((resume) => {
      child.on("close", (code, signal) => resume(Effect.succeed(code ?? signal ?? "?")))
    }))
    return {
      output: Effect.sync(() => ({ out, err })),
      signal: (name: "SIGTERM" | "SIGINT" | "SIGKILL") => Effect.sync(() => child.kill(name)),
      /** The exit code, or the signal that ended it. */
      ended: Effect.map(ended.await, (exit) => exit._tag === "Success" ? exit.value : "?")
    }
  })

/** Runs the program to its end. */
export const run = (args: ReadonlyArray<string>, options: Parameters<typeof start>[1]) =>
  Effect.scoped(Effect.gen(function*() {
    const child = yield* start(args, options)
    const code = yield* child.ended
    return { code, ...(yield* child.output) }
  }))

/** Waits until it says on standard error that it listens. */
export const listening = (child: Effect.Effect.Success<ReturnType<typeof start>>) =>
  Effect.repeat(Effect.zipLeft(child.output, Effect.sleep("20 millis")), {
    until: ({ err }) => err.includes("listens on")
  })
