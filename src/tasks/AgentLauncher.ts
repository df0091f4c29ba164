import { Context, Effect, Layer } from "effect"
import type { Stage } from "../domain/Stage.js"
import type { Task } from "./Task.js"

/** An agent is asked to work on a stage that a task has entered. */
export interface Launch {
  /** The id of the transition that entered the stage. A launch that is repeated has the same one. */
  readonly entry: string
  readonly agent: string
  readonly stage: Stage
  /** The task as it is now. If its gates hold at once, it may have left `stage` already. */
  readonly task: Task
}

/**
 * Starts the agents. It is called after the commit, at least once for each stage that was entered, also when the
 * program is restarted in between. No task waits for it. A launch that fails, or takes longer than 30 seconds, is
 * logged and tried again each minute.
 */
export class AgentLauncher extends Context.Tag("plane-sync/AgentLauncher")<AgentLauncher, {
  readonly launch: (launch: Launch) => Effect.Effect<void, unknown>
}>() {
  /** Only writes a line to the log. */
  static readonly layerLog: Layer.Layer<AgentLauncher> = Layer.succeed(AgentLauncher, {
    launch: ({ agent, entry, stage, task }) =>
      Effect.logInfo(`${task.workItem} is at ${stage}: launching ${agent}`).pipe(
        Effect.annotateLogs({ transition: entry })
      )
  })
}
