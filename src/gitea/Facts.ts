import type { EpochMillis } from "../base/Time.js"
import type { PullRequestText } from "./Claims.js"

/** A pull request as a hook shows it: all of it, at one moment. */
export interface PullRequestSeen extends PullRequestText {
  readonly repository: number
  /** "owner/name". */
  readonly name: string
  readonly number: number
  /** An outsider chose its branch and title. */
  readonly fork: boolean
  readonly open: boolean
  readonly merged: boolean
  /** In whole seconds, as Gitea says it. Null while it is not merged, or that is not known. */
  readonly mergedAt: EpochMillis | null
  readonly draft: boolean
  readonly author: string | null
  /** The branch that it goes into. */
  readonly base: string
  /** That of its repository. */
  readonly defaultBranch: string | null
  readonly headSha: string
  readonly createdAt: EpochMillis
  readonly updatedAt: EpochMillis
  /** Of two hooks of the same second, the state of the higher rank is the later one. */
  readonly rank: number
  /** The same for the head. */
  readonly headRank: number
  /** Its page, if that was told. */
  readonly page?: string | null
  /** The hook that merged it: what it says then stays what the pull request is about. */
  readonly isMerging: boolean
}

/** A reviewer's word, as a hook shows it. */
export interface ReviewSeen {
  readonly reviewer: string
  readonly approved: boolean
  readonly content: string
}

/** A check of a commit, as a hook shows it. */
export interface StatusSeen {
  readonly repository: number
  /** "owner/name". */
  readonly name: string
  readonly sha: string
  readonly context: string
  /** Gitea's, ascending. */
  readonly id: number
  readonly state: string
  readonly description: string
  /** Who reported it. */
  readonly creator: string | null
  /** The page that it names. */
  readonly page?: string | null
}

/** What is known of a pull request, and may move a task. */
export interface PullRequest {
  readonly repository: number
  /** "owner/name". */
  readonly name: string
  readonly number: number
  readonly fork: boolean
  readonly open: boolean
  readonly merged: boolean
  readonly mergedAt: EpochMillis | null
  /** When we learned of the merge. */
  readonly mergeHeardAt?: EpochMillis | null
  readonly draft: boolean
  readonly author: string | null
  /** The branch that it goes into. Null while nothing was heard of it since an older version stored it. */
  readonly base: string | null
  readonly defaultBranch: string | null
  readonly headSha: string
  /** When Gitea last changed it. */
  readonly updatedAt: EpochMillis
  /** Its page, if that was told: see `Pages.ts`. */
  readonly page?: string | null
}

/** The newest state of a check of a commit. */
export interface CommitStatus {
  readonly context: string
  readonly id: number
  readonly state: string
  readonly description: string
  readonly creator: string | null
  /** The page that it names: see `Pages.ts`. */
  readonly page?: string | null
  /** When we heard of this state. */
  readonly receivedAt: EpochMillis
}

/** A reviewer's newest word. */
export interface Review {
  readonly reviewer: string
  readonly approved: boolean
  readonly content: string
  /** The pull request's head when it was given. */
  readonly headSha: string
}

/** What names a pull request. */
export type PullRequestId = Pick<PullRequest, "number" | "repository">

/** A repository, which keeps its number when it is renamed or moved. */
export interface Repository {
  readonly id: number
  /** "owner/name". */
  readonly name: string
}

/** What Gitea answers of a pull request that it is asked about. */
export type PullRequestAnswer = Pick<
  PullRequest,
  "author" | "base" | "defaultBranch" | "draft" | "headSha" | "merged" | "mergedAt" | "open"
>
