import { Duration } from "effect"
import { isGlob, matchesAny } from "../base/Glob.js"
import { EpochMillis, later } from "../base/Time.js"
import type { PullRequestRules } from "../domain/PullRequestRules.js"
import { Verdict } from "../tasks/QualityGate.js"
import type { CommitStatus, PullRequest, Review } from "./Facts.js"
import type { Standing } from "./Standing.js"
import { idOf, nameOf } from "./Standing.js"

/** What a gate says, and when it may say something else although nothing new is heard. */
export interface Answer {
  readonly verdict: Verdict
  readonly againAt?: EpochMillis | undefined
}

/** What the protection of a base branch demands of a pull request into it. */
export interface Demands {
  /** Globs of the checks that must be green; none: it demands no checks. */
  readonly checks: ReadonlyArray<string>
  /** How many official approvals there must be; 0: the branch is not protected, or demands none. */
  readonly approvals: number
  /** Whether only official reviews count, because Gitea marks which are. */
  readonly official: boolean
}

/** What is demanded where Gitea cannot be asked. */
export const noDemands: Demands = { checks: [], approvals: 0, official: false }

const { Failed, Passed, Pending } = Verdict

/** How many pull requests a reason names. */
const mostNamed = 5

/**
 * A verdict without any pull request that counts: it names those that were considered, and why they do not count. If
 * one had counted before, somebody has to do something.
 */
const nobody = (workItem: string, { closed, uncounted }: Standing): Verdict => {
  const [last] = closed
  if (last === undefined && uncounted.length === 0) {
    return Pending({ why: `no pull request names ${workItem} yet`, isLost: true })
  }
  const named = [
    ...(last === undefined ? [] : [`${nameOf(last)} was closed without a merge`]),
    ...uncounted.slice(0, mostNamed).map(({ pullRequest, whyNot }) =>
      `${nameOf(pullRequest)} does not count: ${whyNot}`
    )
  ]
  const more = Math.max(0, uncounted.length - mostNamed)
  return Pending({ why: [...named, ...(more > 0 ? [`and ${more} more`] : [])].join("; "), isLost: true })
}

const mergeMoment = ({ mergedAt }: PullRequest) => mergedAt ?? 0

/** The merge that took the work back, if no later one has brought it again. */
const revertOf = ({ merged, open, reverts }: Standing): PullRequest | undefined => {
  // What was taken back is not what is open now.
  if (merged.length === 0 && open.length > 0) return undefined
  const last = Math.max(...merged.map(mergeMoment))
  return reverts.find((revert) => mergeMoment(revert) > last)
}

/**
 * Whether the work is merged: at least one pull request is, none is open any more, and no later merge has taken the
 * work back.
 */
export const mergedVerdict = (workItem: string, standing: Standing): Verdict => {
  const revert = revertOf(standing)
  if (revert !== undefined) {
    return Failed({ reason: `${nameOf(revert)} reverted it`, sameAs: `revert ${idOf(revert)}` })
  }
  const [open] = standing.open
  const [merged] = standing.merged
  if (open !== undefined) {
    return Pending({
      why: merged === undefined
        ? `${nameOf(open)} is not merged yet`
        : `${nameOf(merged)} is merged, but ${nameOf(open)} is still open`
    })
  }
  return merged === undefined ? nobody(workItem, standing) : Passed()
}

/**
 * The verdict on each open pull request, taken together: the first failure, or else the first that waits. When none is
 * open a merge answers it, because nobody will build or approve what is merged.
 */
export const eachOpen = (
  workItem: string,
  standing: Standing,
  answers: ReadonlyArray<{ readonly pullRequest: PullRequest; readonly answer: Answer }>
): Answer => {
  if (standing.open.length === 0) {
    if (standing.merged.length === 0) return { verdict: nobody(workItem, standing) }
    // That the work is taken back is told by the gate `merged`. The others only wait.
    const answer = mergedVerdict(workItem, standing)
    return {
      verdict: answer._tag === "Failed" ? Pending({ why: answer.reason, isLost: true, sameAs: answer.sameAs }) : answer
    }
  }
  const same = (pullRequest: PullRequest, { sameAs }: { readonly sameAs?: string | undefined }) =>
    sameAs === undefined ? {} : { sameAs: `${idOf(pullRequest)} ${sameAs}` }
  const named = (pullRequest: PullRequest, reason: string) =>
    standing.open.length === 1 ? reason : `${nameOf(pullRequest)}: ${reason}`
  const verdicts = answers.map(({ answer: { verdict }, pullRequest }) =>
    Verdict.$match(verdict, {
      Passed: () => Passed(),
      Failed: (verdict) =>
        Failed({ ...verdict, reason: named(pullRequest, verdict.reason), ...same(pullRequest, verdict) }),
      Pending: (verdict) => Pending({ ...verdict, why: named(pullRequest, verdict.why), ...same(pullRequest, verdict) })
    })
  )
  const verdict = verdicts.find(({ _tag }) => _tag === "Failed") ?? verdicts.find(({ _tag }) => _tag === "Pending")
  const moments = answers.flatMap(({ answer: { againAt } }) => againAt === undefined ? [] : [againAt])
  const againAt = moments.reduce<EpochMillis | undefined>(
    (first, next) => first === undefined || next < first ? next : first,
    undefined
  )
  return { verdict: verdict ?? Passed(), againAt }
}

