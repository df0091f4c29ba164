import type { Redacted } from "effect"
import { Config, Duration, Either, Redacted as Secret } from "effect"
import type { Accepted } from "../base/Setting.js"
import { address, defineSetting, duration, given, integer, matching, oneOf, token, unset } from "../base/Setting.js"
import type { CommentMode } from "../domain/CommentMode.js"
import { commentModes } from "../domain/CommentMode.js"

/** How many requests Plane takes with one API token in a window: its server's `API_KEY_RATE_LIMIT`. */
export interface RateLimit {
  readonly requests: number
  readonly window: Duration.Duration
}

/** Where Plane is, and how it is treated. Which project is written to, `Projects` says. */
export interface PlaneConfig {
  /** Plane's address, without the API's path and without a slash at the end: `http://localhost:8091`. */
  readonly url: string
  /** Empty when none is set: then nothing is sent. */
  readonly apiToken: Redacted.Redacted
  readonly workspaceSlug: string
  /** The total deadline of one request: connect, headers and body. */
  readonly timeout: Duration.Duration
  readonly rateLimit: RateLimit
  /** How long after its sending a request of unknown outcome is not repeated. */
  readonly quiet: Duration.Duration
  /** The longest pause between two attempts of a lane. */
  readonly maxBackoff: Duration.Duration
  /** A delivery that has failed this often by itself is a dead letter. */
  readonly maxAttempts: number
  /** How long a key that Plane does not know yet is looked for. */
  readonly keyPatience: Duration.Duration
  /** How many work items are written to at the same time. */
  readonly concurrency: number
  /** A lane that has waited longer than this is as urgent as a gate failure. */
  readonly urgentAfter: Duration.Duration
  /** How events are told. */
  readonly comments: CommentMode
  /** Whether a work item that a person has cancelled stays cancelled, or is moved all the same. */
  readonly onConflict: "respect" | "force"
}

const rate: Accepted<RateLimit> = {
  expected: `requests a minute or a second, like "60/minute"`,
  parse: (text) => {
    const [, digits, unit] = /^(\d{1,9})\s*\/\s*(second|minute)$/.exec(text) ?? []
    const requests = Number(digits)
    return unit === undefined || requests < 1
      ? Either.left(`${given(text)} is not a rate`)
      : Either.right({ requests, window: unit === "second" ? Duration.seconds(1) : Duration.minutes(1) })
  }
}

/** The settings that say where Plane is: nothing works without them. */
export const accessSettings = {
  url: defineSetting({
    name: "ORCH_PLANE_API_URL",
    about: "The address of Plane, without /api/v1.",
    accepts: address("Plane", "http://localhost:8091"),
    default: "http://localhost:8091"
  }),
  apiToken: defineSetting({
    name: "ORCH_PLANE_API_TOKEN",
    about: "Plane's API token, sent as X-API-Key. Without one nothing is sent, and published events are kept.",
    accepts: token("the token as Plane shows it"),
    default: unset(Secret.make("")),
    secret: true
  }),
  workspaceSlug: defineSetting({
    name: "ORCH_PLANE_WORKSPACE_SLUG",
    about: "The workspace's name as it stands in Plane's addresses.",
    accepts: matching(/^[\p{L}\p{N}_-]{1,80}$/u, `a workspace's name in Plane's addresses, like "ag_proj"`),
    default: "ag_proj"
  })
}

/** The settings that say how Plane is written to. */
export const sendingSettings = {
  timeout: defineSetting({
    name: "ORCH_PLANE_TIMEOUT",
    about: "The total time limit of one request to Plane: connecting, headers and body.",
    accepts: duration("1 millis", "1 hours"),
    default: "10 seconds"
  }),
  concurrency: defineSetting({
    name: "ORCH_PLANE_CONCURRENCY",
    about: "How many work items of a project are written to at the same time.",
    accepts: integer(1, 256),
    default: "8"
  }),
  rateLimit: defineSetting({
    name: "ORCH_PLANE_RATE_LIMIT",
    about: "How many requests Plane allows, a minute or a second: the API_KEY_RATE_LIMIT of its server.",
    accepts: rate,
    default: "60/minute"
  }),
  quiet: defineSetting({
    name: "ORCH_PLANE_QUIET",
    about: "How long a request of unknown outcome is not repeated, because Plane may still be working on it.",
    accepts: duration("0 millis", "1 hours"),
    default: "30 seconds"
  }),
  maxBackoff: defineSetting({
    name: "ORCH_PLANE_MAX_BACKOFF",
    about: "The longest pause between two attempts.",
    accepts: duration("1 millis", "1 days"),
    default: "60 seconds"
  }),
  maxAttempts: defineSetting({
    name: "ORCH_PLANE_MAX_ATTEMPTS",
    about: "After this many failed attempts a request becomes a dead letter.",
    accepts: integer(1, 1_000),
    default: "8"
  }),
  keyPatience: defineSetting({
    name: "ORCH_PLANE_KEY_PATIENCE",
    about: "How long plane-sync looks for a key that Plane does not know yet.",
    accepts: duration("0 millis", "7 days"),
    default: "10 minutes"
  }),
  urgentAfter: defineSetting({
    name: "ORCH_PLANE_URGENT_AFTER",
    about: "An event that has waited this long is as urgent as a gate failure.",
    accepts: duration("0 millis", "1 days"),
    default: "10 minutes"
  }),
  comments: defineSetting({
    name: "ORCH_PLANE_COMMENTS",
    about:
      "joined: one comment tells all that a work item is owed at the same time. each: every event has its own comment. " +
      "living: one comment shows where the task is, and is edited; failed gates and the end have comments of their own.",
    accepts: oneOf(commentModes),
    default: "joined"
  }),
  onConflict: defineSetting({
    name: "ORCH_PLANE_ON_CONFLICT",
    about: "What happens to a work item that a person has cancelled in Plane. respect: it stays cancelled. " +
      "force: it is moved all the same.",
    accepts: oneOf(["respect", "force"]),
    default: "respect"
  })
}

/** The settings `ORCH_PLANE_*` but those of the project. */
export const PlaneConfig: Config.Config<PlaneConfig> = Config.all({ ...accessSettings, ...sendingSettings })
