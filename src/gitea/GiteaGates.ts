import type { ConfigError } from "effect"
import { Duration, Effect, Layer, Option } from "effect"
import { backoff } from "../base/Backoff.js"
import { connections } from "../base/Connections.js"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis, later } from "../base/Time.js"
import { Projects, unset } from "../domain/Projects.js"
import type { PullRequestRules } from "../domain/PullRequestRules.js"
import type { Leadership } from "../outbox/Leadership.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { WakeUps } from "../storage/WakeUps.js"
import { Pipeline } from "../tasks/Pipeline.js"
import type { QualityGate } from "../tasks/QualityGate.js"
import { QualityGates, reported, Verdict } from "../tasks/QualityGate.js"
import type { Task, TaskId } from "../tasks/Task.js"
import { TaskStore } from "../tasks/TaskStore.js"
import { newsIn, readStatuses, receivedBy, rememberAskedStatuses } from "./CheckRows.js"
import type { JudgeByDemands } from "./Demands.js"
import { makeDemands } from "./Demands.js"
import type { PullRequest } from "./Facts.js"
import { forgeOfProject } from "./Forges.js"
import type { GiteaClient } from "./GiteaClient.js"
import { Gitea } from "./GiteaClient.js"
import type { GiteaError } from "./GiteaError.js"
import type { Pages } from "./Pages.js"
import { makePages } from "./Pages.js"
import { makeRenewal } from "./Renewal.js"
import { readReviews } from "./ReviewRows.js"
import { startRounds } from "./Rounds.js"
import type { Considered, Standing } from "./Standing.js"
import { isDecided, standingOf } from "./Standing.js"
import { TaskPullRequests } from "./TaskPullRequests.js"
import type { Answer, Demands } from "./Verdicts.js"
import { checksAnswer, eachOpen, heardReviews, mergedVerdict, noDemands, reviewsVerdict } from "./Verdicts.js"

/** The longest pause before a Gitea that did not answer is asked again. */
const maxBackoff = Duration.minutes(5)

/**
 * How often Gitea is asked about a task that waits, because the hook of a merge, a review or a check may have been
 * lost.
 */
const askedEvery = Duration.minutes(10)

const until = (now: EpochMillis, moments: ReadonlyArray<EpochMillis>) =>
  Duration.millis(Math.max(0, Math.min(...moments) - now))

const earliest = (one: EpochMillis, other: EpochMillis) => one < other ? one : other

const { Failed, Pending } = Verdict

const askAgain = (verdict: Verdict, againAfter: Duration.Duration): Verdict =>
  verdict._tag === "Passed" ? verdict : { ...verdict, againAfter }

/** How many pull requests of a task Gitea is asked about at the same time. */
const mostAsked = 4

/** A Gitea that can be asked. */
interface Asked {
  readonly client: GiteaClient
  /** The pull request as it is now. */
  readonly current: ReturnType<typeof makeRenewal>
  readonly judgeByDemands: JudgeByDemands
}

/** What a task's project says of its pull requests, and its Gitea, if that can be asked. */
interface Judging {
  readonly rules: PullRequestRules
  readonly asked: Asked | undefined
  readonly pages: Pages
}

/** What a gate says of one open pull request. */
type Check = (pullRequest: PullRequest, by: Judging) => Effect.Effect<Answer, GiteaError | StorageError>

/** The names of the gates that depend on what Gitea says. */
export const giteaGateNames = ["ci", "approval", "merged"] as const

const failuresOf = (gate: string, taskId: TaskId) => `${gate} ${taskId}`

/**
 * The gates that depend on what Gitea says: `ci`, `approval` and `merged`, and `reported`, which a merge answers too.
 * They never fail because an answer is missing.
 */
export const giteaGates: Effect.Effect<
  ReadonlyArray<QualityGate>,
  never,
  Gitea | Projects | Storage | TaskPullRequests | Pipeline
