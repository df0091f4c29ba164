import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { Duration } from "effect"
import { Cause, Effect, Exit, Option, Redacted, Schema } from "effect"
import type { Answer, NoAnswer } from "../base/RestClient.js"
import { isOk, makeRestClient, within } from "../base/RestClient.js"
import { cleanLine } from "../base/Text.js"
import type { MonotonicMillis } from "../base/Time.js"
import { epochMillis, monotonicMillis } from "../base/Time.js"
import type { SettingNames } from "../domain/Project.js"
import { countRequest } from "./CountRequest.js"
import type { CurrentProject } from "./CurrentProject.js"
import { headlineOf } from "./Headline.js"
import { meaningOf, plainWords, wordsLimit } from "./Meaning.js"
import { PlaneError } from "./PlaneError.js"
import type { Slot } from "./RateBudget.js"
import { RateBudget } from "./RateBudget.js"
import { isSameId } from "./WorkItem.js"

/** The most that is read of an answer, in bytes: a PATCH answers the whole work item, its description included. */
export const answerLimit = 16 * 1024 * 1024

/** One request to Plane, without what all of them share. */
export interface Ask {
  readonly method: "DELETE" | "GET" | "PATCH" | "POST"
  /** Parts of the path after `/api/v1/`, not yet encoded. */
  readonly path: ReadonlyArray<string>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** What is found of a failure. What nobody knows is left out. */
interface Found extends Pick<PlaneError, "reason" | "sent" | "words"> {
  readonly headline?: string | undefined
  readonly status?: number | undefined
  readonly retryAfter?: Duration.Duration | undefined
  readonly sentAt?: MonotonicMillis | undefined
  readonly cause?: Error | undefined
}

/**
 * Sends one request and decodes the text of its answer with a schema. Anything but a success of the expected shape is a
 * `PlaneError`. The request uses the slot that it is given. Without one, or if that one is not valid any more, it waits
 * for a slot of its own.
 */
export interface Exchange {
  readonly send: <A, I>(ask: Ask, schema: Schema.Schema<A, I>, slot?: Slot) => Effect.Effect<A, PlaneError>
  /**
   * Like `send`, but an answer 409 that fits the schema `conflict` is a success too: it says that the request was done
   * before.
   */
  readonly sendOrConflict: <A, I, B, J>(
    ask: Ask,
    schemas: { readonly success: Schema.Schema<A, I>; readonly conflict: Schema.Schema<B, J> },
    slot?: Slot
  ) => Effect.Effect<{ readonly conflict: boolean; readonly value: A | B }, PlaneError>
  /** `send` for a request about one thing with an id. An answer about another is none. */
  readonly sendAbout: <A extends { readonly id: string }, I>(
    id: string,
    ask: Ask,
    schema: Schema.Schema<A, I>,
    slot?: Slot
  ) => Effect.Effect<A, PlaneError>
  /** A failure that our side finds in what was answered. */
  readonly failure: (ask: Ask, why: Found) => PlaneError
}

interface Answered extends Answer {
  readonly sentAt: MonotonicMillis
}

const numberOf = (header: string | undefined) =>
  header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) : undefined

// The slash at the end is needed: without it Plane redirects, and a redirect is never followed with the API token.
const encode = (ask: Ask) => `${ask.path.map(encodeURIComponent).join("/")}/`

/** A URL with such a path would be another one: ".." takes a part away, and with an empty part a list is asked for. */
const leadsElsewhere = ({ path }: Ask) => path.some((part) => part === "" || part === "." || part === "..")

const unset = (setting: string) => ({
  reason: "KeyRefused",
  sent: "no",
  headline: `no API token is set: set ${setting}`,
  words: "nothing was sent"
} as const)

/** The settings that an answer may be about. */
type AdvisedNames = Pick<SettingNames, "apiToken" | "id" | "identifier">

const adviceOn = (reason: PlaneError["reason"], names: AdvisedNames): Option.Option<string> => {
  switch (reason) {
    case "KeyRefused":
      return Option.some(`Plane does not take the API token: check ${names.apiToken}`)
    case "PermissionDenied":
      return Option.some(
        `the API token's user may not do this in the project: check ${names.id ?? names.identifier}, and the ` +
          "user's role in Plane"
      )
    case "Archived":
      return Option.some(
        `the project is archived in Plane: restore it there, or set ${names.id ?? names.identifier}`
      )
    default:
      return Option.none()
  }
}

/** An answer about another thing than was asked about is no answer, whatever lost or mixed it up on the way. */
export const aboutAnother = (id: string | number, sent: PlaneError["sent"]): Found => ({
  reason: "Unavailable",
  sent,
  words: `the answer is about another one: ${id}`,
  status: 200
})

const toRequest = (ask: Ask) => {
  const request = HttpClientRequest.make(ask.method)(encode(ask), { urlParams: ask.query })
  return ask.body === undefined ? request : HttpClientRequest.bodyUnsafeJson(request, ask.body)
}

