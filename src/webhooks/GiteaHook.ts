import { DateTime, Either, Option, Schema } from "effect"
import { describeParseError, echoed } from "../base/Issue.js"
import { cleanLine, cleanText, reasonLimit, textLimit } from "../base/Text.js"
import { EpochMillis } from "../base/Time.js"
import type { PullRequestSeen, Repository as KnownRepository, ReviewSeen, StatusSeen } from "../gitea/Facts.js"
import { IdInForge, repositoryIdIn } from "../gitea/Forges.js"
import { OutsideText } from "../gitea/OutsideText.js"
import { storedPage } from "../gitea/Pages.js"
import { branchOf, isDraft } from "../gitea/PullRequestBody.js"

/** A hook of Gitea or Forgejo that tells no fact. */
export type WithoutFacts =
  /** Something has happened in a repository, and the hook does not tell what a gate wants to know of it. */
  | { readonly _tag: "Stir"; readonly repository: KnownRepository; readonly kind: string }
  | { readonly _tag: "Nothing"; readonly reason: string; readonly kind: string }

/** What a hook of Gitea or Forgejo says. */
export type GiteaSeen =
  | { readonly _tag: "PullRequest"; readonly pullRequest: PullRequestSeen; readonly review: ReviewSeen | undefined }
  | { readonly _tag: "Status"; readonly status: StatusSeen }
  | WithoutFacts

const Repository = Schema.Struct({
  id: IdInForge,
  full_name: OutsideText,
  default_branch: Schema.optionalWith(OutsideText, { nullable: true })
})
const text = Schema.optionalWith(OutsideText, { nullable: true, default: () => "" })

// Gitea's objects grow with every release, so only what is needed is decoded.
const PullRequestEvent = Schema.parseJson(Schema.Struct({
  action: text,
  repository: Repository,
  pull_request: Schema.Struct({
    number: Schema.Int,
    title: text,
    body: text,
    state: Schema.String,
    html_url: text,
    merged: Schema.optionalWith(Schema.Boolean, { nullable: true, default: () => false }),
    merged_at: Schema.optionalWith(Schema.DateTimeUtc, { nullable: true }),
    draft: Schema.optionalWith(Schema.Boolean, { nullable: true }),
    user: Schema.optional(Schema.NullOr(Schema.Struct({ login: text }))),
    base: Schema.Struct({ ref: OutsideText }),
    head: Schema.Struct({
      label: Schema.optionalWith(OutsideText, { nullable: true }),
      ref: text,
      sha: OutsideText,
      repo_id: Schema.optional(Schema.NullOr(Schema.Int))
    }),
    created_at: Schema.DateTimeUtc,
    updated_at: Schema.DateTimeUtc
  }),
  review: Schema.optional(Schema.NullOr(Schema.Struct({ type: text, content: text }))),
  sender: Schema.optional(Schema.NullOr(Schema.Struct({ login: text })))
}))

const StatusEvent = Schema.parseJson(Schema.Struct({
  id: Schema.Int,
  sha: OutsideText,
  context: text,
  state: text,
  description: text,
  target_url: text,
  repository: Repository,
  sender: Schema.optional(Schema.NullOr(Schema.Struct({ login: text })))
}))

// Most events name their repository at the top, and those of Forgejo's Actions within their run.
const AnyEvent = Schema.parseJson(Schema.Struct({
  repository: Schema.optional(Schema.NullOr(Repository)),
  run: Schema.optional(Schema.NullOr(Schema.Struct({ repository: Schema.optional(Schema.NullOr(Repository)) })))
}))

const decodeAny = Schema.decodeUnknownEither(AnyEvent)
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
  forge: number,
  { action, pull_request: { head, ...pr }, repository }: typeof PullRequestEvent.Type
): PullRequestSeen => ({
  repository: repositoryIdIn(forge, repository.id),
  name: repository.full_name,
  number: pr.number,
  // A push to refs/for/… (AGit) is in the repository itself, but everybody who may read the repository may push there.
  fork: head.repo_id !== repository.id || branchOf(head) === "",
  open: pr.state === "open" && !pr.merged,
  merged: pr.merged,
  mergedAt: pr.merged ? mergeMoment(pr.merged_at ?? (action === "closed" ? pr.updated_at : undefined)) : null,
  draft: isDraft(pr),
  author: pr.user?.login ?? null,
  base: pr.base.ref,
  defaultBranch: repository.default_branch ?? null,
  headSha: head.sha,
  branch: branchOf(head),
  title: pr.title,
  body: pr.body,
  createdAt: EpochMillis(DateTime.toEpochMillis(pr.created_at)),
  updatedAt: EpochMillis(DateTime.toEpochMillis(pr.updated_at)),
  rank: rankOf(action, pr.merged),
  headRank: headRankOf(action, pr.merged),
  page: storedPage(pr.html_url),
  isMerging: pr.merged && action === "closed"
})

