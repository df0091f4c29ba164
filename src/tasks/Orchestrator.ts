import { Cause, Effect, Layer } from "effect"
import { cleanLine, textLimit } from "../base/Text.js"
import { epochMillis } from "../base/Time.js"
import type { StageEvents } from "../events/StageEvents.js"
import { startDueWork } from "../storage/DueWork.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { makeStorageTrouble } from "../storage/StorageTrouble.js"
import { WakeUps } from "../storage/WakeUps.js"
import { AgentLauncher } from "./AgentLauncher.js"
import { longestWait, makeActiveDue, readDueTasks } from "./DueTasks.js"
import type { OwedLaunch } from "./Launches.js"
import { launchAgainAfter, postponeLaunch, readOwedLaunches, settleLaunch } from "./Launches.js"
import type { Pipeline, PipelineError } from "./Pipeline.js"
import type { QualityGates } from "./QualityGate.js"
import { Tasks } from "./Tasks.js"
import { TaskStore } from "./TaskStore.js"

// Gates and launchers wait for others. One that hangs takes a fourth of these for 30 seconds.
const concurrency = 4
const launchPatience = "30 seconds"

/**
 * Advances the tasks that have a new fact, stored by this process or by another one, and those whose gates want to be
 * asked again. Launches the agents of the stages that were entered. At the start the gates of every active task are
 * asked once, because their answers may have changed.
 */
const work = Layer.scopedDiscard(
  Effect.gen(function*() {
    const { read, sql, write } = yield* Storage
    const wakeUps = yield* WakeUps
    const tasks = yield* Tasks
    const launcher = yield* AgentLauncher
    const trouble = yield* makeStorageTrouble

    const launch = (owed: OwedLaunch) =>
      Effect.gen(function*() {
        const { agent, id: entry, stage, taskId } = owed
        const task = yield* tasks.byId(taskId)
        const isDone = task === undefined
          ? true
          : yield* Effect.suspend(() => launcher.launch({ agent, entry, stage, task })).pipe(
            // A launch that cannot be interrupted goes on in the background, and nobody waits for it.
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
        const now = yield* epochMillis
        // Repeated here, because the repetition of the whole would launch the agent again each second.
        yield* trouble.retry(write(isDone ? settleLaunch(sql, owed) : postponeLaunch(sql, owed, now)))
      })

    const now = yield* epochMillis
    yield* write(makeActiveDue(sql, now))
    yield* startDueWork({
      concurrency,
      trouble,
      wakeUps,
      maxAhead: longestWait,
      read: (limit, furthest) => read(readDueTasks(sql, limit, furthest)),
      perform: ({ id }) => tasks.advance(id)
    })
    yield* startDueWork({
      concurrency,
      trouble,
      wakeUps,
      maxAhead: launchAgainAfter,
      read: (limit, furthest) => read(readOwedLaunches(sql, limit, furthest)),
      perform: launch
    })
  }).pipe(Effect.annotateLogs({ service: "Orchestrator" }))
)

/**
 * What decides that a stage changes: tasks, a pipeline of stages with their gates, and the launching of agents. The
 * host gives its parts: `Pipeline`, `QualityGates`, `AgentLauncher`.
 */
export const orchestratorLayer: Layer.Layer<
  Tasks | TaskStore,
  PipelineError | StorageError,
  Pipeline | QualityGates | AgentLauncher | Storage | StageEvents | WakeUps
> = Layer.provideMerge(Layer.provideMerge(work, Tasks.layer), TaskStore.layer)
