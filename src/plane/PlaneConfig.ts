import type { Redacted } from "effect"
import { Config, Duration, Either, ParseResult, Redacted as Secret, Schema } from "effect"
import { address, duration, given, integer, matching, oneOf, setting, token } from "../base/Setting.js"
import { defaultStageStates, StageStates } from "../domain/StageStates.js"

/** How many requests Plane takes from one key in a window: its server's `API_KEY_RATE_LIMIT`. */
export interface RateLimit {
  readonly requests: number
  readonly window: Duration.Duration
}

/** What is known about the Plane to write to, and how it is to be treated. See `PlaneConfig` for the variables. */
export interface PlaneConfig {
  /** Where Plane answers, without the API's path and without a slash at the end: `http://localhost:8091`. */
  readonly url: string
  /** Empty when none is set: then nothing is sent. */
  readonly apiToken: Redacted.Redacted
  readonly workspaceSlug: string
  /** A UUID, lower case. */
  readonly projectId: string
  /** Upper case, as Plane has it. */
  readonly projectIdentifier: string
  readonly stageStates: StageStates
  /** The total deadline of one request: connect, headers and body. */
  readonly timeout: Duration.Duration
  readonly rateLimit: RateLimit
  /** How long after its sending a request of unknown outcome is not repeated. */
  readonly quiet: Duration.Duration
  /** The longest pause between two attempts of a lane. */
  readonly maxBackoff: Duration.Duration
  /** After so many attempts of its own an event is a dead letter. */
  readonly maxAttempts: number
  /** How long a key that nobody has yet is looked for. */
  readonly keyPatience: Duration.Duration
  /** Work items that are written to at the same time. */
  readonly concurrency: number
  /** What has waited so long for the budget is as urgent as a gate failure. */
  readonly urgentAfter: Duration.Duration
  /** Whether what is owed together is told by one comment, or every event by its own. */
  readonly comments: "joined" | "each"
  /** Whether a work item that a person has cancelled stays so, or is moved all the same. */
  readonly onConflict: "respect" | "force"
}

const lowerCase = (text: string) => text.toLowerCase()

const parseStageStates = (text: string): Either.Either<StageStates, string> =>
  Schema.decodeEither(Schema.parseJson(StageStates))(text).pipe(
    Either.map((states) => new Map(Array.from(states, ([stage, state]) => [stage, lowerCase(state)]))),
    Either.mapLeft((error) => {
      const [first] = ParseResult.ArrayFormatter.formatErrorSync(error)
      const where = first === undefined ? "" : ` (${[...first.path, first.message].join(": ")})`
      return `${given(text)} is not a table of states${where}: expected JSON, stage → state id, like ` +
        `{"done":"381a2833-3c4e-4be5-bd0f-be84cb946ad8"}`
    })
  )

const parseRateLimit = (text: string): Either.Either<RateLimit, string> => {
  const [, digits, unit] = /^(\d{1,9})\s*\/\s*(second|minute)$/.exec(text) ?? []
  const requests = Number(digits)
  return unit === undefined || requests < 1
    ? Either.left(`${given(text)} is not a rate: expected requests a minute or a second, like "60/minute"`)
    : Either.right({ requests, window: unit === "second" ? Duration.seconds(1) : Duration.minutes(1) })
}

/** What is allowed when `ORCH_PLANE_RATE_LIMIT` does not say: Plane's own default. */
export const defaultRateLimit: RateLimit = { requests: 60, window: Duration.minutes(1) }

/** `ORCH_PLANE_RATE_LIMIT` alone, for the budget. */
export const rateLimit: Config.Config<RateLimit> = setting("ORCH_PLANE_RATE_LIMIT", defaultRateLimit, parseRateLimit)

/**
 * The settings `ORCH_PLANE_*`, with the defaults of the installation this was written for. A variable that is missing or
 * empty has its default. A bad value is a `ConfigError` that names the variable, what was given (never the token) and what
 * would be right.
 */
export const PlaneConfig: Config.Config<PlaneConfig> = Config.all({
  url: setting("ORCH_PLANE_API_URL", "http://localhost:8091", address("Plane", "http://localhost:8091")),
  apiToken: setting("ORCH_PLANE_API_TOKEN", Secret.make(""), token("Plane")),
  workspaceSlug: setting(
    "ORCH_PLANE_WORKSPACE_SLUG",
    "ag_proj",
    matching(/^[\p{L}\p{N}_-]{1,80}$/u, `a workspace's name in Plane's addresses, like "ag_proj"`, (text) => text)
  ),
  projectId: setting(
    "ORCH_PLANE_PROJECT_ID",
    "7a79f0a9-5278-49cd-9007-9a338f238f9c",
    matching(
      /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
      `a project's UUID, like "7a79f0a9-5278-49cd-9007-9a338f238f9c"`,
      lowerCase
    )
  ),
  projectIdentifier: setting(
    "ORCH_PLANE_PROJECT_IDENTIFIER",
    "ET",
    matching(/^[\p{L}\p{N}]{1,12}$/u, `1 to 12 letters or digits, like "ET"`, (text) => text.toUpperCase())
  ),
  stageStates: setting("ORCH_PLANE_STAGE_STATES", defaultStageStates, parseStageStates),
  timeout: setting("ORCH_PLANE_TIMEOUT", Duration.seconds(10), duration("1 millis", "1 hours")),
  rateLimit,
  quiet: setting("ORCH_PLANE_QUIET", Duration.seconds(30), duration("0 millis", "1 hours")),
  maxBackoff: setting("ORCH_PLANE_MAX_BACKOFF", Duration.seconds(60), duration("1 millis", "1 days")),
  maxAttempts: setting("ORCH_PLANE_MAX_ATTEMPTS", 8, integer(1, 1_000)),
  keyPatience: setting("ORCH_PLANE_KEY_PATIENCE", Duration.minutes(10), duration("0 millis", "7 days")),
  concurrency: setting("ORCH_PLANE_CONCURRENCY", 8, integer(1, 256)),
  urgentAfter: setting("ORCH_PLANE_URGENT_AFTER", Duration.minutes(10), duration("0 millis", "1 days")),
  comments: setting("ORCH_PLANE_COMMENTS", "joined", oneOf("joined", "each")),
  onConflict: setting("ORCH_PLANE_ON_CONFLICT", "respect", oneOf("respect", "force"))
})
