import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { ConfigError, Option } from "effect"
import { Context, Duration, Effect, Layer, Redacted, Schema } from "effect"
import type { NoAnswer } from "../base/RestClient.js"
import { makeRestClient, within } from "../base/RestClient.js"
import { cleanLine, cleanText, reasonLimit, textLimit } from "../base/Text.js"
import type { GiteaApi } from "./GiteaConfig.js"
import { GiteaConfig } from "./GiteaConfig.js"

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

const StatusJson = Schema.Struct({ id: Schema.Int, context: text, status: text, description: text })
// Its `total_count` is that of the page, and so is its `state`.
const CombinedJson = Schema.parseJson(Schema.Struct({ state: text, statuses: list(StatusJson) }))
const ReviewJson = Schema.Struct({
  id: Schema.Int,
  user: Schema.NullOr(Schema.Struct({ login: Schema.String })),
  state: text,
  body: text,
  stale: yes,
  dismissed: yes
})
export type ReviewJson = typeof ReviewJson.Type
const ReviewsJson = Schema.parseJson(Schema.Array(ReviewJson))
// Of a branch that is gone, some versions do not know the head.
const PullRequestJson = Schema.parseJson(Schema.Struct({
  state: Schema.String,
  merged: yes,
  head: Schema.optionalWith(Schema.Struct({ sha: text }), { nullable: true, default: () => ({ sha: "" }) })
}))

/** The checks of a commit: the combined state of each page, and all of them. */
export interface Combined {
  readonly states: ReadonlyArray<string>
  readonly statuses: ReadonlyArray<typeof StatusJson.Type>
}

/** A pull request as it is now. One that is neither open nor merged was closed without a merge. */
export interface PullRequestNow {
  readonly open: boolean
  readonly merged: boolean
  /** Empty if Gitea does not tell. */
  readonly headSha: string
}

/** What Gitea can be asked. A repository is named "owner/name". */
export interface GiteaClient {
  readonly pullRequest: (repository: string, number: number) => Effect.Effect<PullRequestNow, GiteaError>
  readonly combinedStatus: (repository: string, sha: string) => Effect.Effect<Combined, GiteaError>
  /** All reviews, the oldest first. */
  readonly reviews: (repository: string, number: number) => Effect.Effect<ReadonlyArray<ReviewJson>, GiteaError>
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
const cleanStatus = ({ context, description, id, status }: typeof StatusJson.Type): typeof StatusJson.Type => ({
  id,
  context: cleanLine(context, textLimit),
  status: cleanLine(status, textLimit),
  description: cleanLine(description, textLimit)
})

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

  const self: GiteaClient = {
    pullRequest: (repository, number) => {
      const path = `repos/${encodeName(repository)}/pulls/${number}`
      return Effect.map(inTime(path, get(path, {}, PullRequestJson)), ({ value: { head, merged, state } }) => ({
        open: state === "open" && !merged,
        merged,
        headSha: head.sha
      }))
    },
    combinedStatus: (repository, sha) =>
      Effect.map(
        pages(
          `repos/${encodeName(repository)}/commits/${encodeURIComponent(sha)}/status`,
          CombinedJson,
          ({ statuses }) => statuses
        ),
        (read) => ({
          states: read.map(({ state }) => state),
          statuses: read.flatMap(({ statuses }) => statuses.map(cleanStatus))
        })
      ),
    reviews: (repository, number) =>
      Effect.map(
        pages(
          `repos/${encodeName(repository)}/pulls/${number}/reviews`,
          ReviewsJson,
          (reviews) => reviews
        ),
        (read) => read.flat().map((review) => ({ ...review, body: cleanText(review.body, reasonLimit) }))
      )
  }
  return self
})
