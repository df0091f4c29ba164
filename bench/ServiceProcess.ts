import { Data, Effect, Schedule } from "effect"
import type { Scope } from "effect"
import { spawn } from "node:child_process"
import { connect } from "node:net"
import { fileURLToPath } from "node:url"

/** A program of this project that listens, in a separate process. It is killed when the scope closes. */
export interface ServiceProcess {
  readonly pid: number
  /** Sends SIGTERM, and waits until the process is gone. */
  readonly terminate: Effect.Effect<void>
  /** Sends SIGKILL, and waits until the process is gone. */
  readonly kill: Effect.Effect<void>
}

export class ServiceDidNotStart extends Data.TaggedError("ServiceDidNotStart")<{ readonly script: string }> {
  override get message(): string {
    return `${this.script} did not start`
  }
}

const root = fileURLToPath(new URL("..", import.meta.url))

/**
 * A module for a process whose stdin is a pipe. The process ends when our end of the pipe closes, however we end, so a
 * killed bench leaves nothing behind.
 */
export const endsWithParent = `data:text/javascript,process.stdin.resume().on("end",()=>process.exit())`

const listens = (port: number) =>
  Effect.async<void, Error>((resume) => {
    const socket = connect(port, "127.0.0.1")
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.void)
    })
    socket.once("error", (error) => resume(Effect.fail(error)))
  })

/** Starts a script and waits until `ready` succeeds, by default until something listens on its port. */
export const startService = (options: {
  readonly script: string
  readonly args?: ReadonlyArray<string>
  /** Modules that are loaded before it. */
  readonly imports?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  readonly port: number
  readonly ready?: Effect.Effect<unknown, unknown>
}): Effect.Effect<ServiceProcess, ServiceDidNotStart, Scope.Scope> =>
  Effect.gen(function*() {
    const { args = [], env = {}, imports = [], port, ready = listens(port), script } = options
    let gone = false
    const exited = yield* Effect.makeLatch()
    const end = (child: ReturnType<typeof spawn>, signal: NodeJS.Signals) =>
      Effect.suspend(() => {
        if (!gone) child.kill(signal)
        return exited.await
      })
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const child = spawn(
          process.execPath,
          [...[endsWithParent, ...imports].flatMap((module) => ["--import", module]), script, ...args],
          // Nothing of the environment, and no `.env`.
          { cwd: root, env: { PATH: process.env["PATH"], ...env }, stdio: ["pipe", "ignore", "ignore"] }
        )
        const ended = () => {
          gone = true
          exited.unsafeOpen()
        }
        child.once("exit", ended)
        child.once("error", ended)
        return child
      }),
      (child) => end(child, "SIGKILL")
    )
    yield* ready.pipe(
      Effect.retry(Schedule.spaced("100 millis")),
      Effect.orDie,
      Effect.timeoutFail({ duration: "60 seconds", onTimeout: () => new ServiceDidNotStart({ script }) })
    )
    return { pid: child.pid ?? 0, kill: end(child, "SIGKILL"), terminate: end(child, "SIGTERM") }
  })
