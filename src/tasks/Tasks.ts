import { Context, Effect, Layer } from "effect"
import { Projects } from "../domain/Projects.js"
import { StageEvents } from "../events/StageEvents.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { makeAdvance } from "./Advance.js"
import type { NotOverruled, Override, Overruled } from "./Overrule.js"
import { makeOverrule } from "./Overrule.js"
import type { PipelineError } from "./Pipeline.js"
import { Pipeline } from "./Pipeline.js"
import { QualityGates } from "./QualityGate.js"
import { requireGates } from "./RequireGates.js"
import type { UnknownStage } from "./RequireStage.js"
import type { TaskId } from "./Task.js"
import type { NoTask } from "./TaskStore.js"
import { TaskStore } from "./TaskStore.js"

/** The tasks, and what takes them from stage to stage. */
export class Tasks extends Context.Tag("plane-sync/Tasks")<
  Tasks,
  TaskStore["Type"] & {
    /**
     * Asks the gates of the task's stage and of the stages before; while all of a stage hold, also those of the next
     * one. All stages that it enters are stored in one commit, with a `StageChanged` each. Only the one where it comes
     * to rest has an agent launched. A gate that fails, or that held when its stage was left and is lost, has a
     * `QualityGateFailed`, when that is news. Entering the last stage completes the task. Of a task that is done only
     * the lasting gates are asked. Concurrent calls advance it once. A task that is paused or stopped, or does not
     * exist, is left alone.
     */
    readonly advance: (taskId: TaskId) => Effect.Effect<void, StorageError>
    /**
     * Takes a task out of the stage that it is at, whatever the gates say, and publishes this `StageChanged` with who
     * did it and why. The task enters the next stage and is due there: `advance` goes on. Nothing is done if the task
     * is not active at this stage, so a repetition fails with `NotOverruled` and overrules no second stage.
     */
    readonly overrule: (
      key: string,
      override: Override
    ) => Effect.Effect<Overruled, StorageError | NoTask | UnknownStage | NotOverruled>
  }
>() {
  /** Fails when the pipeline names a gate that nobody provides. */
  static readonly layer: Layer.Layer<
    Tasks,
    PipelineError,
    TaskStore | Storage | StageEvents | Pipeline | Projects | QualityGates
  > = Layer.effect(Tasks, Effect.suspend(() => make))
}

/** Runs one effect at a time for each task, so that the gates of a task are not asked twice at once. */
const makeLocks = () => {
  const locks = new Map<TaskId, { readonly semaphore: Effect.Semaphore; users: number }>()
  return (taskId: TaskId) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const lock = locks.get(taskId) ?? { semaphore: Effect.unsafeMakeSemaphore(1), users: 0 }
        locks.set(taskId, lock)
        lock.users += 1
        return lock
      }),
      ({ semaphore }) => semaphore.withPermits(1)(effect),
      (lock) =>
        Effect.sync(() => {
          lock.users -= 1
          if (lock.users === 0) locks.delete(taskId)
        })
    )
}

const make = Effect.gen(function*() {
  const store = yield* TaskStore
  const pipeline = yield* Pipeline
  const gates = yield* QualityGates
  const projects = yield* Projects
  yield* requireGates(pipeline, Array.from(gates.keys()))
  const storage = yield* Storage
  const events = yield* StageEvents
  const advance = makeAdvance(storage, events, pipeline, gates, projects)
  const locked = makeLocks()
  return Tasks.of({
    ...store,
    advance: (taskId) => locked(taskId)(advance(taskId)),
    overrule: makeOverrule(storage, events, pipeline, store, projects)
  })
})
