import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { Duration, Effect, Redacted, Schema } from "effect"
import type { NoAnswer } from "../base/RestClient.js"
import { makeRestClient, within } from "../base/RestClient.js"
import { cleanLine, textLimit } from "../base/Text.js"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis } from "../base/Time.js"
import type { GiteaApi } from "./GiteaConfig.js"
import { GiteaError } from "./GiteaError.js"

/** For connecting, headers, bodies and all pages together. */
const deadline = Duration.seconds(10)
const pageSize = 50
// Nobody looks at a commit with more checks, or at a pull request with more reviews, than this.
const maxPages = 20
/** The most pages of a list that is read page by page. What comes after them is not read. */
const mostLong = 200
/** The most requests at the same time. */
const mostAtOnce = 8
/** How long a Gitea that did not answer is not asked again. */
const downFor = Duration.toMillis("5 seconds")
/** What the words of an error are when the token is no token of Gitea's. */
const refused = "answered 401"
/** The name of a trouble that is not a repository's own. */
const everywhere = ""
const repositoryIn = (path: string) => path.split("/").slice(0, 3).join("/")
/** A URL with such a path would be another one, because ".." takes a part away. */
const leadsElsewhere = (path: string) => path.split("/").some((part) => part === "" || part === "." || part === "..")
/** The most that is read of an answer, in bytes. */
const answerLimit = 4 * 1024 * 1024
/** The same for a page of a long list, which has fifty descriptions of pull requests. */
const longAnswerLimit = 4 * answerLimit

/** Asks Gitea's API: one thing, or all pages of a list. */
export const makeRequests = Effect.fnUntraced(function*({ names, token, url }: GiteaApi) {
  const secret = Redacted.value(token)
  const http = yield* HttpClient.HttpClient
  const restUpTo = (answerLimit: number) =>
    makeRestClient(http, {
      url: `${url}/api/v1/`,
      setting: names.url,
      header: ["authorization", `token ${secret}`],
      secret,
      answerLimit
    })
  const rest = restUpTo(answerLimit)
  const restOfLong = restUpTo(longAnswerLimit)

  const failure = (path: string, reason: GiteaError["reason"], words: string, headline?: string) =>
    new GiteaError({
      reason,
      path,
      words: cleanLine(rest.withoutSecret(words), textLimit),
      token: names.token,
      ...(headline === undefined ? {} : { headline })
    })

  const get = <A, I>(
    path: string,
    urlParams: Readonly<Record<string, string>>,
    schema: Schema.Schema<A, I>,
    { fetch } = rest
  ) =>
    Effect.gen(function*() {
      if (leadsElsewhere(path)) return yield* failure(path, "NotFound", "no repository, branch or commit has this name")
      const { body, headers, status } = yield* fetch(HttpClientRequest.get(path, { urlParams }))
      if (status === 401) return yield* failure(path, "KeyRefused", refused)
      if (status === 403) return yield* failure(path, "KeyRefused", "answered 403")
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

  const permits = yield* Effect.makeSemaphore(mostAtOnce)
  const troubles = new Map<string, GiteaError>()
  let downSince: EpochMillis | undefined

  const note = (path: string, error: GiteaError | undefined) =>
    Effect.map(epochMillis, (now) => {
      const repository = repositoryIn(path)
      troubles.delete(everywhere)
      if (error === undefined) troubles.delete(repository)
      else if (error.reason === "Unreachable" || error.words === refused) troubles.set(everywhere, error)
      // A token for repositories alone may not be told the version, and need not be.
      else if (error.reason === "KeyRefused" && path !== "version") troubles.set(repository, error)
      downSince = error?.reason === "Unreachable" ? now : undefined
    })

  /**
   * Asks within the deadline. While Gitea does not answer, one request waits for it, and the others get the error that
   * this one found.
   */
  const inTime = <A>(path: string, asking: Effect.Effect<A, GiteaError | NoAnswer>) =>
    Effect.gen(function*() {
      const now = yield* epochMillis
      const trouble = troubles.get(everywhere)
      if (trouble !== undefined && downSince !== undefined && Math.abs(now - downSince) < downFor) return yield* trouble
      return yield* Effect.catchTag(within(deadline)(asking), "NoAnswer", ({ headline, why, words }) =>
        // What is too large, or holds too much, says nothing of other questions.
        failure(path, why === "TooLarge" || why === "Unreadable" ? "Unanswered" : "Unreachable", words, headline)).pipe(
          Effect.tapBoth({ onSuccess: () => note(path, undefined), onFailure: (error) => note(path, error) })
        )
    }).pipe(permits.withPermits(1))

  /**
   * All pages, or the first of them, and how many items Gitea says there are. Where no total is given the last is known
   * by being empty: Gitea may give fewer than it is asked for. All pages have one deadline; those of a long list have
   * one each, and it may be longer than what is read of it.
   */
  const pages = <A, I>(
    path: string,
    schema: Schema.Schema<A, I>,
    itemsOf: (page: A) => ReadonlyArray<unknown>,
    { first = false, isLong = false, params = {} }: {
      readonly first?: boolean
      readonly isLong?: boolean
      readonly params?: Readonly<Record<string, string>>
    } = {}
  ) => {
    const pageOf = (page: number) =>
      get(path, { ...params, page: String(page), limit: String(pageSize) }, schema, isLong ? restOfLong : rest)
    const all = <E>(get: (page: number) => Effect.Effect<Effect.Effect.Success<ReturnType<typeof pageOf>>, E>) =>
      Effect.gen(function*() {
        const read: Array<A> = []
        let items = 0
        let said: number | undefined
        for (let page = 1; page <= (isLong ? mostLong : maxPages); page++) {
          const { total, value } = yield* get(page)
          const count = itemsOf(value).length
          items += count
          said = total
          if (count > 0 || page === 1) read.push(value)
          if (first || count === 0 || (total !== undefined && items >= total)) {
            return { read, total, isAll: count === 0 || (total !== undefined && items >= total) }
          }
        }
        if (isLong) return { read, total: said, isAll: false }
        return yield* failure(path, "Unanswered", `more than ${maxPages} pages`)
      })
    return isLong ? all((page) => inTime(path, pageOf(page))) : inTime(path, all(pageOf))
  }

  const one = <A, I>(path: string, schema: Schema.Schema<A, I>) =>
    Effect.map(inTime(path, get(path, {}, schema)), ({ value }) => value)

  return { one, pages, failure, troubles: Effect.sync(() => Array.from(troubles.values())) }
})
