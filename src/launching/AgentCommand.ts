import { Effect, ExecutionStrategy, Exit, Layer, Option, Scope } from "effect"
import { textLimit, visibleLine } from "../base/Text.js"
import { Projects } from "../domain/Projects.js"
import type { Launch } from "../tasks/AgentLauncher.js"
import { AgentLauncher } from "../tasks/AgentLauncher.js"
import { LaunchFailed } from "../tasks/LaunchFailed.js"
import type { CommandLine } from "./AgentConfig.js"
import type { AgentProcess, Ended } from "./AgentProcess.js"
import { startProcess } from "./AgentProcess.js"
import type { Action } from "./LaunchDocument.js"
import { documentOf, variablesOf } from "./LaunchDocument.js"
import { logOutput } from "./OutputLog.js"

/** How long a command that stops an agent is waited for. `AgentLauncher` gives up a call after 30 seconds. */
const stopPatience = "20 seconds"

const inWords = (ended: Ended) => typeof ended === "number" ? `exit code ${ended}` : ended

/** "analyst for ET-2 at analysis" */
const named = ({ agent, stage, task }: Launch) =>
  [visibleLine(agent, textLimit), "for", task.workItem, "at", visibleLine(stage, textLimit)].join(" ")

/**
 * Launches agents by a command of this machine, and stops them. Those that it has started itself, and that still run,
 * are stopped by signals to their process group; the others, as after a restart, by the command once more, with the
 * action "stop". A process id is never stored, because after a restart it may be another program's. What runs when the
 * layer's scope closes is left running.
 */
export const commandLayer = (command: CommandLine): Layer.Layer<AgentLauncher, never, Projects> =>
  Layer.scoped(
    AgentLauncher,
    Effect.gen(function*() {
      const scope = yield* Effect.scope
      const projects = yield* Projects
      const running = new Map<string, AgentProcess>()
      const stopping = new WeakSet<AgentProcess>()

      /** Another one may have been started for the same entry since this one has ended. */
      const forget = (key: string, agent: AgentProcess) =>
        Effect.sync(() => {
          if (running.get(key) === agent) running.delete(key)
        })

      /** Logs what a process does until its end. */
      const watch = (action: Action, launch: Launch, agent: AgentProcess) =>
        logOutput(agent, (line) => Effect.logInfo(`${named(launch)}: ${line}`)).pipe(
          Effect.tap((ended) =>
            ended === 0 || stopping.has(agent)
              ? Effect.logDebug(`${named(launch)} has ended (${action})`)
              : Effect.logWarning(`${named(launch)} ended with ${inWords(ended)} (${action})`)
          ),
          Effect.annotateLogs({ transition: launch.entry })
        )
      /** The process for an action of an entry: the one that runs already, or a new one. */
      const start = (action: Action, launch: Launch) =>
        Effect.gen(function*() {
          const key = `${action} ${launch.entry}`
          const known = running.get(key)
          if (known?.isRunning() === true) return known
          const life = yield* Scope.fork(scope, ExecutionStrategy.sequential)
          const agent = yield* startProcess(command, {
            input: `${documentOf(projects, action, launch)}\n`,
            variables: variablesOf(action, launch)
          }).pipe(Scope.extend(life), Effect.onError((cause) => Scope.close(life, Exit.failCause(cause))))
          running.set(key, agent)
          yield* watch(action, launch, agent).pipe(
            Effect.ensuring(Effect.zipRight(forget(key, agent), Scope.close(life, Exit.void))),
            Effect.interruptible,
            Effect.forkIn(scope)
          )
          return agent
        }).pipe(Effect.uninterruptible)

      const stopByCommand = (launch: Launch) =>
        Effect.gen(function*() {
          const { ended } = yield* start("stop", launch)
          const exit = yield* Effect.timeoutOption(ended, stopPatience)
          // One that still runs was started, and says in the log how it ends.
          if (Option.isNone(exit) || exit.value === 0) return
          return yield* new LaunchFailed({ message: `${command[0]} ended with ${inWords(exit.value)}` })
        })

      return AgentLauncher.of({
        launch: (launch) => Effect.asVoid(start("launch", launch)),
        stop: (launch) =>
          Effect.gen(function*() {
            const agent = running.get(`launch ${launch.entry}`)
            if (agent !== undefined) {
              stopping.add(agent)
              if (yield* agent.end) return
            }
            yield* stopByCommand(launch)
          })
      })
    })
  )