// Gitea takes any text as a state: one that is not known is not a success.
const meaningOf = (state: string, warning: PullRequestRules["warning"]): "success" | "failure" | "pending" => {
  switch (state) {
    case "success":
    case "skipped":
      return "success"
    case "failure":
    case "error":
      return "failure"
    case "warning":
      return warning
    default:
      return "pending"
  }
}

const isOneOf = (logins: ReadonlyArray<string>, login: string | null) =>
  login !== null && logins.some((one) => one.toLowerCase() === login.toLowerCase())

/** The names of Gitea's and Forgejo's own runners. A hook tells them, and an answer has none instead. */
const runners = ["gitea-actions", "forgejo-actions"]

/** Whether a check is one of those users'. A hook that told its runner's name may be lost. */
const isTrusted = (ciUsers: ReadonlyArray<string>) => ({ creator }: CommitStatus) =>
  ciUsers.length === 0 ||
  (creator === null ? runners.some((runner) => isOneOf(ciUsers, runner)) : isOneOf(ciUsers, creator))

/**
 * The verdict on the checks of a pull request's head. A list of plain names is complete: they must all be green. A glob
 * may match more that have not started yet, and so may everything there is where no list says what must be green. Then
 * all that were reported must be green, and nothing new may have come for a while. No check at all is never green.
 */
export const checksAnswer = (
  { draft }: Pick<PullRequest, "draft">,
  statuses: ReadonlyArray<CommitStatus>,
  { checks }: Demands,
  { ciUsers, requiredChecks, settle, warning }: PullRequestRules,
  now: EpochMillis
): Answer => {
  const trusted = statuses.filter(isTrusted(ciUsers))
  const required = requiredChecks.length > 0 ? requiredChecks : checks
  const isRequired = required.length === 0 ? () => true : matchesAny(required)
  const counted = trusted.filter(({ context }) => isRequired(context))
  const means = (status: CommitStatus) => meaningOf(status.state, warning)
  const failure = counted.find((status) => means(status) === "failure")
  if (failure !== undefined) {
    const { context, description, page, state } = failure
    // What a check says of its failure may be how long it took.
    const reason = `${context}: ${description === "" ? state : description}`
    const seenAt = page === null || page === undefined ? {} : { page: { title: `${context}: ${state}`, url: page } }
    return { verdict: Failed({ reason, sameAs: `${state} ${context}`, ...seenAt }) }
  }
  const waits = (why: string, againAt?: EpochMillis): Answer => ({ verdict: Pending({ why }), againAt })
  if (draft) return waits("the pull request is a draft")
  const missing = required.find((glob) => !counted.some(({ context }) => matchesAny([glob])(context)))
  if (missing !== undefined) return waits(`${missing}: nothing was reported yet`)
  const pending = counted.find((status) => means(status) === "pending")
  if (pending !== undefined) return waits(`${pending.context}: ${pending.state}`)
  if (counted.length === 0) {
    return waits("no check was reported yet (a pipeline that has none leaves out the gate ci)")
  }
  if (required.length > 0 && !required.some(isGlob)) return { verdict: Passed() }
  const latest = EpochMillis(Math.max(...counted.map(({ receivedAt }) => receivedAt)))
  const settledAt = later(latest, Duration.toMillis(settle))
  if (now >= settledAt) return { verdict: Passed() }
  return waits(`other checks may start: waits until none has for ${Duration.format(settle)}`, settledAt)
}

/** A reviewer's word that stands, from a hook or from Gitea's answer. */
export interface StandingReview {
  readonly reviewer: string
  readonly approved: boolean
  readonly content: string
  /** Whether it was given for the present commits. */
  readonly fresh: boolean
  /** Whether Gitea counts it, if it says. */
  readonly official: boolean
}

/** The words that hooks told. They do not say which commit was reviewed, so it is the head at the time. */
export const heardReviews = (
  reviews: ReadonlyArray<Review>,
  { headSha }: Pick<PullRequest, "headSha">
): ReadonlyArray<StandingReview> =>
  reviews.map((review) => ({ ...review, fresh: review.headSha === headSha, official: false }))

/**
 * The verdict of the reviewers. A request for changes stands until the same person approves, or it is dismissed. An
 * approval counts only for the present commits. The author's own word never counts, and neither does that of somebody
 * who is not one of `reviewers`, where these are set, or whom Gitea does not count, where it says so.
 */
export const reviewsVerdict = (
  reviews: ReadonlyArray<StandingReview>,
  { author }: Pick<PullRequest, "author">,
  demands: Demands,
  { reviewers }: PullRequestRules
): Verdict => {
  const counted = reviews.filter(({ official, reviewer }) =>
    !isOneOf([reviewer], author)
    && (reviewers.length === 0 || isOneOf(reviewers, reviewer))
    && (official || !demands.official)
  )
  const objection = counted.find(({ approved }) => !approved)
  if (objection !== undefined) {
    const { content, reviewer } = objection
    return Failed({ reason: content.trim() === "" ? `${reviewer} asks for changes` : `${reviewer}: ${content.trim()}` })
  }
  const needed = Math.max(1, demands.approvals)
  const given = counted.filter(({ fresh }) => fresh).length
  if (given >= needed) return Passed()
  return Pending({
    why: given === 0
      ? "nobody has approved the present commits"
      : `${given} of ${needed} approvals of the present commits are there`,
    isLost: true,
    sameAs: "approvals"
  })
}
