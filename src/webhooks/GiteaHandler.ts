import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Either } from "effect"
import { cleanLine, textLimit } from "../base/Text.js"
import { epochMillis } from "../base/Time.js"
import { Projects } from "../domain/Projects.js"
import { readPullRequestsAt, rememberStatuses } from "../gitea/CheckRows.js"
import type { Claim } from "../gitea/Claims.js"
import { claimReader } from "../gitea/Claims.js"
import type { Concerned } from "../gitea/Concerned.js"
import { readConcerned, rememberConcerned, tasksConcerned } from "../gitea/Concerned.js"
import type { PullRequestSeen, Repository } from "../gitea/Facts.js"
import { forgeOf, forgeOfProject, projectsIn } from "../gitea/Forges.js"
import { rememberRepositories } from "../gitea/RepositoryRows.js"
import { rememberReview } from "../gitea/ReviewRows.js"
import type { Stirs } from "../gitea/Stirs.js"
import { TaskPullRequests } from "../gitea/TaskPullRequests.js"
import { Storage } from "../storage/Storage.js"
import { WakeUps } from "../storage/WakeUps.js"
import { TaskStore } from "../tasks/TaskStore.js"
import type { GiteaSeen } from "./GiteaHook.js"
import { decodeGiteaHook } from "./GiteaHook.js"
import type { Subject } from "./HooksAbout.js"
import type { Handler } from "./HookWorker.js"
import type { HookOutcome, StoredHook } from "./Inbox.js"
import { duplicate, Inbox, settle } from "./Inbox.js"
import { forgeOfSigner } from "./Secrets.js"
import type { SkippedHooks } from "./SkippedHooks.js"
import { makeWithoutFacts } from "./WithoutFacts.js"

type Telling = Extract<GiteaSeen, { readonly _tag: "PullRequest" | "Status" }>

/** A fact, with the hook that told it, and what its pull request claims. */
type Fact =
  & { readonly hook: number }
  & (
    | Extract<Telling, { readonly _tag: "Status" }>
    | (Extract<Telling, { readonly _tag: "PullRequest" }> & { readonly claims: ReadonlyArray<Claim> })
  )

const statusesOf = (facts: ReadonlyArray<Fact>) => facts.flatMap((fact) => fact._tag === "Status" ? [fact.status] : [])

const repositoryIn = (fact: Telling): Repository => {
  const { name, repository } = fact._tag === "Status" ? fact.status : fact.pullRequest
  return { id: repository, name }
}

const subjectOf = (fact: Telling): Subject =>
  fact._tag === "Status"
    ? { _tag: "Commit", repository: fact.status.repository, sha: fact.status.sha }
    : { _tag: "PullRequest", repository: fact.pullRequest.repository, number: fact.pullRequest.number }

