import { DateTime, Either, Schema } from "effect"
import { describeParseError } from "../base/Issue.js"
import { cleanLine, cleanText, reasonLimit, textLimit } from "../base/Text.js"
import { EpochMillis } from "../base/Time.js"
import { draftPrefix } from "../gitea/Claims.js"
import type { PullRequestSeen, ReviewSeen, StatusSeen } from "../gitea/Facts.js"

/** What a hook of Gitea says. */
export type GiteaSeen =
  | { readonly _tag: "PullRequest"; readonly pullRequest: PullRequestSeen; readonly review: ReviewSeen | undefined }
  | { readonly _tag: "Status"; readonly status: StatusSeen }
  | { readonly _tag: "Nothing"; readonly reason: string }

const Repository = Schema.Struct({
  id: Schema.Int,
  full_name: Schema.String,
  default_branch: Schema.optionalWith(Schema.String, { nullable: true })
})
const text = Schema.optionalWith(Schema.String, { nullable: true, default: () => "" })

// Gitea's objects grow with every release, so only what is needed is decoded.
const PullRequestEvent = Schema.parseJson(Schema.Struct({
  action: text,
  repository: Repository,
  pull_request: Schema.Struct({
    number: Schema.Int,
    title: text,
    body: text,
    state: Schema.String,
    merged: Schema.optionalWith(Schema.Boolean, { nullable: true, default: () => false }),
    merged_at: Schema.optionalWith(Schema.DateTimeUtc, { nullable: true }),
    draft: Schema.optionalWith(Schema.Boolean, { nullable: true, default: () => false }),
    user: Schema.optional(Schema.NullOr(Schema.Struct({ login: text }))),
    base: Schema.Struct({ ref: Schema.String }),
    head: Schema.Struct({
      label: text,
      sha: Schema.String,
      repo_id: Schema.optional(Schema.NullOr(Schema.Int))
    }),
    created_at: Schema.DateTimeUtc,
    updated_at: Schema.DateTimeUtc
  }),
  review: Schema.optional(Schema.NullOr(Schema.Struct({ content: text }))),
  sender: Schema.Struct({ login: Schema.String })
}))

const StatusEvent = Schema.parseJson(Schema.Struct({
  id: Schema.Int,
  sha: Schema.String,
  context: text,
  state: text,
  description: text,
  repository: Repository,
  sender: Schema.optional(Schema.NullOr(Schema.Struct({ login: text })))
}))

const decodePullRequest = Schema.decodeUnknownEither(PullRequestEvent, { errors: "all" })
const decodeStatus = Schema.decodeUnknownEither(StatusEvent, { errors: "all" })

// Gitea's times are whole seconds, and a push may leave `updated_at` as it was.
const rankOf = (action: string, merged: boolean): number => {
  if (merged) return 4
  const ranks: Readonly<Record<string, number>> = { opened: 0, synchronized: 2, closed: 3, reopened: 3 }
  return ranks[action] ?? 1
}

// A push may come before or after a hook that closes or reopens, and only the push tells a new head.
const headRankOf = (action: string, merged: boolean): number => {
  if (merged) return 3
  const ranks: Readonly<Record<string, number>> = { opened: 0, synchronized: 2 }
  return ranks[action] ?? 1
}

const mergeMoment = (moment: DateTime.DateTime | undefined) =>
  moment === undefined ? null : EpochMillis(DateTime.toEpochMillis(moment))

const seen = (
  { action, pull_request: { head, ...pr }, repository }: typeof PullRequestEvent.Type
): PullRequestSeen => ({
  repository: repository.id,
  name: repository.full_name,
  number: pr.number,
  // A push to refs/for/… (AGit) is in the repository itself, but everybody who may read the repository may push there.
  fork: head.repo_id !== repository.id || head.label === "",
  open: pr.state === "open" && !pr.merged,
  merged: pr.merged,
  mergedAt: pr.merged ? mergeMoment(pr.merged_at ?? (action === "closed" ? pr.updated_at : undefined)) : null,
  draft: pr.draft || draftPrefix.test(pr.title),
  author: pr.user?.login ?? null,
  base: pr.base.ref,
  defaultBranch: repository.default_branch ?? null,
  headSha: head.sha,
  // Not the ref: once the branch is gone, that is "refs/pull/12/head".
  branch: head.label,
  title: pr.title,
  body: pr.body,
  createdAt: EpochMillis(DateTime.toEpochMillis(pr.created_at)),
  updatedAt: EpochMillis(DateTime.toEpochMillis(pr.updated_at)),
  rank: rankOf(action, pr.merged),
  headRank: headRankOf(action, pr.merged),
  isMerging: pr.merged && action === "closed"
})

const pullRequest = (
  body: string,
  review: (event: typeof PullRequestEvent.Type) => ReviewSeen | undefined
): Either.Either<GiteaSeen, string> =>
  Either.mapBoth(decodePullRequest(body), {
    onLeft: describeParseError,
    onRight: (event) => ({ _tag: "PullRequest", pullRequest: seen(event), review: review(event) })
  })

const reviewed = (approved: boolean) => ({ review, sender }: typeof PullRequestEvent.Type): ReviewSeen => ({
  reviewer: sender.login,
  approved,
  content: cleanText(review?.content ?? "", reasonLimit)
})

const status = (body: string): Either.Either<GiteaSeen, string> =>
  Either.mapBoth(decodeStatus(body), {
    onLeft: describeParseError,
    onRight: ({ repository, sender, ...event }) => ({
      _tag: "Status",
      status: {
        repository: repository.id,
        name: repository.full_name,
        sha: event.sha,
        // It is a key, so it is not cut.
        context: cleanLine(event.context, Infinity),
        id: event.id,
        state: cleanLine(event.state, textLimit),
        description: cleanLine(event.description, textLimit),
        creator: sender?.login ?? null
      }
    })
  })

/**
 * What a body says, or (left) why it cannot be read. `type` is `X-Gitea-Event-Type`: no other header tells events
 * apart.
 */
export const decodeGiteaHook = (type: string, body: string): Either.Either<GiteaSeen, string> => {
  switch (type) {
    case "status":
      return status(body)
    case "pull_request":
    case "pull_request_sync":
    case "pull_request_assign":
    case "pull_request_label":
    case "pull_request_milestone":
    case "pull_request_review_request":
    case "pull_request_review_comment":
      return pullRequest(body, () => undefined)
    case "pull_request_review_approved":
      return pullRequest(body, reviewed(true))
    case "pull_request_review_rejected":
      return pullRequest(body, reviewed(false))
    default:
      return Either.right({ _tag: "Nothing", reason: `the event ${JSON.stringify(type.slice(0, 80))} moves nothing` })
  }
}
