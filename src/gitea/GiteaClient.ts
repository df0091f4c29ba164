import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { ConfigError, Option } from "effect"
import { Context, DateTime, Duration, Effect, Layer, Redacted, Schema } from "effect"
import type { NoAnswer } from "../base/RestClient.js"
import { makeRestClient, within } from "../base/RestClient.js"
import { cleanLine, cleanText, reasonLimit, textLimit } from "../base/Text.js"
import { EpochMillis } from "../base/Time.js"
import { draftPrefix } from "./Claims.js"
import type { CommitStatus, PullRequest, PullRequestAnswer } from "./Facts.js"
import type { GiteaApi } from "./GiteaConfig.js"
import { GiteaConfig } from "./GiteaConfig.js"
import type { StandingReview } from "./Verdicts.js"

/**
 * Gitea could not be asked, or did not answer what was asked.
 *
 * - `KeyRefused`: the token is wrong, or lacks a right
 * - `NotFound`: the token may not see the repository, or it is gone
 * - `Unreachable`: no whole answer came
 * - `Unanswered`: this request got no answer that can be used; others may
 *
 * The last two may be over at the next try.
 */
export class GiteaError extends Schema.TaggedError<GiteaError>()("GiteaError", {
  reason: Schema.Literal("KeyRefused", "NotFound", "Unreachable", "Unanswered"),
  path: Schema.String,
  words: Schema.String
}) {
  override get message(): string {
    return `Gitea ${this.path}: ${advice[this.reason]} (${this.words})`
  }
}

const advice: Record<GiteaError["reason"], string> = {
  KeyRefused: "it refuses ORCH_GITEA_TOKEN, which needs to read repositories",
  NotFound: "it has no such thing, or the user of ORCH_GITEA_TOKEN may not see it",
  Unreachable: "it does not answer",
  Unanswered: "it does not answer this"
}

const text = Schema.optionalWith(Schema.String, { nullable: true, default: () => "" })
const yes = Schema.optionalWith(Schema.Boolean, { nullable: true, default: () => false })
const list = <A, I>(item: Schema.Schema<A, I>) =>
  Schema.optionalWith(Schema.Array(item), { nullable: true, default: () => [] })

const UserJson = Schema.NullOr(Schema.Struct({ login: text }))
const StatusJson = Schema.Struct({
  context: text,
  status: text,
  description: text,
  creator: Schema.optionalWith(UserJson, { default: () => null })
})
// Its `total_count` is that of the page, and so is its `state`, which some versions make of warnings as others do not.
const CombinedJson = Schema.parseJson(Schema.Struct({ statuses: list(StatusJson) }))
const ReviewJson = Schema.Struct({
  user: UserJson,
  state: text,
  body: text,
  stale: yes,
  official: yes,
  dismissed: yes
})
const ReviewsJson = Schema.parseJson(Schema.Array(ReviewJson))
const PullRequestJson = Schema.parseJson(Schema.Struct({
  state: Schema.String,
  merged: yes,
  merged_at: Schema.optionalWith(Schema.DateTimeUtc, { nullable: true }),
  draft: yes,
  title: text,
  user: Schema.optionalWith(UserJson, { default: () => null }),
  base: Schema.optionalWith(
    Schema.Struct({
      ref: text,
      repo: Schema.optionalWith(Schema.NullOr(Schema.Struct({ default_branch: text })), { default: () => null })
    }),
    { nullable: true, default: () => ({ ref: "", repo: null }) }
  ),
  // Of a branch that is gone, some versions do not know the head.
  head: Schema.optionalWith(Schema.Struct({ sha: text }), { nullable: true, default: () => ({ sha: "" }) })
}))
const BranchJson = Schema.parseJson(Schema.Struct({
  protected: yes,
  required_approvals: Schema.optionalWith(Schema.Int, { nullable: true, default: () => 0 }),
  enable_status_check: yes,
  status_check_contexts: list(Schema.String)
}))
const VersionJson = Schema.parseJson(Schema.Struct({ version: Schema.String }))

/** A check of a commit, as Gitea answers. */
export type CheckAnswer = Pick<CommitStatus, "context" | "creator" | "description" | "state">

/** What protects a branch. */
export interface BranchAnswer {
  readonly protected: boolean
  readonly approvals: number
  /** Globs of the checks that must be green. */
  readonly checks: ReadonlyArray<string>
}

/** The version of Gitea whose API it is: 22 for 1.22, and 28 for 28, which dropped the "1."; 0 if it is not known. */
const versionOf = (text: string): number => {
  // Forgejo says which Gitea it is compatible with.
  const [, one, two] = /(\d+)\.(\d+)/.exec(text.split("+gitea-").at(-1) ?? "") ?? []
  return Number(one === "1" ? two : one ?? 0)
}

/** What Gitea can be asked. A repository is named "owner/name". */
export interface GiteaClient {
  readonly pullRequest: (held: PullRequest) => Effect.Effect<PullRequestAnswer, GiteaError>
  readonly checks: (repository: string, sha: string) => Effect.Effect<ReadonlyArray<CheckAnswer>, GiteaError>
  /** The last word of each reviewer that stands. */
  readonly reviews: (repository: string, number: number) => Effect.Effect<ReadonlyArray<StandingReview>, GiteaError>
  readonly branch: (repository: string, name: string) => Effect.Effect<BranchAnswer, GiteaError>
  /** 22 for Gitea 1.22. */
  readonly version: Effect.Effect<number, GiteaError>
}

