import type { SqlError } from "@effect/sql/SqlError"
import { Context, Effect, Either, Layer, Option } from "effect"
import { stored } from "../base/Time.js"
import { Projects, unset } from "../domain/Projects.js"
import type { CanonicalKey } from "../domain/WorkItemKey.js"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { Task } from "../tasks/Task.js"
import { TaskStore } from "../tasks/TaskStore.js"
import type { PullRequest } from "./Facts.js"
import { makePages } from "./Pages.js"
import { readPullRequest, readPullRequestsOf, readRevertsOf } from "./PullRequestRows.js"
import type { Considered } from "./Standing.js"
import { standingOf, whyNot } from "./Standing.js"

/** The pull requests that a task's work is in. */
export class TaskPullRequests extends Context.Tag("plane-sync/TaskPullRequests")<TaskPullRequests, {
  /**
   * The pull requests that are about the task's work item, newest first, and the one that a host has linked to the
   * task. Also the merged ones that take the work back. Where "ET-2" and "ET-002" are two tasks, a pull request that
   * names either belongs to "ET-2".
   */
  readonly consider: (task: Task) => Effect.Effect<ReadonlyArray<Considered>, StorageError>
  /** `consider`, and links the one that is shown with the task: the newest that is open, or else that was merged. */
  readonly link: (task: Task) => Effect.Effect<ReadonlyArray<Considered>, StorageError>
  /** Whether a pull request counts for a task, by what is known of it now. */
  readonly judge: (task: Task, pullRequest: PullRequest) => Considered
}>() {
  static readonly layer: Layer.Layer<TaskPullRequests, never, Storage | TaskStore | Projects> = Layer.effect(
    TaskPullRequests,
    Effect.suspend(() => make)
  )
}

const isSame = (one: PullRequest) => (other: PullRequest) =>
  one.repository === other.repository && one.number === other.number

const make = Effect.gen(function*() {
  const projects = yield* Projects
  const { read, sql } = yield* Storage
  const tasks = yield* TaskStore
  const pagesOf = yield* makePages

  const judge = (task: Task, pullRequest: PullRequest): Considered => {
    const project = projects.named(task.project)
    return {
      pullRequest,
      whyNot: project === undefined
        ? unset(task.project)
        : whyNot(pullRequest, stored(task.startedAt), project)
    }
  }

  /** The one that a host has linked. A link that comes only from a name follows the name. */
  const linked = ({ linkedByName, pullRequest: number, repository }: Task) =>
    Option.isNone(repository) || Option.isNone(number) || linkedByName
      ? Effect.sync(() => undefined)
      : readPullRequest(sql, { repository: repository.value.id, number: number.value })

  const named = (key: CanonicalKey): Effect.Effect<ReadonlyArray<PullRequest>, SqlError> => readPullRequestsOf(sql, key)

  const consider = (task: Task) =>
    Effect.gen(function*() {
      const key = WorkItemKey.parse(task.workItem)
      const byHost = yield* read(linked(task))
      const namesake = Either.isRight(key) && key.right.zeros
        ? yield* tasks.byKey(key.right.canonical)
        : Option.some(task)
      const isNamed = Option.isNone(namesake) || namesake.value.id === task.id
      const byName = Either.isRight(key) && isNamed ? yield* read(named(key.right.canonical)) : []
      const all = byHost === undefined || byName.some(isSame(byHost)) ? byName : [byHost, ...byName]
      const reverts = Either.isRight(key) && isNamed ? yield* read(readRevertsOf(sql, key.right.canonical)) : []
      return [
        ...all.map((pullRequest) => judge(task, pullRequest)),
        ...reverts.map((pullRequest) => ({ ...judge(task, pullRequest), isRevert: true }))
      ]
    })

  const link = (task: Task) =>
    Effect.tap(consider(task), (considered) => {
      const { closed, merged, open } = standingOf(considered)
      const [shown] = [...open, ...merged, ...closed]
      if (shown === undefined) return Effect.void
      const isLinked = Option.exists(task.repository, ({ id }) => id === shown.repository) &&
        Option.contains(task.pullRequest, shown.number)
      // A host's own link stays, whatever else names the work item.
      if (!isLinked && Option.isSome(task.pullRequest) && !task.linkedByName) return Effect.void
      if (isLinked && Option.contains(task.headSha, shown.headSha)) return Effect.void
      const project = projects.named(task.project)
      return tasks.link(task.id, {
        page: project && pagesOf(project).ofPullRequest(shown),
        repository: { id: shown.repository, name: shown.name },
        pullRequest: shown.number,
        headSha: shown.headSha,
        byName: !isLinked || task.linkedByName
      })
    })

  return TaskPullRequests.of({ consider, link, judge })
})
