import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { Cause, Clock, Duration, Effect, Exit, FiberRef, flow, Option, Predicate, Redacted, Schema } from "effect"
import { answerText } from "../base/AnswerText.js"
import { cleanLine } from "../base/Text.js"
import { monotonicMillis } from "../base/Time.js"
import type { PlaneConfig } from "./PlaneConfig.js"
import { PlaneError } from "./PlaneError.js"
import type { Answer } from "./Policy.js"
import { classify, plainWords, wordsLimit } from "./Policy.js"
import { RateBudget } from "./RateBudget.js"

/** The most that is read of an answer, in bytes: a PATCH answers the whole work item, its description included. */
export const answerLimit = 16 * 1024 * 1024

/** One request to Plane, without what all of them share. */
export interface Ask {
  readonly method: "GET" | "PATCH" | "POST"
  /** Parts of the path after `/api/v1/`, not yet encoded. */
  readonly path: ReadonlyArray<string>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/**
 * Sends one request and reads its answer, of whose text the schema is; anything but a success of the expected shape is a
 * `PlaneError`.
 */
export interface Exchange {
  readonly send: <A, I>(ask: Ask, schema: Schema.Schema<A, I>) => Effect.Effect<A, PlaneError>
  /** `send` for a request whose answer 409 may say, as the schema of its text tells, that it is done already. */
  readonly sendOrConflict: <A, I, B, J>(
    ask: Ask,
    schema: Schema.Schema<A, I>,
    conflict: Schema.Schema<B, J>
  ) => Effect.Effect<{ readonly conflict: boolean; readonly value: A | B }, PlaneError>
  /** A failure that our side finds in what was answered. */
  readonly failure: (ask: Ask, why: Pick<PlaneError, "reason" | "sent" | "words"> & { status?: number }) => PlaneError
}

interface Answered extends Answer {
  /** Monotonic. */
  readonly sentAt: number
}

const tooLarge = `the answer is larger than ${answerLimit / 1024 / 1024} MiB`

// What a connection that was never made fails with. Everything else may have reached Plane.
const neverConnected = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
])

const property = (error: unknown, name: string): string | undefined => {
  const value = Predicate.hasProperty(error, name) ? error[name] : undefined
  return typeof value === "string" && value !== "" ? value : undefined
}

// A route that is lost later has the same code, for what was written before: then the call was another.
const neverSent = (cause: unknown) => {
  const syscall = property(cause, "syscall")
  return syscall === undefined
    ? neverConnected.has(property(cause, "code") ?? "")
    : syscall === "connect" || syscall === "getaddrinfo"
}

/** Both addresses of "localhost" refusing make an error with a code and no message. */
const describe = (cause: unknown) => property(cause, "message") ?? property(cause, "code") ?? String(cause)

const numberOf = (header: string | undefined) =>
  header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) : undefined

