import type { EpochMillis } from "../base/Time.js"
import type { PullRequest, PullRequestAnswer, PullRequestSeen } from "./Facts.js"
import type { Known } from "./PullRequestRows.js"

/** A list of open pull requests, as Gitea answers it. */
export interface OpenPullRequests {
  readonly seen: ReadonlyArray<PullRequestSeen>
  /** Whether it has all that are open. */
  readonly isAll: boolean
  /** How many are open, if Gitea says. */
  readonly total: number | undefined
}

/** What a list tells that no hook has told. */
export interface Missed {
  /** Those that are not known yet, or were changed since the last that was heard. */
  readonly news: ReadonlyArray<PullRequestSeen>
  /** Those that changed without a word of Gitea's about when: it renames a branch, and takes a push, so. */
  readonly changed: ReadonlyArray<{ readonly held: PullRequest; readonly answer: PullRequestAnswer }>
  /** Those that are not open any more. */
  readonly gone: ReadonlyArray<Known>
  /**
   * How many more are known as open than Gitea says, when all of that is remembered. Not 0: the list has not told all.
   */
  readonly surplus: number
}

const answerOf = (held: PullRequest, seen: PullRequestSeen): PullRequestAnswer => ({
  open: true,
  merged: false,
  mergedAt: null,
  draft: seen.draft,
  author: seen.author ?? held.author,
  base: seen.base,
  defaultBranch: seen.defaultBranch ?? held.defaultBranch,
  // Of a branch that is gone, some versions do not know the head.
  headSha: seen.headSha === "" ? held.headSha : seen.headSha
})

const differs = (held: PullRequest, answer: PullRequestAnswer) =>
  !held.open || held.base !== answer.base || held.defaultBranch !== answer.defaultBranch ||
  held.draft !== answer.draft || held.headSha !== answer.headSha

/**
 * Compares a list, for which Gitea was asked at `askedAt`, with what is known. What came in since then may be newer
 * than the list.
 */
export const missedOf = (known: ReadonlyArray<Known>, list: OpenPullRequests, askedAt: EpochMillis): Missed => {
  const { isAll, seen, total } = list
  const held = new Map(known.map((one) => [one.pullRequest.number, one]))
  const listed = new Map(seen.map((one) => [one.number, one]))
  const news = Array.from(listed.values()).filter(({ number, updatedAt }) => {
    const one = held.get(number)
    return one === undefined || one.isUnread || updatedAt > one.pullRequest.updatedAt
  })
  const isOld = ({ receivedAt }: Known) => receivedAt < askedAt
  const changed = Array.from(listed.values()).flatMap((seen) => {
    const one = held.get(seen.number)
    if (one === undefined || !isOld(one)) return []
    const { pullRequest } = one
    const answer = answerOf(pullRequest, seen)
    const isSame = seen.updatedAt !== pullRequest.updatedAt || pullRequest.merged || !differs(pullRequest, answer)
    return isSame ? [] : [{ held: pullRequest, answer }]
  })
  const open = known.filter(({ pullRequest }) => pullRequest.open)
  const gone = isAll ? open.filter((one) => isOld(one) && !listed.has(one.pullRequest.number)) : []
  const opened = [...news, ...changed.map(({ held }) => held)].filter(({ number }) =>
    held.get(number)?.pullRequest.open !== true
  )
  return { news, changed, gone, surplus: total === undefined ? 0 : open.length + opened.length - gone.length - total }
}
