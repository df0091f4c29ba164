import { Effect, Schema } from "effect"
import { cleanLine, reasonLimit, textLimit } from "../base/Text.js"
import type { StorageError } from "../storage/StorageError.js"
import type { Task } from "./Task.js"
import type { NoTask, TaskStore } from "./TaskStore.js"

const present = { workItem: Schema.String, status: Schema.String, stage: Schema.String }

/** The task is paused, stopped or done, so its gates are not asked. */
export class NotActive extends Schema.TaggedError<NotActive>()("NotActive", present) {
  override get message(): string {
    return `The task of ${this.workItem} is ${this.status} at ${this.stage}: it does not advance`
  }
}

/** The task is stopped or done, so there is nothing to pause. */
export class NotPaused extends Schema.TaggedError<NotPaused>()("NotPaused", present) {
  override get message(): string {
    return `The task of ${this.workItem} is ${this.status} at ${this.stage}: there is nothing to pause`
  }
}

/** The task of a key whose gates a person wants to be asked now. */
export const activeTask = (
  tasks: Pick<TaskStore["Type"], "get">,
  key: string
): Effect.Effect<Task, StorageError | NoTask | NotActive> =>
  Effect.filterOrFail(tasks.get(key), ({ status }) => status === "active", (task) => new NotActive(task))

/** Pauses a task because a person, or a script in a person's place, says so. One that is paused stays as it is. */
export const pauseByHand = (
  tasks: Pick<TaskStore["Type"], "get" | "pause">,
  key: string,
  { by, reason }: { readonly by: string; readonly reason?: string | undefined }
): Effect.Effect<Task, StorageError | NoTask | NotPaused> =>
  Effect.gen(function*() {
    const { id } = yield* tasks.get(key)
    const who = `by ${cleanLine(by, textLimit)}`
    yield* tasks.pause(id, reason === undefined ? who : `${cleanLine(reason, reasonLimit)} (${who})`)
    const task = yield* tasks.get(key)
    return task.status === "stopped" || task.status === "done" ? yield* new NotPaused(task) : task
  })
