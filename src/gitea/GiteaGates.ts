import type { ConfigError } from "effect"
import { Clock, Duration, Effect, FiberMap, Option, Schedule } from "effect"
import type { Scope } from "effect"
import { backoff } from "../base/Backoff.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { WakeUps } from "../storage/WakeUps.js"
import type { QualityGate } from "../tasks/QualityGate.js"
import { Verdict } from "../tasks/QualityGate.js"
import type { Task } from "../tasks/Task.js"
import { TaskStore } from "../tasks/TaskStore.js"
import type { CommitStatus, PullRequest } from "./Facts.js"
import { readReviews, readStatuses, rememberClosed, rememberMerged } from "./Facts.js"
import type { GiteaClient, GiteaError } from "./GiteaClient.js"
import { Gitea } from "./GiteaClient.js"
import { GiteaConfig } from "./GiteaConfig.js"
import { TaskPullRequests } from "./TaskPullRequests.js"
import { askedReviewsVerdict, checksVerdict, combinedVerdict, reviewsVerdict, undecided } from "./Verdicts.js"

/** The longest pause before a Gitea that did not answer is asked again. */
const maxBackoff = Duration.minutes(5)

/** For how long, in milliseconds, one that did not answer is taken to be down. */
const downFor = 5_000

/** A merge, a review or a check whose delivery was lost is never sent again: so often a task that waits is asked about. */
const askedEvery = Duration.minutes(10)

const { Failed, Passed, Pending } = Verdict

// As they are held: of several failures it is the same one that is told, whoever is asked.
const byContext = (one: CommitStatus, other: CommitStatus) => one.context < other.context ? -1 : 1

/**
 * What Gitea answers, and of what is held only what that does not list. Which of the two is newer their ids do not tell: a
 * delivery's counts all statuses there are, an answer's those of the commit. What is delivered while Gitea is asked has
 * the gates asked again.
 */
const replaced = (held: ReadonlyArray<CommitStatus>, asked: ReadonlyArray<CommitStatus>) => {
  const listed = new Set(asked.map(({ context }) => context))
  return [...held.filter(({ context }) => !listed.has(context)), ...asked].sort(byContext)
}

type Check = (pullRequest: PullRequest) => Effect.Effect<Verdict, GiteaError | StorageError>

/** The gates that go by what Gitea says: `ci`, `approval` and `merged`. They never fail a task for want of an answer. */
export const giteaGates: Effect.Effect<
  ReadonlyArray<QualityGate>,
  ConfigError.ConfigError,
  Gitea | Scope.Scope | WakeUps | Storage | TaskStore | TaskPullRequests
