import { Deferred, Effect, Exit, Schema } from "effect"
import type { Scope } from "effect"
import { spawn } from "node:child_process"
import { createWriteStream } from "node:fs"
import { createInterface } from "node:readline"

/** A process could not be started, or ended when it should not have. */
export class ChildError extends Schema.TaggedError<ChildError>()("ChildError", {
  program: Schema.String,
  words: Schema.String
}) {
  override get message(): string {
    return `${this.program} ${this.words}`
  }
}

export interface End {
  readonly killed: boolean
  readonly words: string
}

/** A process that we started. It is killed by SIGKILL when the scope that started it closes. */
export interface Child {
  readonly pid: number
  /** Sends SIGKILL at once. */
  readonly kill: () => void
  /** Stops the process as it is, or lets it go on. */
  readonly signal: (name: "SIGSTOP" | "SIGCONT") => void
  /** Waits until the process is gone. Returns whether a SIGKILL ended it, and how that is said. */
  readonly end: Effect.Effect<End>
  /** The first line of its output that `wanted` accepts. Fails if the process ends before. */
  readonly line: Effect.Effect<string, ChildError>
}

// If this process is itself killed, it closes no scope. So a child ends when its standard input ends.
const leash = `data:text/javascript,process.stdin.on("close",()=>process.exit(1)).resume()`

/** Starts `node` with a script. Its output goes to the end of the file `log`. */
export const start = (options: {
  readonly program: string
  readonly script: string
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly log: string
  readonly wanted: (line: string) => boolean
}): Effect.Effect<Child, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { program, wanted } = options
    const exited = yield* Deferred.make<End>()
    const found = yield* Deferred.make<string, ChildError>()

    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const child = spawn(process.execPath, ["--import", leash, options.script, ...options.args], {
          cwd: options.cwd,
          // Nothing of the environment: neither settings nor what a test runner puts there.
          env: { PATH: process.env["PATH"] ?? "", ...options.env },
          stdio: "pipe"
        })
        const end = (words: string, killed = false) => {
          Deferred.unsafeDone(exited, Exit.succeed({ killed, words }))
          Deferred.unsafeDone(found, Exit.fail(new ChildError({ program, words })))
        }
        child.on("error", (error) => end(`could not be started: ${error.message}`))
        child.on("exit", (code, signal) =>
          end(`ended by itself (${signal ?? `exit ${String(code)}`})`, signal === "SIGKILL"))
        // The child may be gone before it has read anything.
        child.stdin.on("error", () =>
          undefined)
        const log = createWriteStream(options.log, { flags: "a" })
        for (const output of [child.stdout, child.stderr]) {
          output.pipe(log, { end: false })
          createInterface(output).on("line", (line) => {
            if (wanted(line)) Deferred.unsafeDone(found, Exit.succeed(line))
          })
        }
        child.on("close", () => log.end())
        return child
      }),
      (child) => Effect.zipRight(Effect.sync(() => child.kill("SIGKILL")), Deferred.await(exited))
    )

    return {
      // Without a pid the process could not be started, and `end` says so.
      pid: child.pid ?? -1,
      kill: () => {
        child.kill("SIGKILL")
      },
      signal: (name) => {
        child.kill(name)
      },
      end: Deferred.await(exited),
      line: Deferred.await(found)
    }
  })