const approval = "pull_request_review_approved"
const rejection = "pull_request_review_rejected"
const push = "pull_request_sync"

/** The types of which each tells what no other does. */
const distinct: ReadonlyArray<string> = [approval, rejection, "pull_request_review_comment", push]

/**
 * What the body says of its own type. The type in the header is not signed, so whoever has caught a hook may send it
 * again under another one.
 */
const typeIn = ({ action, review }: typeof PullRequestEvent.Type): string | undefined =>
  action === "reviewed" ? review?.type ?? "" : action === "synchronized" ? push : undefined

const agrees = (type: string, event: typeof PullRequestEvent.Type) => {
  const own = typeIn(event)
  return own === undefined ? !distinct.includes(type) : own === type
}

const reviewOf = (
  type: string | undefined,
  { review, sender }: typeof PullRequestEvent.Type
): Either.Either<ReviewSeen | undefined, string> => {
  if (type !== approval && type !== rejection) return Either.right(undefined)
  return sender === null || sender === undefined || sender.login === ""
    ? Either.left("sender.login: is missing")
    : Either.right({
      reviewer: sender.login,
      approved: type === approval,
      content: cleanText(review?.content ?? "", reasonLimit)
    })
}

const pullRequest = (type: string, body: string, forge: number): Either.Either<GiteaSeen, string> =>
  Either.flatMap(Either.mapLeft(decodePullRequest(body), describeParseError), (event) => {
    if (!agrees(type, event)) {
      const own = [event.action, event.review?.type ?? ""].filter((word) => word !== "").join(", ")
      return Either.left(`action: its body says ${echoed(own)}, and its header ${type}`)
    }
    return Either.map(
      reviewOf(typeIn(event), event),
      (review): GiteaSeen => ({ _tag: "PullRequest", pullRequest: seen(forge, event), review })
    )
  })

const status = (body: string, forge: number): Either.Either<GiteaSeen, string> =>
  Either.mapBoth(decodeStatus(body), {
    onLeft: describeParseError,
    onRight: ({ repository, sender, ...event }) => ({
      _tag: "Status",
      status: {
        repository: repositoryIdIn(forge, repository.id),
        name: repository.full_name,
        sha: event.sha,
        // It is a key, so it is not cut.
        context: cleanLine(event.context, Infinity),
        id: event.id,
        state: cleanLine(event.state, textLimit),
        description: cleanLine(event.description, textLimit),
        creator: sender?.login ?? null,
        page: storedPage(event.target_url)
      }
    })
  })

/** What reads the body of an event that carries facts, by `X-Gitea-Event-Type`. Of all others nothing is kept. */
const factReaders: ReadonlyMap<
  string,
  (body: string, forge: number) => Either.Either<GiteaSeen, string>
> = new Map([
  ["status", status],
  ...[
    "pull_request",
    "pull_request_assign",
    "pull_request_label",
    "pull_request_milestone",
    "pull_request_review_request",
    ...distinct
  ].map((type) => [type, (body: string, forge: number) => pullRequest(type, body, forge)] as const)
])

/** Whether the hooks of a type say what a gate wants to know, in any version. */
export const carriesFacts = (type: string): boolean => factReaders.has(type)

/** The repository that a body names, whatever else it says. */
export const repositoryIn = (body: string, forge: number): Option.Option<KnownRepository> =>
  Option.flatMap(
    Either.getRight(decodeAny(body)),
    ({ repository, run }) =>
      Option.map(
        Option.fromNullable(repository ?? run?.repository),
        ({ full_name: name, id }) => ({ id: repositoryIdIn(forge, id), name })
      )
  )

/** What the hook of a type says that carries no facts. */
export const readWithoutFacts = (kind: string, body: string, forge: number): WithoutFacts =>
  Option.match(repositoryIn(body, forge), {
    onNone: () => ({ _tag: "Nothing", kind, reason: `the event ${JSON.stringify(kind)} moves nothing` }),
    onSome: (repository) => ({ _tag: "Stir", kind, repository })
  })

/**
 * What a body says, or (left) why it cannot be read. `type` is `X-Gitea-Event-Type`: no other header tells events
 * apart. `forge` is the Gitea that has sent it: see `gitea/Forges.ts`.
 */
export const decodeGiteaHook = (type: string, body: string, forge: number): Either.Either<GiteaSeen, string> => {
  const readFacts = factReaders.get(type)
  return readFacts === undefined
    ? Either.right(readWithoutFacts(type.slice(0, 80), body, forge))
    : readFacts(body, forge)
}
