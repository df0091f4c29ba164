import type { ConfigError } from "effect"
import { Duration, Effect, Layer, Option } from "effect"
import { backoff } from "../base/Backoff.js"
import { connections } from "../base/Connections.js"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis } from "../base/Time.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { WakeUps } from "../storage/WakeUps.js"
import type { Pipeline } from "../tasks/Pipeline.js"
import type { QualityGate } from "../tasks/QualityGate.js"
import { QualityGates, Verdict } from "../tasks/QualityGate.js"
import type { Task, TaskId } from "../tasks/Task.js"
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

/** How long a Gitea that did not answer is not asked again. */
const downFor = Duration.toMillis("5 seconds")

/**
 * How often Gitea is asked about a task that waits, because the hook of a merge, a review or a check may have been
 * lost.
 */
const askedEvery = Duration.minutes(10)

const { Failed, Passed, Pending } = Verdict

const askAgain = (verdict: Verdict, againAfter: Duration.Duration): Verdict =>
  verdict._tag === "Passed" ? verdict : { ...verdict, againAfter }

// The order of the stored ones: so of several failures the same one is told, wherever they come from.
const byContext = (one: CommitStatus, other: CommitStatus) => one.context < other.context ? -1 : 1

/**
 * What Gitea answers, and from the stored checks only those that the answer does not list. Their ids do not tell which
 * of two is newer, because a hook's id counts all statuses there are, and an answer's only those of the commit. A hook
 * that comes while Gitea is asked has the gates asked again.
 */
const replaced = (held: ReadonlyArray<CommitStatus>, asked: ReadonlyArray<CommitStatus>) => {
  const listed = new Set(asked.map(({ context }) => context))
  return [...held.filter(({ context }) => !listed.has(context)), ...asked].sort(byContext)
}

type Check = (pullRequest: PullRequest) => Effect.Effect<Verdict, GiteaError | StorageError>

/**
 * The gates that depend on what Gitea says: `ci`, `approval` and `merged`. They never fail because an answer is
 * missing.
 */
export const giteaGates: Effect.Effect<
  ReadonlyArray<QualityGate>,
  ConfigError.ConfigError,
  Gitea | Storage | TaskPullRequests
> = Effect.gen(function*() {
  const config = yield* GiteaConfig
  const client = Option.getOrUndefined(yield* Gitea)
  const { read, sql, write } = yield* Storage
  const pullRequests = yield* TaskPullRequests
  // How often in a row Gitea did not answer about a task. A restart forgets it, and then asks about every task anyway.
  const failures = new Map<TaskId, number>()
  let down: { readonly error: GiteaError; readonly at: EpochMillis } | undefined

  const sayOnce = yield* Effect.once(
    Effect.logWarning(
      "Nobody says which checks have to be green, so the gate ci waits: set ORCH_GITEA_REQUIRED_CHECKS, " +
        "or ORCH_GITEA_URL and ORCH_GITEA_TOKEN so that Gitea can be asked"
    )
  )

  /** While Gitea does not answer, one task waits for it, and the others get the error that this one found. */
  const asked = <A>(ask: Effect.Effect<A, GiteaError>) =>
    Effect.gen(function*() {
      const now = yield* epochMillis
      if (down !== undefined && Math.abs(now - down.at) < downFor) return yield* down.error
      return yield* Effect.tapBoth(ask, {
        onSuccess: () =>
          Effect.sync(() => {
            down = undefined
          }),
        onFailure: (error) =>
          Effect.map(epochMillis, (at) => {
            if (error.reason === "Unreachable") down = { error, at }
          })
      })
    })

  /**
   * The verdict while there is no answer. The gate is asked again after a pause that grows. A failure that is known
   * stays one, and one that was told is repeated word for word, because an outage is no news.
   */
  const waits = (gate: string, task: Task, error: GiteaError | StorageError, known: Verdict | undefined) =>
    Effect.gen(function*() {
      const { id, verdicts, workItem } = task
      const count = (failures.get(id) ?? 0) + 1
      failures.set(id, count)
      const pause = yield* backoff(count, { max: maxBackoff })
      yield* Effect.logWarning(`${workItem} waits: ${error.message}`)
      if (known?._tag === "Failed") return askAgain(known, pause)
      // A stage is left when all its gates have passed, so what has failed did so since the stage was entered.
      const told = verdicts.find((given) => given.gate === gate && given.verdict === "failed")
      return told === undefined
        ? Pending({ why: error.message, againAfter: pause })
        : Failed({ reason: told.reason ?? "", againAfter: pause })
    })

  /** The pull request as it is now, if Gitea can be asked. A merged one stays merged; a closed one may be reopened. */
  const current = (held: PullRequest) =>
    Effect.gen(function*() {
      if (client === undefined || held.merged) return held
      const { headSha, merged, open } = yield* asked(client.pullRequest(held.name, held.number))
      const now = yield* epochMillis
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
      // A later hook, which would replace what is stored, may have been lost.
      if (client !== undefined) return yield* askChecks(client, pullRequest, held)
      const verdict = checksVerdict(held, config)
      if (verdict === undecided) yield* sayOnce
      return verdict
    })

  const heldChecks = (pullRequest: PullRequest) =>
    Effect.map(read(readStatuses(sql, pullRequest)), (held) => checksVerdict(held, config))

  // Gitea sends no hook for a dismissal. So its own answer counts in every case, and what is stored is not enough to
  // fail.
  const approval = (pullRequest: PullRequest) =>
    client === undefined
      ? Effect.map(read(readReviews(sql, pullRequest)), (reviews) => reviewsVerdict(reviews, pullRequest))
      : Effect.map(asked(client.reviews(pullRequest.name, pullRequest.number)), askedReviewsVerdict)

  const merged = () => Effect.succeed(Pending({ why: "the pull request is not merged yet" }))

  const unlessEnded = (check: Check): Check => (pullRequest) => {
    // Once it is merged, nobody will build or approve it any more.
    if (pullRequest.merged) return Effect.succeed(Passed())
    return pullRequest.open
      ? check(pullRequest)
      : Effect.succeed(Pending({ why: "the pull request was closed without a merge" }))
  }

  const gate = (
    name: string,
    check: Check,
    /** What is known without Gitea: it counts only if it is a failure. */
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
          Effect.map((verdict) => client === undefined ? verdict : askAgain(verdict, askedEvery)),
          Effect.catchTag("GiteaError", (error) =>
            Effect.flatMap(held.open ? known(held) : Effect.succeed(undefined), (verdict) =>
              waits(name, task, error, verdict)))
        )
      }).pipe(Effect.catchTag("StorageError", (error) =>
        waits(name, task, error, undefined)))
  })

  return [gate("ci", ci, heldChecks), gate("approval", approval), gate("merged", merged)]
})

/** The gates that the default pipeline names: the orchestrator's own, and those that depend on what Gitea says. */
export const gatesLayer: Layer.Layer<
  QualityGates,
  ConfigError.ConfigError,
  Pipeline | WakeUps | Storage
> = Layer.effect(QualityGates, Effect.map(giteaGates, QualityGates.make)).pipe(
  Layer.provide([Gitea.layer, TaskPullRequests.layer]),
  Layer.provide([TaskStore.layer, connections])
)
