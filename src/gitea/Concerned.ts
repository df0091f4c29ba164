import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { CanonicalKey } from "../domain/WorkItemKey.js"
import type { Sql } from "../storage/Sql.js"
import type { StorageError } from "../storage/StorageError.js"
import type { Task, TaskId } from "../tasks/Task.js"
import type { TaskStore } from "../tasks/TaskStore.js"
import { readKeysOf } from "./ClaimRows.js"
import type { Claim } from "./Claims.js"
import type { PullRequestId, PullRequestSeen } from "./Facts.js"
import { rememberPullRequest } from "./PullRequestRows.js"
import type { TaskPullRequests } from "./TaskPullRequests.js"

/** A pull request, and the keys of all tasks that have to look at it again. */
export interface Concerned extends PullRequestId {
  readonly keys: ReadonlyArray<CanonicalKey>
}

/** The pull request with the keys that it names now. */
export const readConcerned = (sql: Sql, { number, repository }: PullRequestId): Effect.Effect<Concerned, SqlError> =>
  Effect.map(readKeysOf(sql, { number, repository }), (keys) => ({ repository, number, keys }))

/** Remembers a pull request. The tasks that it named before have to look again, as well as those that it names now. */
export const rememberConcerned = (
  sql: Sql,
  seen: PullRequestSeen,
  claims: ReadonlyArray<Claim>,
  now: EpochMillis
): Effect.Effect<ReadonlyArray<Concerned>, SqlError> =>
  Effect.gen(function*() {
    const { number, repository } = seen
    const keys = yield* rememberPullRequest(sql, seen, claims, now)
    return [{ repository, number, keys }, yield* readConcerned(sql, seen)]
  })

/**
 * The tasks that have to look again, each linked to the pull request that is shown with it. Read after the commit, so
 * that a task is found, too, that was started meanwhile and whose gates did not see these facts. They are in one order
 * for all, because who changes many in another order may wait for somebody who waits for him.
 */
export const tasksConcerned = (
  tasks: TaskStore["Type"],
  pullRequests: TaskPullRequests["Type"],
  found: ReadonlyArray<Concerned>
): Effect.Effect<ReadonlyArray<TaskId>, StorageError> =>
  Effect.gen(function*() {
    const due = new Map<TaskId, Task>()
    for (const pullRequest of found) {
      for (const task of yield* tasks.tasksOf(pullRequest)) due.set(task.id, task)
    }
    for (const task of due.values()) yield* pullRequests.link(task)
    return Array.from(due.keys()).sort((one, other) => one - other)
  })
