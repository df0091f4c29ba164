import { DateTime, Either, ParseResult, Schema } from "effect"
import { cleanLine, cleanText, reasonLimit, textLimit } from "../base/Text.js"
import type { PullRequestText } from "../gitea/WorkItemOf.js"

/** A pull request as a delivery shows it: all of it, at one moment. Times are milliseconds since 1970, UTC. */
export interface PullRequestSeen extends PullRequestText {
  readonly repository: number
  /** "owner/name". */
  readonly name: string
  readonly number: number
  /** An outsider chose its branch and title. */
  readonly fork: boolean
  readonly open: boolean
  readonly merged: boolean
  readonly headSha: string
  readonly createdAt: number
  readonly updatedAt: number
  /** Of two that were updated in the same second, whose state is the later one. */
  readonly rank: number
  /** And whose head. */
  readonly headRank: number
}

export interface ReviewSeen {
  readonly reviewer: string
  readonly approved: boolean
  readonly content: string
}

export interface StatusSeen {
  readonly repository: number
  readonly sha: string
  readonly context: string
  /** Gitea's, ascending. */
  readonly id: number
  readonly state: string
  readonly description: string
}

export type GiteaSeen =
  | { readonly _tag: "PullRequest"; readonly pullRequest: PullRequestSeen; readonly review: ReviewSeen | undefined }
  | { readonly _tag: "Status"; readonly status: StatusSeen }
  | { readonly _tag: "Nothing"; readonly reason: string }

const Repository = Schema.Struct({ id: Schema.Int, full_name: Schema.String })
const text = Schema.optionalWith(Schema.String, { nullable: true, default: () => "" })

// Objects grow with every release: decoded is what is needed.
const PullRequestEvent = Schema.parseJson(Schema.Struct({
  action: text,
  repository: Repository,
  pull_request: Schema.Struct({
    number: Schema.Int,
    title: text,
    body: text,
    state: Schema.String,
    merged: Schema.optionalWith(Schema.Boolean, { nullable: true, default: () => false }),
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
  repository: Repository
}))

const decodePullRequest = Schema.decodeUnknownEither(PullRequestEvent, { errors: "all" })
const decodeStatus = Schema.decodeUnknownEither(StatusEvent, { errors: "all" })

const words = (error: ParseResult.ParseError) =>
  ParseResult.ArrayFormatter.formatErrorSync(error).map(({ message, path }) => `${path.join(".")}: ${message}`)
    .join("; ")

// Gitea writes whole seconds, and a push need not touch `updated_at` at all.
const rankOf = (action: string, merged: boolean): number => {
  if (merged) return 4
  const ranks: Readonly<Record<string, number>> = { opened: 0, synchronized: 2, closed: 3, reopened: 3 }
  return ranks[action] ?? 1
}

// A push may come before or after what closes and reopens: of the head it alone tells.
const headRankOf = (action: string, merged: boolean): number => {
  if (merged) return 3
  const ranks: Readonly<Record<string, number>> = { opened: 0, synchronized: 2 }
  return ranks[action] ?? 1
}

const seen = (
  { action, pull_request: { head, ...pr }, repository }: typeof PullRequestEvent.Type
): PullRequestSeen => ({
  repository: repository.id,
  name: repository.full_name,
  number: pr.number,
  // What was pushed to refs/for/… (AGit) is in the repository itself, but anybody who reads it may push there.
  fork: head.repo_id !== repository.id || head.label === "",
  open: pr.state === "open" && !pr.merged,
  merged: pr.merged,
  headSha: head.sha,
  // Not the ref: once the branch is gone, that is "refs/pull/12/head".
  branch: head.label,
  title: pr.title,
  body: pr.body,
  createdAt: DateTime.toEpochMillis(pr.created_at),
  updatedAt: DateTime.toEpochMillis(pr.updated_at),
  rank: rankOf(action, pr.merged),
  headRank: headRankOf(action, pr.merged)
})

const pullRequest = (
  body: string,
  review: (event: typeof PullRequestEvent.Type) => ReviewSeen | undefined
): Either.Either<GiteaSeen, string> =>
  Either.mapBoth(decodePullRequest(body), {
    onLeft: words,
    onRight: (event) => ({ _tag: "PullRequest", pullRequest: seen(event), review: review(event) })
  })

const reviewed = (approved: boolean) => ({ review, sender }: typeof PullRequestEvent.Type): ReviewSeen => ({
  reviewer: sender.login,
  approved,
  content: cleanText(review?.content ?? "", reasonLimit)
})

const status = (body: string): Either.Either<GiteaSeen, string> =>
  Either.mapBoth(decodeStatus(body), {
    onLeft: words,
    onRight: ({ repository, ...event }) => ({
      _tag: "Status",
      status: {
        repository: repository.id,
        sha: event.sha,
        context: cleanLine(event.context, textLimit),
        id: event.id,
        state: cleanLine(event.state, textLimit),
        description: cleanLine(event.description, textLimit)
      }
    })
  })

/** What a body says, or (left) why it cannot be read. `type` is `X-Gitea-Event-Type`, which alone tells events apart. */
export const decodeGitea = (type: string, body: string): Either.Either<GiteaSeen, string> => {
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
