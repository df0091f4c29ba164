import { Context, Effect, Either, Layer } from "effect"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { Task } from "../tasks/Task.js"
import { TaskStore } from "../tasks/TaskStore.js"
import type { PullRequest } from "./Facts.js"
import { readPullRequest, readPullRequestOf } from "./Facts.js"

/** Which pull request a task's work is in. */
export class TaskPullRequests extends Context.Tag("plane-sync/TaskPullRequests")<TaskPullRequests, {
  /**
   * The one that a host has linked, or else the one that names the task's work item. Of two tasks, "ET-2" and "ET-002",
   * what is named so is the first one's.
   */
  readonly of: (task: Task) => Effect.Effect<PullRequest | undefined, StorageError>
  /** `of`, and the task shows it from now on. */
  readonly link: (task: Task) => Effect.Effect<PullRequest | undefined, StorageError>
  /** The tasks that may go by it: those that are linked to it, and those of the key that it names, in any spelling. */
  readonly tasksOf: (pullRequest: PullRequest) => Effect.Effect<ReadonlyArray<Task>, StorageError>
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
      // A link that only repeats what a name said goes where the name goes.
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
        // Only a name leads to another one than is linked.
        byName: !isSame || task.linkedByName
      })
    })

  const tasksOf = ({ number, repository, workItem }: PullRequest) =>
    Effect.gen(function*() {
      const found = yield* read(sql<{ id: number }>`SELECT id FROM plane_sync_task
          WHERE repository_id = ${repository} AND pull_request = ${number}
        UNION SELECT id FROM plane_sync_task WHERE canonical = ${workItem}`)
      const all = yield* Effect.forEach(found, ({ id }) => tasks.byId(id))
      return all.filter((task) => task !== undefined)
    })

  return TaskPullRequests.of({ of, link, tasksOf })
})
