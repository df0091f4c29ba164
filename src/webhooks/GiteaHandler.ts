import type { SqlError } from "@effect/sql/SqlError"
import { Clock, Effect, Either } from "effect"
import { makeUnreadable } from "../base/DebouncedWarning.js"
import { Projects } from "../domain/Projects.js"
import type { PullRequest } from "../gitea/Facts.js"
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
import type { Task } from "../tasks/Task.js"
import { TaskStore } from "../tasks/TaskStore.js"
import type { GiteaSeen, PullRequestSeen } from "./GiteaHook.js"
import { decodeGitea } from "./GiteaHook.js"
import type { Handler } from "./HookWorker.js"
import type { Outcome, StoredHook } from "./Inbox.js"
import { duplicate, Inbox, settle } from "./Inbox.js"

type Fact = Exclude<GiteaSeen, { readonly _tag: "Nothing" }>

/** How many keys the log names: a body of megabytes may be full of them. */
const mostNamed = 5

/** Keys in words; the first of many. */
const listed = (keys: ReadonlyArray<string>) =>
  keys.length <= mostNamed
    ? keys.join(" and ")
    : `${keys.slice(0, mostNamed).join(", ")} and ${keys.length - mostNamed} more`

const statusesOf = (facts: ReadonlyArray<Fact>) => facts.flatMap((fact) => fact._tag === "Status" ? [fact.status] : [])

/**
 * A push back to an earlier head reads like that head's first push, to the letter. A copy of the newest changes nothing, and
 * what is older in time does not count.
 */
const isPush = ({ event }: StoredHook) => event === "pull_request_sync"

/**
 * Gitea's deliveries. Each is a fact that is remembered: the newest sight of a pull request, of a check, of a reviewer's
 * word. Nothing is decided here: the tasks that a fact may concern are marked as due, and their gates go by all facts
 * together, so it does not matter in which order they came, nor whether there was a task by then.
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

  /** The work item that a pull request may move, which a fork's never does. */
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
      const now = yield* Clock.currentTimeMillis
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

  /** What the deliveries say, and how each ends. */
  const sort = Effect.fnUntraced(function*(deliveries: ReadonlyArray<StoredHook>) {
    const facts: Array<Fact> = []
    const outcomes = new Map<number, Outcome>()
    const known = yield* inbox.known(deliveries.filter((delivery) => !isPush(delivery)))
    const digests = new Set<string>()
    for (const delivery of deliveries) {
      const { body, digest, event, id } = delivery
      const decoded = decodeGitea(event, body)
      if (Either.isLeft(decoded)) {
        yield* unreadable(delivery, decoded.left)
        outcomes.set(id, { _tag: "Skipped", reason: decoded.left })
      } else if (decoded.right._tag === "Nothing") {
        outcomes.set(id, { _tag: "Skipped", reason: decoded.right.reason })
      } else if (!isPush(delivery) && (digests.has(digest) || known.has(id))) {
        outcomes.set(id, duplicate)
      } else {
        digests.add(digest)
        outcomes.set(id, { _tag: "Done" })
        facts.push(decoded.right)
      }
    }
    return { facts, outcomes }
  })

  return Effect.fnUntraced(function*(deliveries) {
    const { facts, outcomes } = yield* sort(deliveries)
    const found = yield* write(Effect.gen(function*() {
      yield* remember(facts)
      const found = yield* concerned(facts)
      if (found.length === 0) yield* settle(sql, outcomes)
      return found
    }))
    if (found.length === 0) return
    // Looked for only now: a task that was started meanwhile has asked its gates before these facts were there.
    const due = new Map<number, Task>()
    for (const pullRequest of found) {
      for (const task of yield* pullRequests.tasksOf(pullRequest)) due.set(task.id, task)
    }
    for (const task of due.values()) yield* pullRequests.link(task)
    yield* write(Effect.gen(function*() {
      yield* settle(sql, outcomes)
      for (const id of due.keys()) yield* tasks.touch(id)
    }))
    yield* wakeUps.notify
  })
})