/** What a hook told, in words. What it means for a task, its gates say. */
const meaningOf = (fact: Telling): string => {
  if (fact._tag === "Status") {
    const { context, name, sha, state } = fact.status
    return cleanLine(`the check ${context} of ${name}@${sha.slice(0, 10)} is ${state}`, textLimit)
  }
  const { pullRequest: { draft, headSha, merged, name, number, open }, review } = fact
  const state = merged ? "merged" : !open ? "closed" : draft ? "a draft" : "open"
  const word = review === undefined
    ? ""
    : `: ${review.reviewer} ${review.approved ? "has approved it" : "does not approve it"}`
  return cleanLine(`${name}#${number} is ${state} at ${headSha.slice(0, 10)}${word}`, textLimit)
}

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
  const projects = yield* Projects
  const inbox = yield* Inbox
  const { sql, write } = yield* Storage
  const wakeUps = yield* WakeUps
  const tasks = yield* TaskStore
  const pullRequests = yield* TaskPullRequests
  const withoutFacts = yield* makeWithoutFacts

  const forges = new Set(projects.all.map(forgeOfProject))
  const readers = new Map(Array.from(forges, (forge) => {
    const identifiers = projectsIn(projects, forge).map(({ identifier }) => identifier)
    return [forge, { identifiers, claimsOf: claimReader(identifiers) }] as const
  }))

  /** The work items that a pull request is about. Whether it counts is judged when a task asks. */
  const claimsIn = (seen: PullRequestSeen) => {
    const reader = readers.get(forgeOf(seen))
    const claims = reader?.claimsOf(seen) ?? []
    if (claims.length > 0) return Effect.succeed(claims)
    const known = reader?.identifiers.join(", ") ?? "any project"
    const nameless = `Pull request ${seen.name}#${seen.number} names no work item of ${known}`
    return Effect.as(Effect.logInfo(nameless), claims)
  }

  /** A description is read outside of the write, because that can take a while. */
  const withClaims = (hook: number, fact: Telling): Effect.Effect<Fact> =>
    fact._tag === "Status"
      ? Effect.succeed({ ...fact, hook })
      : Effect.map(claimsIn(fact.pullRequest), (claims) => ({ ...fact, hook, claims }))

  /**
   * Remembers the facts, and gives the pull requests that they are about. A check is about those whose head it is of,
   * also when they have another head later: so it is noted with its hook.
   */
  const remember = (
    facts: ReadonlyArray<Fact>,
    outcomes: Map<number, HookOutcome>
  ): Effect.Effect<ReadonlyArray<Concerned>, SqlError> =>
    Effect.gen(function*() {
      const now = yield* epochMillis
      const found: Array<Concerned> = []
      const statuses = statusesOf(facts)
      yield* rememberRepositories(sql, facts.map(repositoryIn))
      yield* rememberStatuses(sql, statuses, now)
      for (const fact of facts) {
        if (fact._tag !== "PullRequest") continue
        const { claims, pullRequest, review } = fact
        found.push(...(yield* rememberConcerned(sql, pullRequest, claims, now)))
        if (review !== undefined) yield* rememberReview(sql, pullRequest, review)
      }
      const at = yield* readPullRequestsAt(sql, statuses)
      for (const id of at) found.push(yield* readConcerned(sql, id))
      for (const fact of facts) {
        const outcome = outcomes.get(fact.hook)
        if (fact._tag !== "Status" || outcome === undefined) continue
        const { repository, sha } = fact.status
        const pulls = at.filter((one) => one.repository === repository && one.sha === sha).map(({ number }) => ({
          _tag: "PullRequest" as const,
          repository,
          number
        }))
        outcomes.set(fact.hook, { ...outcome, about: [subjectOf(fact), ...pulls] })
      }
      return found
    })

  /** What the hooks say, and how each ends. */
  const sort = Effect.fnUntraced(function*(hooks: ReadonlyArray<StoredHook>) {
    const facts: Array<Fact> = []
    const outcomes = new Map<number, HookOutcome>()
    const known = yield* inbox.known(hooks)
    const digests = new Set<string>()
    for (const hook of hooks) {
      const { body, digest, event, id, signer } = hook
      const decoded = decodeGiteaHook(event, body, forgeOfSigner(signer))
      if (Either.isLeft(decoded)) {
        yield* withoutFacts.unreadable(hook, decoded.left)
        outcomes.set(id, { _tag: "Skipped", reason: decoded.left })
      } else if (decoded.right._tag === "Nothing" || decoded.right._tag === "Stir") {
        outcomes.set(id, { _tag: "Skipped", reason: yield* withoutFacts.skip(decoded.right) })
      } else if (digests.has(`${signer} ${digest}`) || known.has(id)) {
        outcomes.set(id, duplicate)
      } else {
        digests.add(`${signer} ${digest}`)
        outcomes.set(id, { _tag: "Done", meaning: meaningOf(decoded.right), about: [subjectOf(decoded.right)] })
        facts.push(yield* withClaims(id, decoded.right))
      }
    }
    return { facts, outcomes }
  })

  return Effect.fnUntraced(function*(hooks) {
    const { facts, outcomes } = yield* sort(hooks)
    const found = yield* write(Effect.gen(function*() {
      const found = yield* remember(facts, outcomes)
      if (found.length === 0) yield* settle(sql, outcomes)
      return found
    }))
    if (found.length === 0) return
    const due = yield* tasksConcerned(tasks, pullRequests, found)
    yield* write(Effect.gen(function*() {
      yield* settle(sql, outcomes)
      for (const id of due) yield* tasks.touch(id)
    }))
    yield* wakeUps.notify
  })
})
