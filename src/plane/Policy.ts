/**
 * How Plane is treated, in one place: what its answers mean, how long it is waited for, and when it is asked again. The
 * one deadline of a request is `PlaneConfig.timeout` and lies over connecting, headers and body together (`Exchange`);
 * there is no second retry inside the client: a lane asks again, by `backoff` and `nextLookUp`, from what is stored.
 */
import { Chunk, Duration, Effect, Either, Option, Schedule, Schema } from "effect"
import { cleanLine } from "../base/Text.js"
import type { PlaneError } from "./PlaneError.js"

/** An answer of Plane, or of something in front of it, with its whole body. Names of headers are lower case. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

/** What an answer means: the part of a `PlaneError` that the answer alone decides. */
export type Verdict = Pick<PlaneError, "reason" | "sent" | "words"> & { readonly retryAfterMillis?: number }

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
 * What an answer that is not a success means (design.md, "What Plane's answers mean"). `windowMillis` is how long a 429
 * without Retry-After asks to wait, `nowMillis` what a Retry-After with a date is measured from.
 */
export const classify = (
  answer: Answer,
  options: { readonly nowMillis: number; readonly windowMillis: number }
): Verdict => {
  const { body, headers, status } = answer
  const json = Json(body)
  const isJson = Either.isRight(json)
  const said = saidBy(body, json)
  const wait = retryAfter(headers["retry-after"], options.nowMillis)
  const verdict = (reason: Verdict["reason"]): Verdict => ({ reason, sent: "answered", words: said })

  if (status === 429) {
    return { ...verdict("RateLimited"), retryAfterMillis: Option.getOrElse(wait, () => options.windowMillis) }
  }
  if (status === 401) return verdict("KeyRefused")
  if (status >= 300 && status < 400) {
    return { ...verdict("WrongAddress"), words: cleanLine(`redirects to ${headers["location"] ?? "?"}`, wordsLimit) }
  }
  if (status === 404) return verdict(said === gone ? "NotFound" : "WrongAddress")
  if (status >= 500 || status === 408 || status === 425) {
    return {
      ...verdict("Unavailable"),
      // Plane's own 500 and 503 are final; a gateway's word is about itself, while Plane may go on.
      sent: isJson && status < 600 && ![408, 502, 504].includes(status) ? "answered" : "unknown",
      ...Option.match(wait, { onNone: () => ({}), onSome: (retryAfterMillis) => ({ retryAfterMillis }) })
    }
  }
  if (status === 413) return verdict("Refused")
  // Whatever else is not JSON does not come from Plane, so it says nothing about the request.
  if (!isJson) return { ...verdict("Unavailable"), sent: "unknown" }
  if (status === 403) return verdict(badKey.test(said) ? "KeyRefused" : "PermissionDenied")
  return verdict("Refused")
}

/**
 * Plane answers 400 "The payload is not valid" to a comment on a work item that it does not have, and to some other
 * things: a look at the work item tells which.
 */
export const mayMeanNoSuchItem = (error: PlaneError): boolean =>
  error.reason === "Refused" && error.status === 400 && error.words === "The payload is not valid"

const leastWait = 1_000
const mostWait = 300_000

/**
 * Retry-After in milliseconds: seconds or a date; none for what is neither. At least a second, for whoever keeps saying
 * "0" would be asked without pause, and at most five minutes, for nobody stops us for a day.
 */
export const retryAfter = (header: string | undefined, nowMillis: number): Option.Option<number> => {
  if (header === undefined || header.trim() === "") return Option.none()
  const seconds = Number(header)
  const millis = Number.isNaN(seconds) ? Date.parse(header) - nowMillis : seconds * 1_000
  return Number.isNaN(millis) ? Option.none() : Option.some(Math.ceil(Math.min(Math.max(millis, leastWait), mostWait)))
}

/** The pauses between attempts: 1 s, 2 s, 4 s … each by up to a fifth shorter or longer, and never above `max`. */
export const backoffSchedule = (max: Duration.DurationInput): Schedule.Schedule<Duration.Duration> =>
  Schedule.exponential("1 second", 2).pipe(
    // Jitter comes before the cap: `max` is a promise.
    Schedule.jittered,
    Schedule.modifyDelay((_, delay) => Duration.min(delay, max)),
    Schedule.delays
  )

// Far beyond where any `max` cuts; what is stored can be any number.
const longest = 64

/**
 * How long to wait after the `attempts`-th failure (1 is the first): the schedule, driven so far. It is computed anew
 * from the stored count each time, so it survives a restart. A Retry-After is never undercut, also where it is longer
 * than `max`.
 */
export const backoff = Effect.fnUntraced(function*(
  attempts: number,
  options: { readonly max: Duration.DurationInput; readonly retryAfterMillis?: number | undefined }
) {
  const failures = Chunk.range(1, Math.min(Math.max(Math.floor(attempts), 1), longest))
  const delays = yield* Schedule.run(backoffSchedule(options.max), 0, failures)
  const delay = Option.getOrElse(Chunk.last(delays), () => Duration.zero)
  return Duration.millis(Math.ceil(Math.max(Duration.toMillis(delay), options.retryAfterMillis ?? 0)))
})

const looks = [0, 5_000, 30_000, 120_000, 300_000]
const lookEvery = 600_000

/** When the `index`-th look is due, in milliseconds after the first answered miss (which is look 0). */
const lookAt = (index: number) => looks[index] ?? lookEvery * (index - looks.length + 1)

/**
 * How long after the last of so many answered misses (at least 1) a key that nobody has yet is looked for again: so that
 * the looks come at 5 s, 30 s, 2, 5, 10 minutes after the *first* and then every 10 minutes, the last when `patience`
 * ends. None: it has ended. It counts from look to look, so that a clock that is set cuts no more than one pause short.
 */
export const nextLookUp = (misses: number, patience: Duration.DurationInput): Option.Option<Duration.Duration> => {
  const end = Duration.toMillis(patience)
  const last = lookAt(misses - 1)
  return last >= end ? Option.none() : Option.some(Duration.millis(Math.min(lookAt(misses), end) - last))
}