/** The client of Gitea's REST API; none without `ORCH_GITEA_URL` and `ORCH_GITEA_TOKEN`. */
export class Gitea extends Context.Tag("plane-sync/Gitea")<Gitea, Option.Option<GiteaClient>>() {
  static readonly layer: Layer.Layer<Gitea, ConfigError.ConfigError, HttpClient.HttpClient> = Layer.effect(
    Gitea,
    Effect.flatMap(GiteaConfig, ({ api }) => api === undefined ? Effect.succeedNone : Effect.asSome(make(api)))
  )
}

/** For connecting, headers, bodies and all pages together. */
const deadline = Duration.seconds(10)
const pageSize = 50
// Nobody looks at a commit with more checks, or at a pull request with more reviews, than this.
const maxPages = 20
/** The most that is read of an answer, in bytes. */
const answerLimit = 4 * 1024 * 1024

// As hooks are cleaned, so that the same words are equal, wherever they come from.
const checkOf = ({ context, creator, description, status }: typeof StatusJson.Type): CheckAnswer => ({
  // It is a key, so it is not cut.
  context: cleanLine(context, Infinity),
  state: cleanLine(status, textLimit),
  description: cleanLine(description, textLimit),
  creator: creator?.login ?? null
})

const standing = (reviews: ReadonlyArray<typeof ReviewJson.Type>): ReadonlyArray<StandingReview> => {
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

const encodeName = (repository: string) => repository.split("/").map(encodeURIComponent).join("/")

const make = Effect.fnUntraced(function*({ token, url }: GiteaApi) {
  const secret = Redacted.value(token)
  const rest = makeRestClient(yield* HttpClient.HttpClient, {
    url: `${url}/api/v1/`,
    header: ["authorization", `token ${secret}`],
    secret,
    answerLimit
  })

  const failure = (path: string, reason: GiteaError["reason"], words: string) =>
    new GiteaError({ reason, path, words: cleanLine(rest.withoutSecret(words), textLimit) })

  const get = <A, I>(path: string, urlParams: Readonly<Record<string, string>>, schema: Schema.Schema<A, I>) =>
    Effect.gen(function*() {
      const { body, headers, status } = yield* rest.fetch(HttpClientRequest.get(path, { urlParams }))
      if (status === 401 || status === 403) return yield* failure(path, "KeyRefused", `answered ${status}`)
      // A repository that was moved is one that has another name: nothing is followed with the token.
      if (status === 404 || (status >= 300 && status < 400)) {
        return yield* failure(path, "NotFound", `answered ${status}`)
      }
      if (status !== 200) return yield* failure(path, "Unanswered", `answered ${status}`)
      const value = yield* Effect.mapError(
        Schema.decodeUnknown(schema)(body),
        () => failure(path, "Unanswered", `not what Gitea answers: ${body.slice(0, textLimit)}`)
      )
      const total = headers["x-total-count"]
      return { value, total: total === undefined ? undefined : Number(total) }
    })

  const inTime = <A>(path: string, asking: Effect.Effect<A, GiteaError | NoAnswer>) =>
    Effect.catchTag(within(deadline)(asking), "NoAnswer", ({ why, words }) =>
      // What is too large says nothing of other questions.
      failure(path, why === "TooLarge" ? "Unanswered" : "Unreachable", words))

  /** All pages. Where no total is given the last is known by being empty: Gitea may give fewer than it is asked for. */
  const pages = <A, I>(path: string, schema: Schema.Schema<A, I>, itemsOf: (page: A) => ReadonlyArray<unknown>) =>
    inTime(
      path,
      Effect.gen(function*() {
        const read: Array<A> = []
        let items = 0
        for (let page = 1; page <= maxPages; page++) {
          const { total, value } = yield* get(path, { page: String(page), limit: String(pageSize) }, schema)
          const count = itemsOf(value).length
          items += count
          if (count > 0 || page === 1) read.push(value)
          if (count === 0 || (total !== undefined && items >= total)) return read
        }
        return yield* failure(path, "Unanswered", `more than ${maxPages} pages`)
      })
    )

  const one = <A, I>(path: string, schema: Schema.Schema<A, I>) =>
    Effect.map(inTime(path, get(path, {}, schema)), ({ value }) => value)

  const self: GiteaClient = {
    pullRequest: (held) =>
      Effect.map(
        one(`repos/${encodeName(held.name)}/pulls/${held.number}`, PullRequestJson),
        ({ base, draft, head, merged, merged_at, state, title, user }): PullRequestAnswer => ({
          open: state === "open" && !merged,
          merged,
          mergedAt: merged && merged_at !== undefined ? EpochMillis(DateTime.toEpochMillis(merged_at)) : null,
          draft: draft || draftPrefix.test(title),
          author: user?.login ?? held.author,
          base: base.ref === "" ? held.base : base.ref,
          defaultBranch: base.repo?.default_branch ?? held.defaultBranch,
          headSha: head.sha === "" ? held.headSha : head.sha
        })
      ),
    checks: (repository, sha) =>
      Effect.map(
        pages(
          `repos/${encodeName(repository)}/commits/${encodeURIComponent(sha)}/status`,
          CombinedJson,
          ({ statuses }) => statuses
        ),
        (read) => read.flatMap(({ statuses }) => statuses.map(checkOf))
      ),
    reviews: (repository, number) =>
      Effect.map(
        pages(
          `repos/${encodeName(repository)}/pulls/${number}/reviews`,
          ReviewsJson,
          (reviews) => reviews
        ),
        (read) => standing(read.flat())
      ),
    branch: (repository, name) =>
      Effect.map(
        one(`repos/${encodeName(repository)}/branches/${encodeName(name)}`, BranchJson),
        (branch) => ({
          protected: branch.protected,
          approvals: branch.protected ? branch.required_approvals : 0,
          checks: branch.protected && branch.enable_status_check ? branch.status_check_contexts : []
        })
      ),
    version: Effect.map(one("version", VersionJson), ({ version }) => versionOf(version))
  }
  return self
})
