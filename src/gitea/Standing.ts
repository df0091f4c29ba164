import { matchesAny } from "../base/Glob.js"
import type { EpochMillis } from "../base/Time.js"
import type { Project } from "../domain/Project.js"
import type { PullRequestRules } from "../domain/PullRequestRules.js"
import type { PullRequest, PullRequestId } from "./Facts.js"
import { forgeOf, forgeOfProject } from "./Forges.js"

/** How people name a pull request: "acme/widgets#12". */
export const nameOf = ({ name, number }: Pick<PullRequest, "name" | "number">): string => `${name}#${number}`

/** The same for the program, because a repository's name may change. */
export const idOf = ({ number, repository }: PullRequestId): string => `${repository}#${number}`

/** Whether a repository's pull requests count. Gitea does not tell names apart by their case. */
export const isCounted = (repositories: PullRequestRules["repositories"], name: string): boolean =>
  repositories.length === 0 || matchesAny(repositories.map((glob) => glob.toLowerCase()))(name.toLowerCase())

/**
 * A merge that we had heard of when the task started came first, whatever Gitea's clock says. Gitea says the moment in
 * whole seconds, so within the second of the start that alone does not tell.
 */
const isMergedBefore = (mergedAt: EpochMillis, heardAt: EpochMillis | null, startedAt: EpochMillis) =>
  mergedAt < startedAt - startedAt % 1000 || (heardAt !== null && heardAt < startedAt)

/** What has become of a pull request, in a word. */
export const stateOf = ({ merged, open }: Pick<PullRequest, "merged" | "open">): "merged" | "open" | "closed" =>
  merged ? "merged" : open ? "open" : "closed"

/** Why a pull request moves no task, in words that follow its name; none if it counts. */
export const whyNot = (
  pullRequest: PullRequest,
  startedAt: EpochMillis,
  project: Pick<Project, "gitea" | "names" | "pullRequests">
): string | undefined => {
  const { base, defaultBranch, fork, mergeHeardAt = null, merged, mergedAt, name } = pullRequest
  const { names, pullRequests: { branches, forks, repositories } } = project
  if (forgeOf(pullRequest) !== forgeOfProject(project)) return `it is not in the Gitea of ${names.gitea.url}`
  if (!isCounted(repositories, name)) return `its repository is not one of ${names.repositories}`
  if (base === null) return "its base branch is not known until Gitea tells of it again"
  if (base !== defaultBranch && !matchesAny(branches)(base)) {
    return `it goes into ${base}, and not into ${defaultBranch ?? "the default branch"} or one of ${names.branches}`
  }
  if (fork && !forks) return `it comes from a fork, and ${names.forks} is not true`
  if (!merged) return undefined
  if (mergedAt === null) return "when it was merged is not known until Gitea tells of it again"
  return isMergedBefore(mergedAt, mergeHeardAt, startedAt) ? "it was merged before the task started" : undefined
}

/** A pull request that is about a task's work item. */
export interface Considered {
  readonly pullRequest: PullRequest
  /** Why it does not count; none if it does. */
  readonly whyNot: string | undefined
  /** It takes back what was done for the task. */
  readonly isRevert?: boolean
}

/** Whether nothing that Gitea could say of it would make it count, or say more of its merge. */
export const isDecided = ({ pullRequest: { base, merged, mergedAt }, whyNot }: Considered): boolean =>
  whyNot !== undefined && base !== null && !(merged && mergedAt === null)

/** The pull requests that are about a task, sorted by what they mean for it. */
export interface Standing {
  readonly open: ReadonlyArray<PullRequest>
  readonly merged: ReadonlyArray<PullRequest>
  /** Closed without a merge. */
  readonly closed: ReadonlyArray<PullRequest>
  readonly uncounted: ReadonlyArray<Considered>
  /** Merged ones that take the work back. */
  readonly reverts: ReadonlyArray<PullRequest>
}

/** Sorts the pull requests that are about a task. */
export const standingOf = (considered: ReadonlyArray<Considered>): Standing => {
  const counting = (isRevert: boolean) =>
    considered.flatMap((one) =>
      one.whyNot === undefined && (one.isRevert === true) === isRevert ? [one.pullRequest] : []
    )
  const counted = counting(false)
  return {
    open: counted.filter(({ merged, open }) => open && !merged),
    merged: counted.filter(({ merged }) => merged),
    closed: counted.filter(({ merged, open }) => !open && !merged),
    uncounted: considered.filter(({ isRevert, whyNot }) => whyNot !== undefined && isRevert !== true),
    reverts: counting(true).filter(({ merged }) => merged)
  }
}
