import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { Data, Duration, Effect, flow, identity } from "effect"
import { answerText } from "./AnswerText.js"
import { beyond } from "./JsonShape.js"
import { networkCause, ProxyUnreached, refusedByProxy, textOf } from "./NetworkCause.js"

/** An answer with its whole body. Names of headers are lower case. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

/**
 * No whole answer came. Neither `words` nor `cause` holds the secret.
 *
 * - `NotSent`: no connection was made, so the request cannot have been executed. With all others it may have been.
 * - `Silent`: no answer began.
 * - `BrokenOff`: an answer began and did not end.
 * - `TooLarge`, `TooLate`: an answer was longer, or took longer, than we read or wait.
 * - `Unreadable`: an answer was compressed, or holds more than we parse.
 */
export class NoAnswer extends Data.TaggedError("NoAnswer")<{
  readonly why: "NotSent" | "Silent" | "BrokenOff" | "TooLarge" | "TooLate" | "Unreadable"
  readonly words: string
  /** The cause in plain words, with what a person can do about it, where it is known. */
  readonly headline?: string
  readonly status?: number
  readonly cause?: Error
}> {}

/** One REST API with its address and API token. */
export interface RestClient {
  /**
   * Sends a request and reads the whole answer, whatever its status. The request's path goes behind the API's address.
   */
  readonly fetch: (request: HttpClientRequest.HttpClientRequest) => Effect.Effect<Answer, NoAnswer>
  /** Takes the secret out of an answer's text, because a peer may repeat what it was sent. */
  readonly withoutSecret: (text: string) => string
}

/** Whether an answer is a success. */
export const isOk = ({ status }: Answer): boolean => status >= 200 && status < 300

// The codes of a connection that was never made. Everything else may have reached the peer.
const neverConnected = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "ERR_SSL_WRONG_VERSION_NUMBER",
  "ERR_SSL_PACKET_LENGTH_TOO_LONG",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
])

// A route that is lost later has the same code, and then what was written before may have arrived. The name of the
// system call tells the two apart.
const neverSent = (cause: unknown) => {
  if (cause instanceof ProxyUnreached) return true
  const syscall = textOf(cause, "syscall")
  return syscall === undefined
    ? neverConnected.has(textOf(cause, "code") ?? "") || refusedByProxy(cause) !== undefined
    : syscall === "connect" || syscall === "getaddrinfo"
}

/** When both addresses of "localhost" refuse, the error has a code and no message. */
const describe = (cause: unknown) => textOf(cause, "message") ?? textOf(cause, "code") ?? String(cause)

// No answer of Plane or Gitea has a tenth of this.
const shapeLimits = { levels: 128, members: 1_000_000 }

/** How an answer is compressed, though none is asked for; none where the client has unpacked it. */
const packedBy = ({ body, headers }: Answer): string | undefined => {
  const encoding = headers["content-encoding"]
  // Read as UTF-8, what is compressed has characters that replace what cannot be read.
  return encoding !== undefined && body.includes("\uFFFD") ? encoding : undefined
}

/**
 * What the clients of all REST APIs share: the address, a header with the API token that traces leave out, limits for
 * answers, and failures that do not hold the token. It neither follows redirects nor repeats requests.
 */
export const makeRestClient = (
  http: HttpClient.HttpClient,
  options: {
    /** The address of the API, with a slash at the end. */
    readonly url: string
    /** The setting that the address comes from. */
    readonly setting: string
    /** The header that carries the API token, in lower case, and its value. Without it what needs no token is asked. */
    readonly header?: readonly [name: string, value: string]
    /** The text that is left out of all words. */
    readonly secret: string
    /** The most that is read of an answer, in bytes. */
    readonly answerLimit: number
  }
): RestClient => {
  const { answerLimit, header, secret, setting, url } = options
  const [name, value] = header ?? []
  const client = http.pipe(
    HttpClient.mapRequest(
      flow(
        HttpClientRequest.prependUrl(url),
        name === undefined || value === undefined ? identity : HttpClientRequest.setHeader(name, value),
        HttpClientRequest.setHeader("accept-encoding", "identity"),
        HttpClientRequest.acceptJson
      )
    ),
    // A host may have replaced the list of headers that traces and logs leave out.
    HttpClient.transformResponse(
      Effect.locallyWith(Headers.currentRedactedNames, (names) => name === undefined ? names : [...names, name])
    )
  )

  const withoutSecret = (text: string) => secret === "" ? text : text.replaceAll(secret, "<redacted>")

  const broken = (error: HttpClientError.HttpClientError, status?: number) => {
    const cause = error.cause ?? error.reason
    const words = withoutSecret(describe(cause))
    // A copy, because the error of another client could hold the request with its headers.
    const copy = new Error(words)
    const headline = networkCause(cause, { url, setting })
    return status === undefined
      ? new NoAnswer({
        why: neverSent(cause) ? "NotSent" : "Silent",
        words,
        cause: copy,
        ...(headline === undefined ? {} : { headline })
      })
      : new NoAnswer({ why: "BrokenOff", words: `the answer broke off: ${words}`, status, cause: copy })
  }

  const readable = (answer: Answer): Effect.Effect<Answer, NoAnswer> => {
    const { body, status } = answer
    const encoding = packedBy(answer)
    if (encoding !== undefined) {
      const headline =
        "the server compresses its answers, although plane-sync asks it not to: switch that off in the " +
        `proxy in front of it, or check ${setting}`
      return new NoAnswer({ why: "Unreadable", words: `content-encoding: ${encoding}`, headline, status })
    }
    // What is no JSON, such as a page, is not judged: `JSON.parse` stops at its beginning.
    return /^\s*[[{]/.test(body) && beyond(body, shapeLimits) !== undefined
      ? new NoAnswer({ why: "Unreadable", words: "the answer is nested too deeply, or has too many parts", status })
      : Effect.succeed(answer)
  }

  return {
    withoutSecret,
    fetch: (request) =>
      client.execute(request).pipe(
        Effect.mapError((error) => broken(error)),
        Effect.flatMap((response) =>
          answerText(response, answerLimit).pipe(
            Effect.mapBoth({
              onSuccess: (body): Answer => ({ status: response.status, headers: response.headers, body }),
              onFailure: (error) =>
                error._tag === "BodyTooLarge"
                  ? new NoAnswer({
                    why: "TooLarge",
                    words: `the answer is larger than ${answerLimit / 1024 / 1024} MiB`,
                    status: response.status
                  })
                  : broken(error, response.status)
            }),
            Effect.flatMap(readable)
          )
        )
      )
  }
}

/**
 * Puts one deadline over a whole exchange, headers and body together, so that a peer that sends a byte now and then
 * holds nobody up.
 */
export const within =
  (deadline: Duration.Duration) => <A, E, R>(fetched: Effect.Effect<A, E, R>): Effect.Effect<A, E | NoAnswer, R> =>
    Effect.timeoutFail(fetched, {
      duration: deadline,
      onTimeout: () => new NoAnswer({ why: "TooLate", words: `no whole answer within ${Duration.format(deadline)}` })
    })