/** What all requests share: address, API token, budget, deadline, the limit of an answer, and what answers mean. */
export const make = Effect.fnUntraced(function*(
  { config, project: { names } }: Pick<CurrentProject["Type"], "config"> & {
    readonly project: { readonly names: AdvisedNames }
  }
) {
  const budget = yield* RateBudget
  const token = Redacted.value(config.apiToken)
  const { window } = config.rateLimit
  const rest = makeRestClient(yield* HttpClient.HttpClient, {
    url: `${config.url}/api/v1/`,
    setting: "ORCH_PLANE_API_URL",
    header: ["x-api-key", token],
    secret: token,
    answerLimit
  })
  const basePath = `${new URL(config.url).pathname.replace(/\/$/, "")}/api/v1/`

  const failure = (ask: Ask, { cause, headline, reason, retryAfter, sent, sentAt, status, words }: Found) =>
    new PlaneError({
      reason,
      method: ask.method,
      path: basePath + encode(ask),
      status: Option.fromNullable(status),
      headline: Option.fromNullable(headline),
      advice: adviceOn(reason, names),
      words: cleanLine(rest.withoutSecret(words), wordsLimit),
      retryAfter: Option.fromNullable(retryAfter),
      sent,
      sentAt: Option.fromNullable(sentAt),
      ...(cause === undefined ? {} : { cause })
    })

  const noAnswer = (ask: Ask, sentAt: MonotonicMillis, { cause, headline, status, why, words }: NoAnswer) =>
    failure(ask, {
      reason: "Unavailable",
      sent: why === "NotSent" ? "no" : "unknown",
      sentAt,
      words,
      headline,
      status,
      cause
    })

  const fetch = (ask: Ask): Effect.Effect<Answered, PlaneError> =>
    Effect.flatMap(monotonicMillis, (sentAt) =>
      rest.fetch(toRequest(ask)).pipe(
        within(config.timeout),
        Effect.onExit((exit) => Effect.map(monotonicMillis, (now) => countRequest(ask, exit, (now - sentAt) / 1_000))),
        Effect.mapBoth({
          onSuccess: (answer) => ({ ...answer, sentAt }),
          onFailure: (error) => noAnswer(ask, sentAt, error)
        })
      ))

  const meaning = (answer: Answer) => Effect.map(epochMillis, (now) => meaningOf(answer, { now, window }))

  /** Ends the slot with what came of the request. */
  const endSlot = (slot: Slot, exit: Exit.Exit<Answered, PlaneError>): Effect.Effect<void> => {
    if (Exit.isFailure(exit)) {
      const notSent = Option.exists(Cause.failureOption(exit.cause), (error) => error.sent === "no")
      return notSent ? slot.release : slot.answered({})
    }
    const { headers, status } = exit.value
    const remaining = numberOf(headers["x-ratelimit-remaining"])
    return isOk(exit.value)
      ? slot.answered({ status, remaining })
      : Effect.flatMap(
        meaning(exit.value),
        ({ retryAfter }) => slot.answered({ status, remaining, retryAfter })
      )
  }

  const exchange = (ask: Ask, slot: Slot | undefined): Effect.Effect<Answered, PlaneError> =>
    token === ""
      ? Effect.fail(failure(ask, unset(names.apiToken)))
      : leadsElsewhere(ask)
      ? Effect.fail(failure(ask, { reason: "NotFound", sent: "no", words: "nothing in Plane has such an id" }))
      : budget.withSlot(slot, (mine) => Effect.onExit(fetch(ask), (exit) => endSlot(mine, exit)))

  const headline = (ask: Ask, answer: Answer) => headlineOf(answer, { url: config.url, path: basePath + encode(ask) })

  const decode = <A, I>(ask: Ask, answer: Answered, schema: Schema.Schema<A, I>) =>
    Effect.mapError(Schema.decodeUnknown(schema)(answer.body), () =>
      failure(ask, {
        reason: "Unavailable",
        // It may have been done, and something on the way lost the answer.
        sent: "unknown",
        sentAt: answer.sentAt,
        words: `not what Plane answers: ${plainWords(answer.body)}`,
        status: answer.status,
        headline: headline(ask, answer)
      }))

  const refused = (ask: Ask, { sentAt, ...answer }: Answered) =>
    Effect.flatMap(
      meaning(answer),
      (why) => failure(ask, { ...why, sentAt, status: answer.status, headline: headline(ask, answer) })
    )

  const self: Exchange = {
    failure,
    send: (ask, schema, slot) =>
      Effect.flatMap(
        exchange(ask, slot),
        (answer) => isOk(answer) ? decode(ask, answer, schema) : refused(ask, answer)
      ),
    sendAbout: (id, ask, schema, slot) =>
      Effect.filterOrFail(
        self.send(ask, schema, slot),
        (json) => isSameId(json.id, id),
        // A write may have been executed all the same.
        (json) => failure(ask, aboutAnother(json.id, ask.method === "GET" ? "answered" : "unknown"))
      ),
    sendOrConflict: (ask, schemas, slot) =>
      Effect.gen(function*() {
        const answer = yield* exchange(ask, slot)
        if (isOk(answer)) return { conflict: false, value: yield* decode(ask, answer, schemas.success) }
        if (answer.status !== 409) return yield* refused(ask, answer)
        return {
          conflict: true,
          value: yield* Effect.orElse(decode(ask, answer, schemas.conflict), () => refused(ask, answer))
        }
      })
  }
  return self
})