> = Effect.gen(function*() {
  const projects = yield* Projects
  const gitea = yield* Gitea
  const storage = yield* Storage
  const { read, sql, write } = storage
  const pullRequests = yield* TaskPullRequests
  const pagesOf = yield* makePages
  // How often in a row Gitea did not answer a gate about a task. A restart forgets it, and then asks about every task.
  const failures = new Map<string, number>()

  /**
   * The verdict while there is no answer. The gate is asked again after a pause that grows. A failure that is known
   * stays one, and one that was told is repeated word for word, because an outage is no news.
   */
  const waits = (gate: string, task: Task, error: GiteaError | StorageError, known: Verdict | undefined) =>
    Effect.gen(function*() {
      const { id, verdicts, workItem } = task
      const counted = failuresOf(gate, id)
      const count = (failures.get(counted) ?? 0) + 1
      failures.set(counted, count)
      const pause = yield* backoff(count, { max: maxBackoff })
      yield* Effect.logWarning(`${workItem} waits: ${error.message}`)
      if (known?._tag === "Failed") return askAgain(known, pause)
      const told = verdicts.find((given) => given.gate === gate && given.verdict === "failed")
      return told === undefined
        ? Pending({ why: error.message, againAfter: pause })
        : Failed({ reason: Option.getOrElse(told.reason, () => ""), againAfter: pause })
    })

  const asked = new Map<number, Asked>()
  for (const [forge, client] of gitea.clients) {
    asked.set(forge, { client, current: makeRenewal(client, storage), judgeByDemands: yield* makeDemands(client) })
  }

  /** By which rules the pull requests of a task are judged, and who is asked about them. */
  const judging = ({ project }: Task): Option.Option<Judging> =>
    Option.map(
      Option.fromNullable(projects.named(project)),
      (project) => ({
        rules: project.pullRequests,
        asked: asked.get(forgeOfProject(project)),
        pages: pagesOf(project)
      })
    )

  /**
   * The pull requests as they are now. One that would not count in any state is not asked about. What is known of one
   * that is not open stands while Gitea does not answer about it, so that it holds up no other.
   */
  const renewed = (task: Task, { asked }: Judging, considered: ReadonlyArray<Considered>) =>
    Effect.forEach(
      considered,
      (one) =>
        one.isRevert === true || isDecided(one) || asked === undefined ?
          Effect.succeed(one) :
          Effect.map(asked.current(one.pullRequest), (now) => pullRequests.judge(task, now)).pipe(
            Effect.catchIf(({ _tag }) => _tag === "GiteaError" && !one.pullRequest.open, () => Effect.succeed(one))
          ),
      { concurrency: mostAsked }
    )

  const ci: Check = (pullRequest, by) => {
    const { asked: forge, rules } = by
    if (forge === undefined) return heldChecks(pullRequest, by, () => true, noDemands)
    const { client, judgeByDemands } = forge
    return Effect.gen(function*() {
      const held = yield* read(readStatuses(sql, pullRequest))
      const asked = yield* client.checks(pullRequest.name, pullRequest.headSha)
      const fresh = newsIn(held, asked)
      const now = yield* epochMillis
      if (fresh.length > 0) yield* write(rememberAskedStatuses(sql, pullRequest, fresh, now))
      // An answer is complete: what is not in it is not there any more.
      const there = new Set(asked.map(({ context }) => context))
      const judge = (demands: Demands) => heldChecks(pullRequest, by, (context) => there.has(context), demands)
      return yield* rules.requiredChecks.length > 0 ? judge(noDemands) : judgeByDemands(pullRequest, rules, judge)
    })
  }

  const heldChecks = (
    pullRequest: PullRequest,
    { pages, rules }: Judging,
    isThere: (context: string) => boolean,
    demands: Demands
  ) =>
    Effect.gen(function*() {
      const held = (yield* read(readStatuses(sql, pullRequest))).filter(({ context }) => isThere(context))
      const now = yield* epochMillis
      // The time to settle is not counted from a moment ahead.
      const isAhead = held.some(({ receivedAt }) => receivedAt > now)
      if (isAhead) yield* write(receivedBy(sql, pullRequest, now))
      const dated = held.map((one) => ({
        ...one,
        receivedAt: earliest(one.receivedAt, now),
        page: pages.ofCheck(pullRequest, one.page) ?? null
      }))
      return checksAnswer(pullRequest, dated, demands, rules, now)
    })

  // Gitea sends no hook for a dismissal. So its own answer counts in every case, and what is stored is not enough to
  // fail.
  const approval: Check = (pullRequest, { asked, rules }) =>
    Effect.gen(function*() {
      const reviews = asked === undefined
        ? heardReviews(yield* read(readReviews(sql, pullRequest)), pullRequest)
        : yield* asked.client.reviews(pullRequest.name, pullRequest.number)
      const judge = (demands: Demands) =>
        Effect.succeed({ verdict: reviewsVerdict(reviews, pullRequest, demands, rules) })
      return yield* asked === undefined ? judge(noDemands) : asked.judgeByDemands(pullRequest, rules, judge)
    })

  const onEach = (check: Check) => (workItem: string, standing: Standing, by: Judging) =>
    Effect.map(
      Effect.forEach(
        standing.open,
        (pullRequest) => Effect.map(check(pullRequest, by), (answer) => ({ pullRequest, answer })),
        { concurrency: mostAsked }
      ),
      (answers) => eachOpen(workItem, standing, answers)
    )

  const gate = (
    name: typeof giteaGateNames[number],
    judge: (workItem: string, standing: Standing, by: Judging) => Effect.Effect<Answer, GiteaError | StorageError>,
    /** What is known without Gitea: it counts only if it is a failure. */
    known: Check = () => Effect.succeed({ verdict: Pending({ why: "Gitea did not answer" }) })
  ): QualityGate => ({
    name,
    isOfTask: true,
    check: (task) =>
      Effect.gen(function*() {
        const { id, project, workItem } = task
        const judged = judging(task)
        // A pipeline that is the same for all projects asks for a task of one that is not set any more.
        if (Option.isNone(judged)) return Pending({ why: unset(project), againAfter: "1 minute" })
        const by = judged.value
        const considered = yield* pullRequests.link(task)
        return yield* Effect.flatMap(renewed(task, by, considered), (now) => judge(workItem, standingOf(now), by)).pipe(
          Effect.tap(() => failures.delete(failuresOf(name, id))),
          Effect.flatMap(({ againAt, verdict }) =>
            Effect.map(epochMillis, (now) => {
              const moments = [
                ...(by.asked !== undefined && considered.length > 0 ? [later(now, askedEvery)] : []),
                ...(againAt === undefined ? [] : [againAt])
              ]
              return moments.length === 0 ? verdict : askAgain(verdict, until(now, moments))
            })
          ),
          Effect.catchTag("GiteaError", (error) =>
            Effect.flatMap(onEach(known)(workItem, standingOf(considered), by), ({ verdict }) =>
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
    gate("ci", onEach(ci), (pullRequest, by) => heldChecks(pullRequest, by, () => true, noDemands)),
    gate("approval", onEach(approval)),
    merged
  ]
  const pipelines = yield* Pipeline

  /** Whether the forge is asked at the stage of a task, or was before it. */
  const isAtForge = ({ project, stage }: Task) =>
    Option.exists(pipelines.of(project), ({ names, stages }) => {
      const first = stages.findIndex(({ gates }) => forge.some(({ name }) => gates.includes(name)))
      return first >= 0 && names.indexOf(stage) >= first
    })

  /** A merge answers it from the first stage on that asks the forge: nobody will work on what is merged. */
  const reportedOrMerged: QualityGate = {
    name: reported.name,
    check: (task) =>
      Effect.flatMap(
        reported.check(task),
        (verdict) =>
          verdict._tag === "Passed" || !isAtForge(task)
            ? Effect.succeed(verdict)
            : Effect.map(
              merged.check(task),
              (answer) => answer._tag === "Passed" ? answer : { ...verdict, againAfter: answer.againAfter }
            )
      )
  }

  return [...forge, reportedOrMerged]
})

/**
 * The gates that the default pipeline names: the orchestrator's own, and those that depend on what Gitea says. Where
 * Gitea can be asked, it is also asked in rounds for what its hooks have not told.
 */
export const gatesLayer: Layer.Layer<
  Gitea | QualityGates,
  ConfigError.ConfigError,
  Pipeline | Leadership | Projects | WakeUps | Storage
> = Layer.merge(
  Layer.effect(QualityGates, Effect.map(giteaGates, QualityGates.make)),
  Layer.scopedDiscard(startRounds)
).pipe(
  Layer.provide(TaskPullRequests.layer),
  Layer.provideMerge(Gitea.layer),
  Layer.provide([TaskStore.layer, connections])
)
