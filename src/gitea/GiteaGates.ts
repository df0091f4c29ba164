import type { ConfigError } from "effect"
import { Cache, Data, Duration, Effect, Exit, Layer, Option } from "effect"
import { backoff } from "../base/Backoff.js"
import { connections } from "../base/Connections.js"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis, later } from "../base/Time.js"
import { Projects } from "../domain/Projects.js"
import { projectsLayer } from "../domain/ProjectSettings.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { WakeUps } from "../storage/WakeUps.js"
import { Pipeline } from "../tasks/Pipeline.js"
import type { QualityGate } from "../tasks/QualityGate.js"
import { QualityGates, reported, Verdict } from "../tasks/QualityGate.js"
import type { Task, TaskId } from "../tasks/Task.js"
import { TaskStore } from "../tasks/TaskStore.js"
import type { CommitStatus, PullRequest, PullRequestAnswer } from "./Facts.js"
import { readReviews, readStatuses, rememberAnswer, rememberAskedStatuses } from "./Facts.js"
import type { CheckAnswer, GiteaError } from "./GiteaClient.js"
import { Gitea } from "./GiteaClient.js"
import type { Considered, Standing } from "./Standing.js"
import { standingOf } from "./Standing.js"
import { TaskPullRequests } from "./TaskPullRequests.js"
import type { Answer, Demands } from "./Verdicts.js"
import { checksAnswer, eachOpen, heardReviews, mergedVerdict, noDemands, reviewsVerdict } from "./Verdicts.js"

/** The longest pause before a Gitea that did not answer is asked again. */
const maxBackoff = Duration.minutes(5)

/** How long a Gitea that did not answer is not asked again. */
const downFor = Duration.toMillis("5 seconds")

/**
 * How often Gitea is asked about a task that waits, because the hook of a merge, a review or a check may have been
 * lost.
 */
const askedEvery = Duration.minutes(10)

const until = (now: EpochMillis, moments: ReadonlyArray<EpochMillis>) =>
  Duration.millis(Math.max(0, Math.min(...moments) - now))

const { Failed, Pending } = Verdict

const askAgain = (verdict: Verdict, againAfter: Duration.Duration): Verdict =>
  verdict._tag === "Passed" ? verdict : { ...verdict, againAfter }

/** How many pull requests of a task Gitea is asked about at the same time. */
const mostAsked = 4

/** What a gate says of one open pull request. */
type Check = (pullRequest: PullRequest) => Effect.Effect<Answer, GiteaError | StorageError>

/** How long it is known what a branch demands, and which version Gitea has. */
const demandsKnownFor = Duration.minutes(1)

/** From this version on Gitea says which reviews are official also where no rule protects the branch. */
const marksOfficialSince = 23

const differs = (held: PullRequest, answer: PullRequestAnswer) =>
  held.base !== answer.base || held.defaultBranch !== answer.defaultBranch || held.draft !== answer.draft ||
  held.author !== answer.author || held.headSha !== answer.headSha || held.merged !== answer.merged ||
  held.open !== answer.open

/** What Gitea answers that is not stored. */
const news = (held: ReadonlyArray<CommitStatus>, asked: ReadonlyArray<CheckAnswer>) => {
  const known = new Map(held.map((status) => [status.context, status]))
  return asked.filter(({ context, creator, description, state }) => {
    const status = known.get(context)
    return status === undefined || status.state !== state || status.description !== description ||
      status.creator !== creator
  })
}

/**
 * The gates that depend on what Gitea says: `ci`, `approval` and `merged`, and `reported`, which a merge answers too.
 * They never fail because an answer is missing.
 */
export const giteaGates: Effect.Effect<
  ReadonlyArray<QualityGate>,
  never,
  Gitea | Projects | Storage | TaskPullRequests | Pipeline
