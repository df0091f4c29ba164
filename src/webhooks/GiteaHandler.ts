import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Either } from "effect"
import { epochMillis } from "../base/Time.js"
import { Projects } from "../domain/Projects.js"
import type { CanonicalKey } from "../domain/WorkItemKey.js"
import { readKeysOf } from "../gitea/ClaimRows.js"
import { claimReader } from "../gitea/Claims.js"
import type { PullRequestId, PullRequestSeen } from "../gitea/Facts.js"
import { readPullRequestsAt, rememberPullRequest, rememberReview, rememberStatuses } from "../gitea/Facts.js"
import type { Stirs } from "../gitea/Stirs.js"
import { TaskPullRequests } from "../gitea/TaskPullRequests.js"
import { Storage } from "../storage/Storage.js"
import { WakeUps } from "../storage/WakeUps.js"
import type { Task, TaskId } from "../tasks/Task.js"
import { TaskStore } from "../tasks/TaskStore.js"
import type { GiteaSeen, WithoutFacts } from "./GiteaHook.js"
import { decodeGiteaHook } from "./GiteaHook.js"
import type { Handler } from "./HookWorker.js"
import type { HookOutcome, StoredHook } from "./Inbox.js"
import { duplicate, Inbox, settle } from "./Inbox.js"
import type { SkippedHooks } from "./SkippedHooks.js"
import { makeWithoutFacts } from "./WithoutFacts.js"

type Fact = Exclude<GiteaSeen, WithoutFacts>

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
  Inbox | Projects | SkippedHooks | Stirs | WakeUps | Storage | TaskStore | TaskPullRequests
> = Effect.gen(function*() {
  const { project } = yield* Projects
  const inbox = yield* Inbox
  const { sql, write } = yield* Storage
  const wakeUps = yield* WakeUps
  const tasks = yield* TaskStore
  const pullRequests = yield* TaskPullRequests
  const claimsOf = claimReader(project.identifier)
  const withoutFacts = yield* makeWithoutFacts

  /** The work items that a pull request is about. Whether it counts is judged when a task asks. */
  const claimsIn = (seen: PullRequestSeen) => {
    const claims = claimsOf(seen)
    if (claims.length > 0) return Effect.succeed(claims)
    const nameless = `Pull request ${seen.name}#${seen.number} names no work item of ${project.identifier}`
    return Effect.as(Effect.logInfo(nameless), claims)
  }

  /** A pull request, and the keys of all tasks that may have to look at it again. */
  interface Concerned extends PullRequestId {
    readonly keys: ReadonlyArray<CanonicalKey>
  }

  const concerned = (id: PullRequestId): Effect.Effect<Concerned, SqlError> =>
    Effect.map(readKeysOf(sql, id), (keys) => ({ ...id, keys }))

  /** Remembers the facts, and gives the pull requests that they are about. */
  const remember = (facts: ReadonlyArray<Fact>): Effect.Effect<ReadonlyArray<Concerned>, SqlError> =>
    Effect.gen(function*() {
      const now = yield* epochMillis
      const found: Array<Concerned> = []
      yield* rememberStatuses(sql, statusesOf(facts), now)
      for (const fact of facts) {
        if (fact._tag !== "PullRequest") continue
        const { pullRequest, review } = fact
        // The tasks that it named before have to look again too.
        found.push(yield* concerned(pullRequest))
        yield* rememberPullRequest(sql, pullRequest, yield* claimsIn(pullRequest), now)
        if (review !== undefined) yield* rememberReview(sql, pullRequest, review)
        found.push(yield* concerned(pullRequest))
      }
      for (const id of yield* readPullRequestsAt(sql, statusesOf(facts))) found.push(yield* concerned(id))
      return found
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
        yield* withoutFacts.unreadable(hook, decoded.left)
        outcomes.set(id, { _tag: "Skipped", reason: decoded.left })
      } else if (decoded.right._tag === "Nothing" || decoded.right._tag === "Stir") {
        outcomes.set(id, { _tag: "Skipped", reason: yield* withoutFacts.skip(decoded.right) })
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
      const found = yield* remember(facts)
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
