import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { Data, Duration, Effect, flow, Predicate } from "effect"
import { answerText } from "./AnswerText.js"

/** An answer with its whole body. Names of headers are lower case. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

/**
 * No whole answer came. `NotSent`: no connection was made, so the request cannot have been executed; with all others it
 * may have been. `Silent`: no answer began. `BrokenOff`: one did, and did not end. `TooLarge`, `TooLate`: it went on for
 * longer than is read or waited. Neither `words` nor `cause` holds the secret.
 */
export class NoAnswer extends Data.TaggedError("NoAnswer")<{
  readonly why: "NotSent" | "Silent" | "BrokenOff" | "TooLarge" | "TooLate"
  readonly words: string
  readonly status?: number
  readonly cause?: Error
}> {}

/** One REST API with its address and key. */
export interface RestClient {
  /** Sends a request, whose path goes behind the API's address, and reads the whole answer, whatever its status. */
  readonly fetch: (request: HttpClientRequest.HttpClientRequest) => Effect.Effect<Answer, NoAnswer>
  /** A text that was answered, without the secret: a peer may repeat what it was sent. */
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

// A route that is lost later has the same code, and then what was written before may have arrived: the system call tells.
const neverSent = (cause: unknown) => {
  const syscall = property(cause, "syscall")
  return syscall === undefined
    ? neverConnected.has(property(cause, "code") ?? "")
    : syscall === "connect" || syscall === "getaddrinfo"
}

/** Both addresses of "localhost" refusing make an error with a code and no message. */
const describe = (cause: unknown) => property(cause, "message") ?? property(cause, "code") ?? String(cause)

/**
 * What the clients of all REST APIs share: the address, the header with the key, which traces leave out, a bounded answer,
 * and failures that do not hold the key. It neither follows a redirect nor repeats a request.
 */
export const makeRestClient = (
  http: HttpClient.HttpClient,
  options: {
    /** The address of the API, with a slash at the end. */
    readonly url: string
    /** The header that carries the key, in lower case, and its value. */
    readonly header: readonly [name: string, value: string]
    /** What is left out of all words. */
    readonly secret: string
    /** The most that is read of an answer, in bytes. */
    readonly answerLimit: number
  }
): RestClient => {
  const { answerLimit, header: [name, value], secret, url } = options
  const client = http.pipe(
    HttpClient.mapRequest(
      flow(
        HttpClientRequest.prependUrl(url),
        HttpClientRequest.setHeader(name, value),
        HttpClientRequest.acceptJson
      )
    ),
    // A host may have replaced the list of headers that its traces and logs leave out.
    HttpClient.transformResponse(Effect.locallyWith(Headers.currentRedactedNames, (names) => [...names, name]))
  )

  const withoutSecret = (text: string) => secret === "" ? text : text.replaceAll(secret, "<redacted>")

  const broken = (error: HttpClientError.HttpClientError, status?: number) => {
    const cause = error.cause ?? error.reason
    const words = withoutSecret(describe(cause))
    // A copy: the original of a client that is not ours could hold the request with its headers.
    const copy = new Error(words)
    return status === undefined
      ? new NoAnswer({ why: neverSent(cause) ? "NotSent" : "Silent", words, cause: copy })
      : new NoAnswer({ why: "BrokenOff", words: `the answer broke off: ${words}`, status, cause: copy })
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
                error._tag === "AnswerTooLarge"
                  ? new NoAnswer({
                    why: "TooLarge",
                    words: `the answer is larger than ${answerLimit / 1024 / 1024} MiB`,
                    status: response.status
                  })
                  : broken(error, response.status)
            })
          )
        )
      )
  }
}

/**
 * A deadline over all of what is fetched, headers and bodies together: a peer that sends a byte now and then keeps nobody.
 */
export const within =
  (deadline: Duration.Duration) => <A, E, R>(fetched: Effect.Effect<A, E, R>): Effect.Effect<A, E | NoAnswer, R> =>
    Effect.timeoutFail(fetched, {
      duration: deadline,
      onTimeout: () => new NoAnswer({ why: "TooLate", words: `no whole answer within ${Duration.format(deadline)}` })
    })
