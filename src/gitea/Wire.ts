import { Schema } from "effect"
import { cleanLine, cleanText, reasonLimit, textLimit } from "../base/Text.js"
import type { CommitStatus, Repository } from "./Facts.js"
import { IdInForge } from "./Forges.js"
import { ListedPullRequest } from "./Listed.js"
import { OutsideText } from "./OutsideText.js"
import { storedPage } from "./Pages.js"
import type { StandingReview } from "./Verdicts.js"

const text = Schema.optionalWith(OutsideText, { nullable: true, default: () => "" })
const yes = Schema.optionalWith(Schema.Boolean, { nullable: true, default: () => false })
const list = <A, I>(item: Schema.Schema<A, I>) =>
  Schema.optionalWith(Schema.Array(item), { nullable: true, default: () => [] })

const UserJson = Schema.NullOr(Schema.Struct({ login: text }))
const StatusJson = Schema.Struct({
  context: text,
  status: text,
  description: text,
  target_url: text,
  creator: Schema.optionalWith(UserJson, { default: () => null })
})
// Its `total_count` is that of the page, and so is its `state`, which some versions make of warnings as others do not.
export const CombinedJson = Schema.parseJson(Schema.Struct({ sha: text, statuses: list(StatusJson) }))
const ReviewJson = Schema.Struct({
  user: UserJson,
  state: text,
  body: text,
  stale: yes,
  official: yes,
  dismissed: yes
})
export const ReviewsJson = Schema.parseJson(Schema.Array(ReviewJson))
const RepositoryJson = Schema.Struct({ id: IdInForge, full_name: text, default_branch: text })
export const PullRequestJson = Schema.parseJson(Schema.Struct({
  number: Schema.optional(Schema.Int),
  state: Schema.String,
  merged: yes,
  merged_at: Schema.optionalWith(Schema.DateTimeUtc, { nullable: true }),
  draft: Schema.optionalWith(Schema.Boolean, { nullable: true }),
  title: text,
  user: Schema.optionalWith(UserJson, { default: () => null }),
  base: Schema.optionalWith(
    Schema.Struct({
      ref: text,
      repo: Schema.optionalWith(
        Schema.NullOr(Schema.Struct({ id: Schema.optional(Schema.Int), default_branch: text })),
        {
          default: () => null
        }
      )
    }),
    { nullable: true, default: () => ({ ref: "", repo: null }) }
  ),
  // Of a branch that is gone, some versions do not know the head.
  head: Schema.optionalWith(Schema.Struct({ sha: text }), { nullable: true, default: () => ({ sha: "" }) })
}))
export const BranchJson = Schema.parseJson(Schema.Struct({
  name: text,
  protected: yes,
  required_approvals: Schema.optionalWith(Schema.Int, { nullable: true, default: () => 0 }),
  enable_status_check: yes,
  status_check_contexts: list(Schema.String)
}))
export const RepositoryText = Schema.parseJson(RepositoryJson)
export const PullRequestsText = Schema.parseJson(Schema.Array(ListedPullRequest))
export const VersionJson = Schema.parseJson(Schema.Struct({ version: Schema.String }))

/** A check of a commit, as Gitea answers. */
export type CheckAnswer = Pick<CommitStatus, "context" | "creator" | "description" | "page" | "state">

export const repositoryOf = ({ full_name, id }: typeof RepositoryJson.Type): Repository => ({ id, name: full_name })

/** The version of Gitea whose API it is: 22 for 1.22, and 28 for 28, which dropped the "1."; 0 if it is not known. */
export const versionOf = (text: string): number => {
  // Forgejo says which Gitea it is compatible with.
  const [, one, two] = /(\d+)\.(\d+)/.exec(text.split("+gitea-").at(-1) ?? "") ?? []
  return Number(one === "1" ? two : one ?? 0)
}

// As hooks are cleaned, so that the same words are equal, wherever they come from.
export const checkOf = (
  { context, creator, description, status, target_url }: typeof StatusJson.Type
): CheckAnswer => ({
  // It is a key, so it is not cut.
  context: cleanLine(context, Infinity),
  state: cleanLine(status, textLimit),
  description: cleanLine(description, textLimit),
  creator: creator?.login ?? null,
  page: storedPage(target_url)
})

export const standing = (reviews: ReadonlyArray<typeof ReviewJson.Type>): ReadonlyArray<StandingReview> => {
  const latest = new Map<string, StandingReview>()
  for (const { body, dismissed, official, stale, state, user } of reviews) {
    if (dismissed || user === null) continue
    if (state !== "APPROVED" && state !== "REQUEST_CHANGES") continue
    const content = cleanText(body, reasonLimit)
    // The last one comes last, as those of the hooks do.
    latest.delete(user.login)
    latest.set(user.login, { reviewer: user.login, approved: state === "APPROVED", content, fresh: !stale, official })
  }
  return Array.from(latest.values())
}