// A host may have replaced the list of headers that traces and logs leave out.
const withoutKeyInTraces = <A, E, R>(request: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(
    FiberRef.get(Headers.currentRedactedNames),
    (names) =>
      names.includes("x-api-key")
        ? request
        : Effect.locally(request, Headers.currentRedactedNames, [...names, "x-api-key"])
  )

const isOk = ({ status }: Answer) => status >= 200 && status < 300

/** What all requests share: address, key, budget, deadline, the limit of an answer, and what answers mean. */
export const make = Effect.fnUntraced(function*(config: PlaneConfig) {
  const budget = yield* RateBudget
  const token = Redacted.value(config.apiToken)
  const client = (yield* HttpClient.HttpClient).pipe(
    HttpClient.mapRequest(
      flow(
        HttpClientRequest.prependUrl(`${config.url}/api/v1/`),
        HttpClientRequest.setHeader("x-api-key", token),
        HttpClientRequest.acceptJson
      )
    ),
    HttpClient.transformResponse(withoutKeyInTraces)
  )

  const withoutToken = (text: string) => token === "" ? text : text.replaceAll(token, "<redacted>")
  const pathOf = (ask: Ask) => `${new URL(config.url).pathname.replace(/\/$/, "")}/api/v1/${encode(ask)}`

  const failure = (
    ask: Ask,
    why:
      & Pick<PlaneError, "reason" | "sent" | "words">
      & Partial<Pick<PlaneError, "status" | "retryAfterMillis" | "sentAt">>,
    cause?: unknown
  ) =>
    new PlaneError({
      ...why,
      method: ask.method,
      path: pathOf(ask),
      words: cleanLine(withoutToken(why.words), wordsLimit),
      // A copy: the original of a client that is not ours could hold the request with its headers.
      ...(cause === undefined ? {} : { cause: new Error(withoutToken(describe(cause))) })
    })

  const noAnswer = (ask: Ask, sentAt: number, cause: unknown, status?: number) =>
    failure(
      ask,
      {
        sentAt,
        reason: "Unavailable",
        sent: status === undefined && neverSent(cause) ? "no" : "unknown",
        words: status === undefined ? describe(cause) : `the answer broke off: ${describe(cause)}`,
        ...(status === undefined ? {} : { status })
      },
      cause
    )

  const fetch = (ask: Ask, sentAt: number): Effect.Effect<Answered, PlaneError> => {
    const request = HttpClientRequest.make(ask.method)(encode(ask), { urlParams: ask.query })
    const withBody = ask.body === undefined ? request : HttpClientRequest.bodyUnsafeJson(request, ask.body)
    return client.execute(withBody).pipe(
      Effect.mapError((error: HttpClientError.HttpClientError) => noAnswer(ask, sentAt, error.cause ?? error.reason)),
      Effect.flatMap((response) =>
        answerText(response, answerLimit).pipe(
          Effect.mapBoth({
            onSuccess: (body) => ({ status: response.status, headers: response.headers, body, sentAt }),
            onFailure: (error) =>
              error._tag === "BodyTooLarge"
                ? failure(ask, {
                  reason: "Unavailable",
                  sent: "unknown",
                  sentAt,
                  words: tooLarge,
                  status: response.status
                })
                : noAnswer(ask, sentAt, error.cause ?? error.reason, response.status)
          })
        )
      ),
      // Over headers and body together: a peer that sends a byte now and then keeps nobody.
      Effect.timeoutFail({
        duration: config.timeout,
        onTimeout: () =>
          failure(ask, {
            reason: "Unavailable",
            sent: "unknown",
            sentAt,
            words: `no whole answer within ${Duration.format(config.timeout)}`
          })
      })
    )
  }

  const exchange = (ask: Ask): Effect.Effect<Answered, PlaneError> =>
    token === ""
      ? Effect.fail(failure(ask, { reason: "KeyRefused", sent: "no", words: "no token is set, so nothing was sent" }))
      : Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(budget.admit, (slot) =>
          Effect.onExit(
            restore(Effect.flatMap(monotonicMillis, (sentAt) => fetch(ask, sentAt))),
            (exit) => {
              if (Exit.isFailure(exit)) {
                const notSent = Option.exists(Cause.failureOption(exit.cause), (error) => error.sent === "no")
                return notSent ? slot.release : slot.answered({})
              }
              const { headers, status } = exit.value
              const remaining = numberOf(headers["x-ratelimit-remaining"])
              return isOk(exit.value)
                ? slot.answered({ status, remaining })
                : Effect.flatMap(
                  verdict(exit.value),
                  ({ retryAfterMillis }) => slot.answered({ status, remaining, retryAfterMillis })
                )
            }
          ))
      )

  const verdict = (answer: Answer) =>
    Effect.map(
      Clock.currentTimeMillis,
      (nowMillis) => classify(answer, { nowMillis, windowMillis: Duration.toMillis(config.rateLimit.window) })
    )

  const decode = <A, I>(ask: Ask, answer: Answered, schema: Schema.Schema<A, I>) =>
    Effect.mapError(Schema.decodeUnknown(schema)(answer.body), () =>
      failure(ask, {
        reason: "Unavailable",
        // It may have been done, and something on the way lost the answer.
        sent: "unknown",
        sentAt: answer.sentAt,
        words: `not what Plane answers: ${plainWords(answer.body)}`,
        status: answer.status
      }))

  const refused = (ask: Ask, { sentAt, ...answer }: Answered) =>
    Effect.flatMap(verdict(answer), (why) => failure(ask, { ...why, sentAt, status: answer.status }))

  const self: Exchange = {
    failure,
    send: (ask, schema) =>
      Effect.flatMap(exchange(ask), (answer) => isOk(answer) ? decode(ask, answer, schema) : refused(ask, answer)),
    sendOrConflict: (ask, schema, conflict) =>
      Effect.gen(function*() {
        const answer = yield* exchange(ask)
        if (isOk(answer)) return { conflict: false, value: yield* decode(ask, answer, schema) }
        if (answer.status !== 409) return yield* refused(ask, answer)
        return {
          conflict: true,
          value: yield* Effect.orElse(decode(ask, answer, conflict), () => refused(ask, answer))
        }
      })
  }
  return self
})

// The slash at the end is needed: without it Plane redirects, and a redirect is never followed with the key.
const encode = (ask: Ask) => `${ask.path.map(encodeURIComponent).join("/")}/`
