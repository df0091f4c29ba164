import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { Option } from "effect"
import { Data, Effect, Either, Schema } from "effect"
import { isOk, makeRestClient, within } from "../base/RestClient.js"
import { cleanLine } from "../base/Text.js"
import { headlineOf } from "./Headline.js"
import { plainWords, wordsLimit } from "./Meaning.js"
import type { PlaneConfig } from "./PlaneConfig.js"
import { accessSettings } from "./PlaneConfig.js"
import { InstanceJson } from "./Wire.js"

/** What Plane says of itself to everybody. Older versions, and Plane Cloud, may not. */
export interface Instance {
  /** Like "1.3.1". It does not tell all that this Plane can. */
  readonly version: string
  readonly edition: string
}

/** Plane did not say what it is. `isReached`: something answered, which may be Plane all the same. */
export class NoInstance extends Data.TaggedError("NoInstance")<{
  readonly isReached: boolean
  /** The cause in plain words, with what a person can do about it, where it is known. */
  readonly headline: string | undefined
  readonly words: string
}> {}

/** The most that is read of the answer, in bytes. It has about 2,000. */
const answerLimit = 64 * 1024

/** Asks Plane what it is: one request, without the API token, which no rate limit counts. */
export const askInstance = (
  { timeout, url }: Pick<PlaneConfig, "timeout" | "url">
): Effect.Effect<Instance, NoInstance, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const { fetch } = makeRestClient(yield* HttpClient.HttpClient, {
      url: `${url}/api/`,
      setting: accessSettings.url.definition.name,
      secret: "",
      answerLimit
    })
    const answer = yield* fetch(HttpClientRequest.get("instances/")).pipe(
      within(timeout),
      Effect.mapError(({ headline, status, words }) =>
        new NoInstance({ isReached: status !== undefined, headline, words: cleanLine(words, wordsLimit) })
      )
    )
    const decoded = Schema.decodeUnknownEither(InstanceJson)(answer.body)
    if (isOk(answer) && Either.isRight(decoded)) {
      const { instance: { current_version, edition } } = decoded.right
      return { version: cleanLine(current_version, 40), edition: cleanLine(edition, 40) }
    }
    return yield* new NoInstance({
      isReached: true,
      headline: headlineOf(answer, { url, path: `${new URL(url).pathname.replace(/\/$/, "")}/api/instances/` }),
      words: `${answer.status} ${plainWords(answer.body)}`
    })
  })

/** The version of the installation, as it says itself. Whatever goes wrong, the version is not known. */
export const makeVersion = (
  config: Pick<PlaneConfig, "timeout" | "url">
): Effect.Effect<Effect.Effect<Option.Option<string>>, never, HttpClient.HttpClient> =>
  Effect.map(HttpClient.HttpClient, (http) =>
    askInstance(config).pipe(
      Effect.map(({ version }) => version),
      Effect.option,
      Effect.provideService(HttpClient.HttpClient, http),
      Effect.withSpan("PlaneClient.version")
    ))

/** The first version whose webhooks also tell of what is written through the API. */
export const echoesSince = [1, 3, 0] as const

/** The first version that mails a work item's subscribers, who is assigned among them, for changes through the API. */
export const mailsSince = [1, 4, 0] as const

/** Whether a version is this one or newer: "v1.3.1" is at least 1.3.0. One that is not known is not. */
export const isAtLeast = (version: string, least: readonly [number, number, number]): boolean => {
  const [, ...parts] = /^v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?/.exec(version) ?? []
  if (parts.length === 0) return false
  for (const [index, wanted] of least.entries()) {
    const found = Number(parts[index] ?? 0)
    if (found !== wanted) return found > wanted
  }
  return true
}
