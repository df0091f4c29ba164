import { DateTime, Schema } from "effect"
import { EpochMillis } from "../base/Time.js"
import type { PullRequestSeen } from "./Facts.js"
import { IdInForge, repositoryIdIn } from "./Forges.js"
import { OutsideText } from "./OutsideText.js"
import { storedPage } from "./Pages.js"
import { branchOf, isDraft } from "./PullRequestBody.js"

const text = Schema.optionalWith(OutsideText, { nullable: true, default: () => "" })

/** An open pull request in a list that Gitea answers. Only what is needed is decoded. */
export const ListedPullRequest = Schema.Struct({
  number: Schema.Int,
  title: text,
  body: text,
  html_url: text,
  draft: Schema.optionalWith(Schema.Boolean, { nullable: true }),
  user: Schema.optional(Schema.NullOr(Schema.Struct({ login: text }))),
  base: Schema.Struct({
    ref: OutsideText,
    repo: Schema.Struct({ id: IdInForge, full_name: OutsideText, default_branch: text })
  }),
  head: Schema.Struct({
    label: Schema.optionalWith(OutsideText, { nullable: true }),
    ref: text,
    sha: text,
    repo_id: Schema.optional(Schema.NullOr(Schema.Int))
  }),
  created_at: Schema.DateTimeUtc,
  updated_at: Schema.DateTimeUtc
})

const millis = (moment: DateTime.DateTime) => EpochMillis(DateTime.toEpochMillis(moment))

/** The pull request as a hook would show it. A hook of the same moment knows it better. */
export const listedPullRequest = (
  forge: number,
  { base, head, ...pr }: typeof ListedPullRequest.Type
): PullRequestSeen => ({
  repository: repositoryIdIn(forge, base.repo.id),
  name: base.repo.full_name,
  number: pr.number,
  fork: head.repo_id !== base.repo.id || branchOf(head) === "",
  open: true,
  merged: false,
  mergedAt: null,
  draft: isDraft(pr),
  author: pr.user?.login ?? null,
  base: base.ref,
  defaultBranch: base.repo.default_branch === "" ? null : base.repo.default_branch,
  headSha: head.sha,
  branch: branchOf(head),
  title: pr.title,
  body: pr.body,
  createdAt: millis(pr.created_at),
  updatedAt: millis(pr.updated_at),
  rank: 0,
  headRank: 0,
  page: storedPage(pr.html_url),
  isMerging: false
})