> = Effect.gen(function*() {
  const { project: { pullRequests: rules } } = yield* Projects
  const client = Option.getOrUndefined(yield* Gitea)
  const { read, sql, write } = yield* Storage
  const pullRequests = yield* TaskPullRequests
  // How often in a row Gitea did not answer about a task. A restart forgets it, and then asks about every task anyway.
  const failures = new Map<TaskId, number>()
  let down: { readonly error: GiteaError; readonly at: EpochMillis } | undefined

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
      const told = verdicts.find((given) => given.gate === gate && given.verdict === "failed")
      return told === undefined
        ? Pending({ why: error.message, againAfter: pause })
        : Failed({ reason: told.reason ?? "", againAfter: pause })
    })

  /** The pull request as it is now, if Gitea can be asked. A merged one stays merged; a closed one may be reopened. */
  const current = (held: PullRequest) =>
    Effect.gen(function*() {
      if (client === undefined || held.merged) return held
      const answer = yield* asked(client.pullRequest(held))
      const now = yield* epochMillis
      const mergedAt = answer.mergedAt ?? (answer.merged ? now : null)
      if (differs(held, answer)) yield* write(rememberAnswer(sql, held, { ...answer, mergedAt }, now))
      return { ...held, ...answer, mergedAt }
    })

  /** The pull requests as they are now. One that would not count in any state is not asked about. */
  const renewed = (task: Task, considered: ReadonlyArray<Considered>) =>
    Effect.forEach(considered, (one) =>
      !one.isRevert && (one.whyNot === undefined || one.pullRequest.base === null)
        ? Effect.map(current(one.pullRequest), (now) => pullRequests.judge(task, now))
        : Effect.succeed(one), { concurrency: mostAsked })

  const marksOfficial = client === undefined
    ? Effect.succeed(false)
    : yield* Effect.cachedWithTTL(
      asked(client.version).pipe(
        Effect.map((version) => version >= marksOfficialSince),
        // A token for repositories alone may not be told.
        Effect.catchIf(
          ({ reason }) => reason === "KeyRefused" || reason === "NotFound",
          () => Effect.succeed(false)
        )
      ),
      demandsKnownFor
    )

  const demandsOf = yield* Cache.makeWith({
    capacity: 1_000,
    // A failure is not kept.
    timeToLive: Exit.match({ onFailure: () => Duration.zero, onSuccess: () => demandsKnownFor }),
    lookup: (branch: readonly [repository: string, name: string]): Effect.Effect<Demands, GiteaError> =>
      client === undefined
        ? Effect.succeed(noDemands)
        : Effect.flatMap(asked(client.branch(...branch)), ({ approvals, checks, protected: isProtected }) =>
          Effect.map(
            isProtected ? Effect.succeed(true) : marksOfficial,
            (official) => ({ checks, approvals, official })
          ))
  })

  const demands = ({ base, name }: PullRequest) => demandsOf.get(Data.tuple(name, base ?? ""))

  const ci = (pullRequest: PullRequest) =>
    Effect.gen(function*() {
      if (client !== undefined) {
        const held = yield* read(readStatuses(sql, pullRequest))
        const fresh = news(held, yield* asked(client.checks(pullRequest.name, pullRequest.headSha)))
        const now = yield* epochMillis
        if (fresh.length > 0) yield* write(rememberAskedStatuses(sql, pullRequest, fresh, now))
      }
      const demanded = rules.requiredChecks.length > 0 ? noDemands : yield* demands(pullRequest)
      return yield* heldChecks(pullRequest, demanded)
    })

  const heldChecks = (pullRequest: PullRequest, demanded: Demands) =>
    Effect.gen(function*() {
      const held = yield* read(readStatuses(sql, pullRequest))
      return checksAnswer(pullRequest, held, demanded, rules, yield* epochMillis)
    })

  // Gitea sends no hook for a dismissal. So its own answer counts in every case, and what is stored is not enough to
  // fail.
  const approval = (pullRequest: PullRequest) =>
    Effect.gen(function*() {
      const reviews = client === undefined
        ? heardReviews(yield* read(readReviews(sql, pullRequest)), pullRequest)
        : yield* asked(client.reviews(pullRequest.name, pullRequest.number))
      return { verdict: reviewsVerdict(reviews, pullRequest, yield* demands(pullRequest), rules) }
    })

  const onEach = (check: Check) => (workItem: string, standing: Standing) =>
    Effect.map(
      Effect.forEach(
        standing.open,
        (pullRequest) => Effect.map(check(pullRequest), (answer) => ({ pullRequest, answer })),
        { concurrency: mostAsked }
      ),
      (answers) => eachOpen(workItem, standing, answers)
    )

  const gate = (
    name: string,
    judge: (workItem: string, standing: Standing) => Effect.Effect<Answer, GiteaError | StorageError>,
    /** What is known without Gitea: it counts only if it is a failure. */
    known: Check = () => Effect.succeed({ verdict: Pending({ why: "Gitea did not answer" }) })
  ): QualityGate => ({
    name,
    isOfTask: true,
    check: (task) =>
      Effect.gen(function*() {
        const { id, workItem } = task
        const considered = yield* pullRequests.link(task)
        return yield* Effect.flatMap(renewed(task, considered), (now) => judge(workItem, standingOf(now))).pipe(
          Effect.tap(() => failures.delete(id)),
          Effect.flatMap(({ againAt, verdict }) =>
            Effect.map(epochMillis, (now) => {
              const moments = [
                ...(client !== undefined && considered.length > 0 ? [later(now, askedEvery)] : []),
                ...(againAt === undefined ? [] : [againAt])
              ]
              return moments.length === 0 ? verdict : askAgain(verdict, until(now, moments))
            })
          ),
          Effect.catchTag("GiteaError", (error) =>
            Effect.flatMap(onEach(known)(workItem, standingOf(considered)), ({ verdict }) =>
              waits(name, task, error, verdict)))
        )
      }).pipe(Effect.catchAll((error) =>
        waits(name, task, error, undefined)
      ))
  })

  const merged: QualityGate = {
    ...gate("merged", (workItem, standing) => Effect.succeed({ verdict: mergedVerdict(workItem, standing) })),
    isLasting: true
  }

  const forge = [
    gate("ci", onEach(ci), (pullRequest) => heldChecks(pullRequest, noDemands)),
    gate("approval", onEach(approval)),
    merged
  ]
  const { names, stages } = yield* Pipeline
  const firstForgeStage = stages.findIndex(({ gates }) => forge.some(({ name }) => gates.includes(name)))

  /** A merge answers it from the first stage on that asks the forge: nobody will work on what is merged. */
  const reportedOrMerged: QualityGate = {
    name: reported.name,
    check: (task) =>
      Effect.flatMap(
        reported.check(task),
        (verdict) =>
          verdict._tag === "Passed" || firstForgeStage < 0 || names.indexOf(task.stage) < firstForgeStage
            ? Effect.succeed(verdict)
            : Effect.map(
              merged.check(task),
              (answer) => answer._tag === "Passed" ? answer : { ...verdict, againAfter: answer.againAfter }
            )
      )
  }

  return [...forge, reportedOrMerged]
})

/** The gates that the default pipeline names: the orchestrator's own, and those that depend on what Gitea says. */
export const gatesLayer: Layer.Layer<
  QualityGates,
  ConfigError.ConfigError,
  Pipeline | WakeUps | Storage
> = Layer.effect(QualityGates, Effect.map(giteaGates, QualityGates.make)).pipe(
  Layer.provide([Gitea.layer, TaskPullRequests.layer]),
  Layer.provide([TaskStore.layer, projectsLayer, connections])
)
