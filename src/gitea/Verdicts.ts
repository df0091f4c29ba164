import { Verdict } from "../tasks/QualityGate.js"
import type { CommitStatus, PullRequest, Review } from "./Facts.js"
import type { ReviewJson } from "./GiteaClient.js"
import type { GiteaConfig } from "./GiteaConfig.js"

type Checks = Pick<GiteaConfig, "requiredChecks" | "warning">

const escapeForPattern = (text: string) => text.replace(/[.+^${}()|[\]\\]/g, "\\$&")

/**
 * The pattern of a glob: `*` is any text, also with slashes, because contexts are full of them; `?` is one character.
 */
const patternOf = (glob: string) =>
  new RegExp(`^${escapeForPattern(glob).replace(/\*/g, ".*").replace(/\?/g, ".")}$`, "su")

// Gitea takes any text as a state: one that is not known is not a success.
const meaningOf = (state: string, warning: Checks["warning"]): "success" | "failure" | "pending" => {
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

const failed = ({ context, description, state }: CommitStatus) =>
  Verdict.Failed({ reason: `${context}: ${description === "" ? state : description}` })

/**
 * The verdict while only Gitea could tell: a build is green when all its checks are, and no list says which there must
 * be.
 */
export const undecided = Verdict.Pending({ why: "which checks have to be green is not known" })

/** The verdict of a pull request's checks. `undecided` when none has failed and no list says which there must be. */
export const checksVerdict = (
  statuses: ReadonlyArray<CommitStatus>,
  { requiredChecks, warning }: Checks
): Verdict => {
  const required = requiredChecks.map((glob) => ({ glob, pattern: patternOf(glob) }))
  const counted = required.length === 0
    ? statuses
    : statuses.filter(({ context }) => required.some(({ pattern }) => pattern.test(context)))
  const means = (status: CommitStatus) => meaningOf(status.state, warning)
  const failure = counted.find((status) => means(status) === "failure")
  if (failure !== undefined) return failed(failure)
  const missing = required.find(({ pattern }) => !counted.some(({ context }) => pattern.test(context)))
  if (missing !== undefined) return Verdict.Pending({ why: `${missing.glob}: nothing was reported yet` })
  const pending = counted.find((status) => means(status) === "pending")
  if (pending !== undefined) return Verdict.Pending({ why: `${pending.context}: ${pending.state}` })
  return required.length === 0 ? undecided : Verdict.Passed()
}

/** The verdict by Gitea's combined states, one for each page of `statuses`. */
export const combinedVerdict = (
  states: ReadonlyArray<string>,
  statuses: ReadonlyArray<CommitStatus>,
  warning: Checks["warning"]
): Verdict => {
  const first = (meaning: "failure" | "pending") => states.find((state) => meaningOf(state, warning) === meaning)
  const red = first("failure")
  if (red !== undefined) {
    const failure = statuses.find((status) => meaningOf(status.state, warning) === "failure")
    return failure === undefined ? Verdict.Failed({ reason: `the checks together: ${red}` }) : failed(failure)
  }
  const open = first("pending")
  if (open === undefined && states.length > 0) return Verdict.Passed()
  return Verdict.Pending({ why: `the checks together: ${open === undefined || open === "" ? "none" : open}` })
}

const waitsForReview = Verdict.Pending({ why: "nobody has approved the present commits" })

/**
 * The verdict of the reviewers, by what hooks have told. A request for changes counts until the same person approves.
 * An approval counts only for the head that it was given for. (A hook does not say which commit was reviewed, so it is
 * the head at the time.)
 */
export const reviewsVerdict = (reviews: ReadonlyArray<Review>, { headSha }: PullRequest): Verdict => {
  const objection = reviews.find(({ approved }) => !approved)
  if (objection !== undefined) return changesRequested(objection.reviewer, objection.content)
  return reviews.some((review) => review.approved && review.headSha === headSha) ? Verdict.Passed() : waitsForReview
}

/**
 * The same by Gitea's own answer, which knows dismissals. It does not matter whether a review is "official", because
 * some versions call none official where no rule protects the branch.
 */
export const askedReviewsVerdict = (reviews: ReadonlyArray<ReviewJson>): Verdict => {
  const latest = new Map<string, ReviewJson>()
  for (const review of reviews) {
    if (review.dismissed || review.user === null) continue
    if (review.state === "APPROVED" || review.state === "REQUEST_CHANGES") latest.set(review.user.login, review)
  }
  const standing = Array.from(latest)
  const objection = standing.find(([, { state }]) => state === "REQUEST_CHANGES")
  if (objection !== undefined) return changesRequested(objection[0], objection[1].body)
  return standing.some(([, { stale }]) => !stale) ? Verdict.Passed() : waitsForReview
}

const changesRequested = (reviewer: string, content: string) =>
  Verdict.Failed({ reason: content.trim() === "" ? `${reviewer} asks for changes` : `${reviewer}: ${content.trim()}` })
