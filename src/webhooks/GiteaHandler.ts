import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Either } from "effect"
import { epochMillis } from "../base/Time.js"
import { Projects } from "../domain/Projects.js"
import type { PullRequest, PullRequestSeen } from "../gitea/Facts.js"
import {
  readPullRequest,
  readPullRequestsAt,
  rememberPullRequest,
  rememberReview,
  rememberStatuses
} from "../gitea/Facts.js"
import { TaskPullRequests } from "../gitea/TaskPullRequests.js"
import { workItemReader } from "../gitea/WorkItemOf.js"
import { Storage } from "../storage/Storage.js"
import { WakeUps } from "../storage/WakeUps.js"
import type { Task, TaskId } from "../tasks/Task.js"
import { TaskStore } from "../tasks/TaskStore.js"
import type { GiteaSeen } from "./GiteaHook.js"
import { decodeGiteaHook } from "./GiteaHook.js"
import type { Handler } from "./HookWorker.js"
import type { HookOutcome, StoredHook } from "./Inbox.js"
import { duplicate, Inbox, settle } from "./Inbox.js"
import { makeUnreadable } from "./UnreadableHook.js"

type Fact = Exclude<GiteaSeen, { readonly _tag: "Nothing" }>

/** How many keys a log line names, because a body of megabytes may be full of them. */
const mostNamed = 5

/** Keys in words. Of many keys only the first. */
const listed = (keys: ReadonlyArray<string>) =>
  keys.length <= mostNamed
    ? keys.join(" and ")
    : `${keys.slice(0, mostNamed).join(", ")} and ${keys.length - mostNamed} more`

const statusesOf = (facts: ReadonlyArray<Fact>) => facts.flatMap((fact) => fact._tag === "Status" ? [fact.status] : [])

/**
 * A push back to an earlier head may have the same body as that head's first push, so it must not count as a duplicate.
 * A real duplicate does no harm: the newest one changes nothing, and an older one does not count.
 */
const isPush = ({ event }: StoredHook) => event === "pull_request_sync"

/**
 * Handles Gitea's hooks. Each tells a fact, and the newest fact is remembered: of each pull request, of each check, of
 * each reviewer. Nothing is decided here. The tasks that a fact concerns are marked as due, and their gates look at all
 * facts together. So it does not matter in which order the hooks come, nor whether the task exists by then.
 */
export const giteaHandler: Effect.Effect<
  Handler,
  never,
  Inbox | Projects | WakeUps | Storage | TaskStore | TaskPullRequests
> = Effect.gen(function*() {
  const { project } = yield* Projects
  const inbox = yield* Inbox
  const { sql, write } = yield* Storage
  const wakeUps = yield* WakeUps
  const tasks = yield* TaskStore
  const pullRequests = yield* TaskPullRequests
  const workItemOf = workItemReader(project.identifier)
  const unreadable = yield* makeUnreadable

  /** The key of the work item that a pull request may move. One from a fork moves none. */
  const namedBy = (seen: PullRequestSeen) => {
    const where = `Pull request ${seen.name}#${seen.number}`
    if (seen.fork) return Effect.as(Effect.logInfo(`${where} comes from a fork: it moves no task`), null)
    const named = workItemOf(seen)
    switch (named._tag) {
      case "Named":
        return Effect.succeed(named.key)
      case "Unnamed":
        return Effect.as(Effect.logInfo(`${where} names no work item of ${project.identifier}`), null)
      case "Ambiguous":
        return Effect.as(
          Effect.logWarning(`${where} names ${listed(named.keys)}: it moves none of them`),
          null
        )
    }
  }

  const remember = (facts: ReadonlyArray<Fact>): Effect.Effect<void, SqlError> =>
    Effect.gen(function*() {
      const now = yield* epochMillis
      yield* rememberStatuses(sql, statusesOf(facts), now)
      for (const fact of facts) {
        if (fact._tag !== "PullRequest") continue
        yield* rememberPullRequest(sql, fact.pullRequest, yield* namedBy(fact.pullRequest), now)
        if (fact.review !== undefined) yield* rememberReview(sql, fact.pullRequest, fact.review)
      }
    })

  const concerned = (facts: ReadonlyArray<Fact>): Effect.Effect<ReadonlyArray<PullRequest>, SqlError> =>
    Effect.gen(function*() {
      const found = new Map<string, PullRequest>()
      const add = (pullRequest: PullRequest) =>
        found.set(`${pullRequest.repository}#${pullRequest.number}`, pullRequest)
      for (const pullRequest of yield* readPullRequestsAt(sql, statusesOf(facts))) add(pullRequest)
      for (const fact of facts) {
        if (fact._tag !== "PullRequest") continue
        const pullRequest = yield* readPullRequest(sql, fact.pullRequest.repository, fact.pullRequest.number)
        if (pullRequest !== undefined) add(pullRequest)
      }
      return Array.from(found.values())
    })

  /** What the hooks say, and how each ends. */
  const sort = Effect.fnUntraced(function*(hooks: ReadonlyArray<StoredHook>) {
    const facts: Array<Fact> = []
    const outcomes = new Map<number, HookOutcome>()
    const known = yield* inbox.known(hooks.filter((hook) => !isPush(hook)))
    const digests = new Set<string>()
    for (const hook of hooks) {
      const { body, digest, event, id } = hook
      const decoded = decodeGiteaHook(event, body)
      if (Either.isLeft(decoded)) {
        yield* unreadable(hook, decoded.left)
        outcomes.set(id, { _tag: "Skipped", reason: decoded.left })
      } else if (decoded.right._tag === "Nothing") {
        outcomes.set(id, { _tag: "Skipped", reason: decoded.right.reason })
      } else if (!isPush(hook) && (digests.has(digest) || known.has(id))) {
        outcomes.set(id, duplicate)
      } else {
        digests.add(digest)
        outcomes.set(id, { _tag: "Done" })
        facts.push(decoded.right)
      }
    }
    return { facts, outcomes }
  })

  return Effect.fnUntraced(function*(hooks) {
    const { facts, outcomes } = yield* sort(hooks)
    const found = yield* write(Effect.gen(function*() {
      yield* remember(facts)
      const found = yield* concerned(facts)
      if (found.length === 0) yield* settle(sql, outcomes)
      return found
    }))
    if (found.length === 0) return
    // After the commit, so that a task is found, too, that was started meanwhile and whose gates did not see these
    // facts.
    const due = new Map<TaskId, Task>()
    for (const pullRequest of found) {
      for (const task of yield* tasks.tasksOf(pullRequest)) due.set(task.id, task)
    }
    for (const task of due.values()) yield* pullRequests.link(task)
    yield* write(Effect.gen(function*() {
      yield* settle(sql, outcomes)
      for (const id of due.keys()) yield* tasks.touch(id)
    }))
    yield* wakeUps.notify
  })
})