> = Effect.gen(function*() {
  const config = yield* GiteaConfig
  const client = Option.getOrUndefined(yield* Gitea)
  const { read, sql, write } = yield* Storage
  const wakeUps = yield* WakeUps
  const tasks = yield* TaskStore
  const pullRequests = yield* TaskPullRequests
  const again = yield* FiberMap.make<number>()
  const routine = yield* FiberMap.make<number>()
  const failures = new Map<number, number>()
  let down: { readonly error: GiteaError; readonly at: number } | undefined

  const sayOnce = yield* Effect.once(
    Effect.logWarning(
      "Nobody says which checks have to be green, so the gate ci waits: set ORCH_GITEA_REQUIRED_CHECKS, " +
        "or ORCH_GITEA_URL and ORCH_GITEA_TOKEN so that Gitea can be asked"
    )
  )

  /** Of a Gitea that does not answer one task waits for an answer; the others are told what that one found. */
  const asked = <A>(ask: Effect.Effect<A, GiteaError>) =>
    Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      if (down !== undefined && Math.abs(now - down.at) < downFor) return yield* down.error
      return yield* Effect.tapBoth(ask, {
        onSuccess: () =>
          Effect.sync(() => {
            down = undefined
          }),
        onFailure: (error) =>
          Effect.map(Clock.currentTimeMillis, (at) => {
            if (error.reason === "Unreachable") down = { error, at }
          })
      })
    })

  // Nothing else would ever have this task asked about again, so it is tried until it is written down.
  const due = (id: number) => {
    const touch = Effect.zipRight(write(tasks.touch(id)), wakeUps.notify)
    return Effect.catchAll(touch, (error) =>
      Effect.zipRight(
        Effect.logError(`${error.message}. Trying again each second`),
        Effect.retry(touch, Schedule.spaced("1 second"))
      ))
  }

  // Counted from when it was last asked about: so they come one after the other, as they did then.
  const askLater = (id: number) => FiberMap.run(routine, id, Effect.delay(due(id), askedEvery))

  /**
   * What is said of a task while its question has no answer; it is due again after a pause that grows. A failure that is
   * known stays one, and one that was told is repeated word for word: an outage is no news.
   */
  const waits = (gate: string, task: Task, error: GiteaError | StorageError, known: Verdict | undefined) =>
    Effect.gen(function*() {
      const { id, verdicts, workItem } = task
      const count = (failures.get(id) ?? 0) + 1
      failures.set(id, count)
      const pause = yield* backoff(count, { max: maxBackoff })
      yield* Effect.logWarning(`${workItem} waits: ${error.message}`)
      yield* FiberMap.run(again, id, Effect.delay(due(id), pause))
      if (known?._tag === "Failed") return known
      // A stage is left when all its gates have passed, so what has failed did so since the stage was entered.
      const told = verdicts.find((given) => given.gate === gate && given.verdict === "failed")
      return told === undefined ? Pending({ why: error.message }) : Failed({ reason: told.reason ?? "" })
    })

  /** The pull request as it is now, as far as Gitea can be asked. What is merged stays so; what is closed may reopen. */
  const current = (held: PullRequest) =>
    Effect.gen(function*() {
      if (client === undefined || held.merged) return held
      const { headSha, merged, open } = yield* asked(client.pullRequest(held.name, held.number))
      const now = yield* Clock.currentTimeMillis
      if (merged) yield* write(rememberMerged(sql, held, now))
      else if (held.open && !open) yield* write(rememberClosed(sql, held, now))
      return { ...held, merged, open, headSha: headSha === "" ? held.headSha : headSha }
    })

  const askChecks = (api: GiteaClient, { headSha, name }: PullRequest, held: ReadonlyArray<CommitStatus>) =>
    Effect.map(asked(api.combinedStatus(name, headSha)), ({ states, statuses }) => {
      const asked = statuses.map(({ status, ...rest }): CommitStatus => ({ ...rest, state: status }))
        .sort(byContext)
      return config.requiredChecks.length === 0
        ? combinedVerdict(states, asked, config.warning)
        : checksVerdict(replaced(held, asked), config)
    })

  const ci = (pullRequest: PullRequest) =>
    Effect.gen(function*() {
      const held = yield* read(readStatuses(sql, pullRequest))
      // What a delivery said may have been answered by one that was lost.
      if (client !== undefined) return yield* askChecks(client, pullRequest, held)
      const verdict = checksVerdict(held, config)
      if (verdict === undecided) yield* sayOnce
      return verdict
    })

  const heldChecks = (pullRequest: PullRequest) =>
    Effect.map(read(readStatuses(sql, pullRequest)), (held) => checksVerdict(held, config))

  // A dismissal sends nothing, so Gitea's own word stands in every case, and what is held is not enough for a failure.
  const approval = (pullRequest: PullRequest) =>
    client === undefined
      ? Effect.map(read(readReviews(sql, pullRequest)), (reviews) => reviewsVerdict(reviews, pullRequest))
      : Effect.map(asked(client.reviews(pullRequest.name, pullRequest.number)), askedReviewsVerdict)

  const merged = () => Effect.succeed(Pending({ why: "the pull request is not merged yet" }))

  const unlessEnded = (check: Check): Check => (pullRequest) => {
    // What is merged has been built and approved as far as anybody was going to.
    if (pullRequest.merged) return Effect.succeed(Passed())
    return pullRequest.open
      ? check(pullRequest)
      : Effect.succeed(Pending({ why: "the pull request was closed without a merge" }))
  }

  const gate = (
    name: string,
    check: Check,
    /** What is known without Gitea, which counts only as far as it is a failure. */
    known: (pullRequest: PullRequest) => Effect.Effect<Verdict | undefined, StorageError> = () =>
      Effect.succeed(undefined)
  ): QualityGate => ({
    name,
    check: (task) =>
      Effect.gen(function*() {
        const held = yield* pullRequests.link(task)
        if (held === undefined) return Pending({ why: `no pull request names ${task.workItem} yet` })
        return yield* Effect.flatMap(current(held), unlessEnded(check)).pipe(
          Effect.tap(() => failures.delete(task.id)),
          Effect.tap(({ _tag }) => client === undefined || _tag === "Passed" ? Effect.void : askLater(task.id)),
          Effect.catchTag("GiteaError", (error) =>
            Effect.flatMap(held.open ? known(held) : Effect.succeed(undefined), (verdict) =>
              waits(name, task, error, verdict)))
        )
      }).pipe(Effect.catchTag("StorageError", (error) =>
        waits(name, task, error, undefined)))
  })

  return [gate("ci", ci, heldChecks), gate("approval", approval), gate("merged", merged)]
}).pipe(Effect.annotateLogs({ service: "Webhooks" }))
