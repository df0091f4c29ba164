import { Context, Effect, Layer } from "effect"
import type { Stage } from "../domain/Stage.js"
import type { Task } from "./Task.js"

/** An agent is asked to work on a stage that a task has entered. */
export interface Launch {
  /** The id of the transition that entered the stage. A launch or a stop that is repeated has the same one. */
  readonly entry: string
  readonly agent: string
  readonly stage: Stage
  /** The task as it is now. */
  readonly task: Task
}

/**
 * Starts the agents, and stops them. No task waits for it. A call that fails, or takes longer than 30 seconds, is given
 * up, logged, and tried again after a pause that grows from a second to 10 minutes. For one entry, no call of `stop`
 * begins before the calls of `launch` have ended or were given up.
 */
export class AgentLauncher extends Context.Tag("plane-sync/AgentLauncher")<AgentLauncher, {
  /**
   * Called after the commit that enters a stage, at least once for each stage at which a task comes to rest, also when
   * the program is restarted in between. At most `ORCH_LAUNCHES` agents are at work: the others wait for their turn. An
   * agent is at work until its task leaves the stage, a report on the stage comes, it is stopped, or 6 hours are over.
   */
  readonly launch: (launch: Launch) => Effect.Effect<void, unknown>
  /**
   * Called at least once for each agent that may be at work when its task is stopped: it was cancelled, ended by a
   * person, or its work item was deleted or archived. It may be that the launch had failed. A stop that fails is tried
   * again for 6 hours.
   */
  readonly stop: (launch: Launch) => Effect.Effect<void, unknown>
}>() {
  /** Only writes lines to the log. */
  static readonly layerLog: Layer.Layer<AgentLauncher> = Layer.succeed(AgentLauncher, {
    launch: ({ agent, entry, stage, task }) =>
      Effect.logInfo(`${task.workItem} is at ${stage}: launching ${agent}`).pipe(
        Effect.annotateLogs({ transition: entry })
      ),
    stop: ({ agent, entry, stage, task }) =>
      Effect.logInfo(`${task.workItem} is ${task.status} at ${stage}: stopping ${agent}`).pipe(
        Effect.annotateLogs({ transition: entry })
      )
  })
}
