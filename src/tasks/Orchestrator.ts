import { Cause, Clock, Duration, Effect, Layer, Schedule } from "effect"
import { cleanLine, textLimit } from "../base/Text.js"
import type { EpochMillis } from "../base/Time.js"
import type { StageEvents } from "../events/StageEvents.js"
import { startPool } from "../storage/DueWork.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { WakeUps } from "../storage/WakeUps.js"
import { AgentLauncher } from "./AgentLauncher.js"
import type { Pipeline, PipelineError } from "./Pipeline.js"
import type { QualityGates } from "./QualityGate.js"
import { Tasks } from "./Tasks.js"
import { TaskStore } from "./TaskStore.js"

// Gates and launchers wait for others: each hanging one holds up a fourth of the rest, for 30 seconds.
const concurrency = 4
const launchPatience = "30 seconds"
const launchAgainAfter = Duration.toMillis("1 minute")

interface OwedLaunch {
  readonly id: string
  readonly dueAt: EpochMillis
  readonly taskId: number
  readonly stage: string
  readonly agent: string
}

/**
 * Advances the tasks that something was heard of, whichever process wrote it down, and launches the agents of the stages
 * that were entered. At the start every active task is tried once: its gates may have changed their minds.
 */
const work = Layer.scopedDiscard(
  Effect.gen(function*() {
    const { read, sql, write } = yield* Storage
    const wakeUps = yield* WakeUps
    const tasks = yield* Tasks
    const launcher = yield* AgentLauncher

    const perform = ({ agent, id: entry, stage, taskId }: OwedLaunch) =>
      Effect.gen(function*() {
        const task = yield* tasks.byId(taskId)
        const launched = task === undefined
          ? true
          : yield* Effect.suspend(() => launcher.launch({ agent, entry, stage, task })).pipe(
            // One that cannot be interrupted is left behind.
            Effect.disconnect,
            Effect.timeoutFail({ duration: launchPatience, onTimeout: () => `no answer within ${launchPatience}` }),
            Effect.as(true),
            Effect.catchAllCause((cause) =>
              Cause.isInterruptedOnly(cause)
                ? Effect.interrupt
                : Effect.as(
                  Effect.logError(
                    `${agent} was not launched for ${task.workItem} at ${stage}, it is tried again in a minute: ` +
                      cleanLine(String(Cause.squash(cause)), textLimit)
                  ),
                  false
                )
            )
          )
        const now = yield* Clock.currentTimeMillis
        yield* write(
          launched
            ? sql`DELETE FROM plane_sync_launch WHERE entry = ${entry}`
            : sql`UPDATE plane_sync_launch SET due_at = ${now + launchAgainAfter} WHERE entry = ${entry}`
          // Here, so that storage that fails does not launch it each second.
        ).pipe(Effect.retry(Schedule.spaced("1 second")))
      })

    const now = yield* Clock.currentTimeMillis
    yield* write(sql`UPDATE plane_sync_task SET due_at = ${now} WHERE status = 'active'`)
    yield* startPool({
      concurrency,
      wakeUps,
      read: (limit) =>
        read(sql<{ id: number; dueAt: EpochMillis }>`SELECT id, due_at AS "dueAt" FROM plane_sync_task
          WHERE due_at IS NOT NULL ORDER BY due_at LIMIT ${limit}`),
      perform: ({ id }) => tasks.advance(id)
    })
    yield* startPool({
      concurrency,
      wakeUps,
      read: (limit) =>
        read(sql<OwedLaunch>`SELECT entry AS id, due_at AS "dueAt", task AS "taskId", stage, agent
          FROM plane_sync_launch ORDER BY due_at LIMIT ${limit}`),
      perform
    })
  }).pipe(Effect.annotateLogs({ service: "Orchestrator" }))
)

type Parts = Pipeline | QualityGates | AgentLauncher

const layerTasks: Layer.Layer<
  Tasks | TaskStore,
  PipelineError | StorageError,
  Parts | Storage | StageEvents | WakeUps
> = Layer.provideMerge(Layer.provideMerge(work, Tasks.layer), TaskStore.layer)

/**
 * What decides that a stage changes: tasks, a pipeline of stages with their gates, and the launching of agents. A host gives
 * its parts: `Pipeline`, `QualityGates` and `AgentLauncher`.
 */
export const Orchestrator = {
  /** Over a `PlaneSync` that is already there. */
  layerTasks
}
