import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { StateId } from "../domain/StageStates.js"
import type { StorageError } from "../storage/StorageError.js"
import type { TaskId } from "./Task.js"
import type { TaskStore } from "./TaskStore.js"

/** A person has moved a task's work item to a state in Plane. */
export interface PersonMove {
  /** backlog, unstarted, started, completed or cancelled. */
  readonly group: string
  readonly stateId: StateId
  /** When it was moved, by Plane's clock; never later than now. */
  readonly at: EpochMillis
}

/** Does what a person's move means for a task. Safe to repeat. */
export type ApplyMove = (taskId: TaskId, move: PersonMove) => Effect.Effect<void, StorageError>

export const makePersonMoves = (tasks: Pick<TaskStore["Type"], "pause" | "stop">): ApplyMove => (taskId, { group }) => {
  switch (group) {
    case "cancelled":
      return tasks.stop(taskId, "the work item was cancelled in Plane")
    case "completed":
      return tasks.stop(taskId, "the work item was completed in Plane")
    case "backlog":
    case "unstarted":
      return tasks.pause(taskId, "the work item was moved back in Plane")
    default:
      return Effect.void
  }
}
