import type { Effect } from "effect"
import { Context } from "effect"
import type { StorageError } from "../outbox/StorageError.js"
import type { TaskStore } from "./TaskStore.js"

/** The tasks, and what takes them from stage to stage. */
export class Tasks extends Context.Tag("plane-sync/Tasks")<
  Tasks,
  TaskStore["Type"] & {
    /**
     * Asks the gates of the task's present stage. All hold: the next stage and its `StageChanged` in one commit, and so on
     * until one does not. One fails: `QualityGateFailed`, when that is news. Entering the last stage completes the task.
     * Concurrent calls advance it once; a task that is not active, or not there, is left alone.
     */
    readonly advance: (taskId: number) => Effect.Effect<void, StorageError>
  }
>() {}
