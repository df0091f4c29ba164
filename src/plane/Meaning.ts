import type { Duration } from "effect"
import { Either, Option, Schema } from "effect"
import type { Answer } from "../base/RestClient.js"
import { retryAfterOf } from "../base/RetryAfter.js"
import { cleanLine } from "../base/Text.js"
import type { EpochMillis } from "../base/Time.js"
import type { PlaneError } from "./PlaneError.js"

/** What an answer means: the part of a `PlaneError` that the answer alone decides. */
export type Meaning = Pick<PlaneError, "reason" | "sent" | "words"> & { readonly retryAfter?: Duration.Duration }

/** Characters of Plane's words that an error keeps. */
export const wordsLimit = 300

const Json = Schema.decodeUnknownEither(Schema.parseJson())

// What is looked at of a body for its words, and how deep: one that is not Plane's can be of any size and shape.
const bodyLimit = 4_096
const depthLimit = 5

const words = (body: unknown, depth = 0): string => {
  if (typeof body === "string") return body.slice(0, bodyLimit)
  if (depth === depthLimit) return "…"
  if (Array.isArray(body)) return body.slice(0, wordsLimit).map((part) => words(part, depth + 1)).join(" ")
  if (typeof body !== "object" || body === null) return JSON.stringify(body)
  return Object.entries(body).slice(0, wordsLimit)
    // The names of these say nothing; of the others the name is the field that was wrong.
    .map(([name, value]) => isPlain(name) ? words(value, depth + 1) : `${name}: ${words(value, depth + 1)}`)
    .join("; ")
}

const isPlain = (name: string) => ["detail", "error", "error_message", "non_field_errors"].includes(name)

const html = (body: string) =>
  body.slice(0, bodyLimit).replace(/<(style|script)[^]*?<\/\1>/gi, " ").replace(/<[^>]*>/g, " ").trim() || "(empty)"

/** What the body of an answer says, as one line. */
export const plainWords = (body: string): string => saidBy(body, Json(body))

const saidBy = (body: string, json: Either.Either<unknown, unknown>) =>
  cleanLine(
    Either.match(json, { onLeft: () => `not JSON: ${html(body)}`, onRight: (value) => words(value) })
      .replace(/\s+/g, " "),
    wordsLimit
  )

const gone = "The requested resource does not exist."
const badKey = /token is not valid/i

/**
 * What an answer that is not a success means. `window` is how long a 429 without Retry-After asks to wait; `now` is
 * what a Retry-After with a date is measured from.
 */
export const meaningOf = (
  answer: Answer,
  options: { readonly now: EpochMillis; readonly window: Duration.Duration }
): Meaning => {
  const { body, headers, status } = answer
  const json = Json(body)
  const isJson = Either.isRight(json)
  const said = saidBy(body, json)
  const wait = retryAfterOf(headers["retry-after"], options.now)
  const meaning = (reason: Meaning["reason"]): Meaning => ({ reason, sent: "answered", words: said })

  if (status === 429) {
    return { ...meaning("RateLimited"), retryAfter: Option.getOrElse(wait, () => options.window) }
  }
  if (status === 401) return meaning("KeyRefused")
  if (status >= 300 && status < 400) {
    return { ...meaning("WrongAddress"), words: cleanLine(`redirects to ${headers["location"] ?? "?"}`, wordsLimit) }
  }
  if (status === 404) return meaning(said === gone ? "NotFound" : "WrongAddress")
  if (status >= 500 || status === 408 || status === 425) {
    return {
      ...meaning("Unavailable"),
      // Plane's own 500 and 503 are final; a gateway's word is about itself, while Plane may go on.
      sent: isJson && status < 600 && ![408, 502, 504].includes(status) ? "answered" : "unknown",
      ...Option.match(wait, { onNone: () => ({}), onSome: (retryAfter) => ({ retryAfter }) })
    }
  }
  if (status === 413) return meaning("Refused")
  // Whatever else is not JSON does not come from Plane, so it says nothing about the request.
  if (!isJson) return { ...meaning("Unavailable"), sent: "unknown" }
  if (status === 403) return meaning(badKey.test(said) ? "KeyRefused" : "PermissionDenied")
  return meaning("Refused")
}

/**
 * Plane answers 400 "The payload is not valid" to a comment on a work item that it does not have, and to some other
 * things: a look at the work item tells which.
 */
export const mayMeanNoSuchItem = (error: PlaneError): boolean =>
  error.reason === "Refused" && Option.contains(error.status, 400) && error.words === "The payload is not valid"
