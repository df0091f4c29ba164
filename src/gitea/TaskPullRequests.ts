import { Context, Effect, Either, Layer } from "effect"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { Task } from "../tasks/Task.js"
import { TaskStore } from "../tasks/TaskStore.js"
import type { PullRequest } from "./Facts.js"
import { readPullRequest, readPullRequestOf } from "./Facts.js"

/** The pull request that a task's work is in. */
export class TaskPullRequests extends Context.Tag("plane-sync/TaskPullRequests")<TaskPullRequests, {
  /**
   * The pull request that a host has linked to the task, or else the one that names the task's work item. Where "ET-2"
   * and "ET-002" are two tasks, a pull request that names either belongs to "ET-2".
   */
  readonly of: (task: Task) => Effect.Effect<PullRequest | undefined, StorageError>
  /** `of`, and links it to the task. */
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
    Effect.gen(function*() {
      const { linkedByName, pullRequest: number, repository } = task
      // A link that comes only from a name follows the name.
      if (repository !== undefined && number !== undefined && !linkedByName) {
        return yield* read(readPullRequest(sql, repository.id, number))
      }
      const key = WorkItemKey.parse(task.workItem)
      if (Either.isLeft(key)) return undefined
      const { canonical, zeros } = key.right
      const named = zeros ? yield* tasks.byKey(canonical) : task
      return named === undefined || named.id === task.id ? yield* read(readPullRequestOf(sql, canonical)) : undefined
    })

  const link = (task: Task) =>
    Effect.tap(of(task), (found) => {
      if (found === undefined) return Effect.void
      const isSame = task.repository?.id === found.repository && task.pullRequest === found.number
      if (isSame && task.headSha === found.headSha) return Effect.void
      return tasks.link(task.id, {
        repository: { id: found.repository, name: found.name },
        pullRequest: found.number,
        headSha: found.headSha,
        // Another pull request than the linked one can only have been found by its name.
        byName: !isSame || task.linkedByName
      })
    })

  return TaskPullRequests.of({ of, link })
})
