import type { Scope } from "effect"
import { Deferred, Effect, Either, Option, Schedule } from "effect"
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import type { FileHandle } from "node:fs/promises"
import { textOf } from "../base/NetworkCause.js"
import { LaunchFailed } from "../tasks/LaunchFailed.js"
import type { CommandLine } from "./AgentConfig.js"
import { unlinkedFile, unlinkedText } from "./UnlinkedFile.js"

/** How a process ended: its exit code, or the signal that ended it. */
export type Ended = number | NodeJS.Signals

/** A process that leads a process group of its own. */
export interface AgentProcess {
  readonly isRunning: () => boolean
  /** Waits for its end. */
  readonly ended: Effect.Effect<Ended>
  /** What it and its children print. Only this process has the file open besides them. */
  readonly output: FileHandle
  /**
   * Ends all of its group: SIGTERM, and SIGKILL for those that are still there after 10 seconds. False, and nothing is
   * done, if it has ended by itself: then its group may be another program's by now. Also if it has become another
   * user's (`sudo -u`), whom we may not signal.
   */
  readonly end: Effect.Effect<boolean, LaunchFailed>
}

// What a program needs to run at all. Nothing else of our environment is handed on, because it has tokens and secrets.
const handedOn = ["PATH", "HOME", "LANG", "TZ", "USER", "TMPDIR"]

const ownEnvironment = () =>
  Object.fromEntries(handedOn.flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value]]
  }))

const patience = "10 seconds"

/** Whether anybody is in a process group, and whether we may signal one of them. */
type Group = "ours" | "empty" | "others"

/** Sends a signal to a process group; 0 is none. */
const sendSignal = (group: number, name: NodeJS.Signals | 0): Either.Either<Group, LaunchFailed> =>
  Either.try({
    try: (): Group => {
      process.kill(-group, name)
      return "ours"
    },
    catch: (error) => error
  }).pipe(Either.orElse((error): Either.Either<Group, LaunchFailed> => {
    const code = textOf(error, "code")
    if (code === "ESRCH") return Either.right("empty")
    if (code === "EPERM") return Either.right("others")
    return Either.left(new LaunchFailed({ message: `the process group ${group} takes no signal: ${String(error)}` }))
  }))

/**
 * Until Node has waited for the leader of a group, the group's number is nobody else's. After that the number stays the
 * group's as long as anybody is in it, and this looks ten times a second whether somebody is.
 */
const endGroup = (
  group: number,
  { ended, isRunning }: Pick<AgentProcess, "ended" | "isRunning">
): AgentProcess["end"] =>
  Effect.gen(function*() {
    // Nothing else runs between the look and the signal.
    if (!isRunning()) return false
    if ((yield* sendSignal(group, "SIGTERM")) !== "ours") return false
    const gone = yield* Effect.suspend(() => sendSignal(group, 0)).pipe(
      Effect.repeat({ while: (who) => who === "ours", schedule: Schedule.spaced("100 millis") }),
      Effect.timeoutOption(patience)
    )
    // A program that has started others as another user may be gone, and they at work.
    if (Option.isSome(gone)) return (yield* sendSignal(group, 0)) === "empty"
    yield* sendSignal(group, "SIGKILL")
    yield* Effect.timeoutFail(ended, {
      duration: patience,
      onTimeout: () => new LaunchFailed({ message: `the process ${group} is still there after SIGKILL` })
    })
    return true
  })

const started = (
  [program, ...args]: CommandLine,
  variables: Record<string, string>,
  input: FileHandle,
  output: FileHandle,
  ended: Deferred.Deferred<Ended>
) =>
  Effect.async<ChildProcess, LaunchFailed>((resume) => {
    const failed = (error: unknown) =>
      resume(new LaunchFailed({ message: `${program} could not be started: ${String(error)}` }))
    try {
      const child = spawn(program, args, {
        detached: true,
        env: { ...ownEnvironment(), ...variables },
        stdio: [input.fd, output.fd, output.fd]
      })
      child.once("error", failed)
      // Before anything else can run, because a short process may end at once.
      child.once("exit", (code, signal) => Deferred.unsafeDone(ended, Effect.succeed(code ?? signal ?? 0)))
      child.once("spawn", () => resume(Effect.succeed(child)))
      child.unref()
    } catch (error) {
      failed(error)
    }
  })

/**
 * Starts a program. No shell is involved, and its environment has only `variables` and what any program needs. It
 * leads a group of its own, so that no signal to this process reaches it, and it outlives this process: its input and
 * output are files, because a pipe would break with this process, and end it. `@effect/platform`'s `Command` would hand
 * on the whole environment, and end it with the scope.
 */
export const startProcess = (
  command: CommandLine,
  options: { readonly input: string; readonly variables: Record<string, string> }
): Effect.Effect<AgentProcess, LaunchFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const output = yield* unlinkedFile
    const exit = yield* Deferred.make<Ended>()
    const child = yield* Effect.scoped(Effect.flatMap(
      unlinkedText(options.input),
      (input) => started(command, options.variables, input, output, exit)
    ))
    const { pid } = child
    if (pid === undefined) return yield* new LaunchFailed({ message: `${command[0]} has no process id` })
    const ended = Deferred.await(exit)
    const isRunning = () => child.exitCode === null && child.signalCode === null
    return {
      isRunning,
      ended,
      output,
      end: endGroup(pid, { ended, isRunning })
    }
  })
