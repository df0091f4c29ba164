import { Context, Effect, Either, Layer } from "effect"
import { WorkItemKey } from "../../domain/WorkItemKey.js"
import type { Task } from "../../orchestrator/Task.js"
import { TaskStore } from "../../orchestrator/TaskStore.js"
import { Storage } from "../../outbox/Storage.js"
import type { StorageError } from "../../outbox/StorageError.js"
import type { PullRequest } from "./Facts.js"
import { readPullRequest, readPullRequestOf } from "./Facts.js"

/** Which pull request a task's work is in. */
export class TaskPullRequests extends Context.Tag("plane-sync/TaskPullRequests")<TaskPullRequests, {
  /** The one that a host has linked, or else the one that names the task's work item. */
  readonly of: (task: Task) => Effect.Effect<PullRequest | undefined, StorageError>
  /** `of`, and the task shows it from now on. */
  readonly link: (task: Task) => Effect.Effect<PullRequest | undefined, StorageError>
}>() {
  static readonly layer: Layer.Layer<TaskPullRequests, never, Storage | TaskStore> = Layer.effect(
    TaskPullRequests,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function*() {
  const { read, sql } = yield* Storage
  const tasks = yield* TaskStore

  const of = (task: Task) =>
    read(Effect.gen(function*() {
      const { linkedByName, pullRequest: number, repository } = task
      // A link that only repeats what a name said goes where the name goes.
      if (repository !== undefined && number !== undefined && !linkedByName) {
        return yield* readPullRequest(sql, repository.id, number)
      }
      const key = WorkItemKey.parse(task.workItem)
      return Either.isRight(key) ? yield* readPullRequestOf(sql, key.right.canonical) : undefined
    }))

  const link = (task: Task) =>
    Effect.tap(of(task), (found) => {
      if (found === undefined) return Effect.void
      const isSame = task.repository?.id === found.repository && task.pullRequest === found.number
      if (isSame && task.headSha === found.headSha) return Effect.void
      return tasks.link(task.id, {
        repository: { id: found.repository, name: found.name },
        pullRequest: found.number,
        headSha: found.headSha,
        // Only a name leads to another one than is linked.
        byName: !isSame || task.linkedByName
      })
    })

  return TaskPullRequests.of({ of, link })
})
