import { Context, Effect, Layer } from "effect"
import type { Stage } from "../domain/Stage.js"
import type { Task } from "./Task.js"

/** A task has entered a stage that has an agent. */
export interface Launch {
  /** The id of the transition that entered the stage: what a launcher tells a repetition by. */
  readonly entry: string
  readonly agent: string
  readonly stage: Stage
  /** As it is now: a task whose gates hold at once may have left `stage` already. */
  readonly task: Task
}

/**
 * Starts the agents. Called after the commit, at least once for each stage that was entered, also after a restart in
 * between; no task waits for it. A launch that fails or takes longer than 30 seconds is logged and tried again each minute.
 */
export class AgentLauncher extends Context.Tag("plane-sync/AgentLauncher")<AgentLauncher, {
  readonly launch: (launch: Launch) => Effect.Effect<void, unknown>
}>() {
  /** Only says so in the log. */
  static readonly layerLog: Layer.Layer<AgentLauncher> = Layer.succeed(AgentLauncher, {
    launch: ({ agent, entry, stage, task }) =>
      Effect.logInfo(`${task.workItem} is at ${stage}: launching ${agent}`).pipe(
        Effect.annotateLogs({ transition: entry })
      )
  })
}
