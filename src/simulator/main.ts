import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { parseArgs } from "node:util"
import { guide } from "./Guide.js"
import { enduroTrails, projectsLike } from "./Options.js"
import type { PlaneSimulatorOptions } from "./PlaneSimulator.js"
import { PlaneSimulator, SimulatorError } from "./PlaneSimulator.js"
import { PlaneVersion } from "./Version.js"

/**
 * The simulator as a separate process. When it listens, it prints one line of JSON, `{"url", "token"}`. It serves until
 * SIGTERM.
 */

const help = `A simulated Plane. Prints {"url","token"} when it listens, and serves until it is ended.
\`npm run simulator\` is this with --guide.

  npm run simulator -- --port 8091

  --plane VERSION           which Plane it is: 0.27, 1.0, 1.3 or 1.4 (1.3)
  --port N                  where it listens on 127.0.0.1; without it, any free port
  --workspace SLUG          its workspace
  --projects A,B            further projects beside ET, by their identifiers
  --limit N|off             requests an API token may send in a window (60)
  --window-millis N         the window (60000)
  --latency-millis N        how long it takes to answer (0)
  --insert-delay-millis N   how long it takes to insert a comment once it has checked it (0)
  --saving-millis N         how long it takes to save a whole row that it has read (0)
  --webhook-url URL         where it delivers its webhooks; none without it
  --webhook-secret SECRET   what it signs them with (plane_wh_simulator)
  --webhook-delay-millis N  how long each waits before it is sent (0)
  --webhook-retry-millis N  how long exactly it waits to repeat one; without it, a random time up to 600,000
  --record N|all            how many requests it remembers (all)
  --seed N                  for its ids and moments
  --guide                   starts with five work items, and says on standard error how to use it
  --kills                   for crash tests: kills whoever asks it to`

const Count = Schema.NumberFromString.pipe(Schema.int(), Schema.nonNegative())
const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

const Flags = Schema.Struct({
  "plane": optional(PlaneVersion),
  "port": optional(Count),
  "workspace": optional(Schema.String),
  "projects": optional(Schema.split(",")),
  "limit": optional(Schema.Union(Schema.Literal("off"), Count)),
  "window-millis": optional(Count),
  "insert-delay-millis": optional(Count),
  "saving-millis": optional(Count),
  "latency-millis": optional(Count),
  "webhook-url": optional(Schema.String),
  "webhook-secret": optional(Schema.String),
  "webhook-delay-millis": optional(Count),
  "webhook-retry-millis": optional(Count),
  "seed": optional(Count),
  "record": optional(Schema.Union(Schema.Literal("all"), Count)),
  "kills": optional(Schema.Boolean),
  "guide": optional(Schema.Boolean),
  "help": optional(Schema.Boolean)
})

const string = { type: "string" } as const

const given = Effect.try({
  try: () =>
    parseArgs({
      options: {
        "plane": string,
        "port": string,
        "workspace": string,
        "projects": string,
        "limit": string,
        "window-millis": string,
        "insert-delay-millis": string,
        "saving-millis": string,
        "latency-millis": string,
        "webhook-url": string,
        "webhook-secret": string,
        "webhook-delay-millis": string,
        "webhook-retry-millis": string,
        "seed": string,
        "record": string,
        "kills": { type: "boolean" },
        "guide": { type: "boolean" },
        "help": { type: "boolean" }
      }
    }).values,
  catch: (cause) =>
    new SimulatorError({ reason: "BadOption", detail: cause instanceof Error ? cause.message : String(cause), cause })
}).pipe(
  Effect.flatMap((values) => Schema.decodeUnknown(Flags)({ ...values })),
  Effect.catchTag(
    "ParseError",
    (error) =>
      new SimulatorError({
        reason: "BadOption",
        detail: ParseResult.ArrayFormatter.formatErrorSync(error)
          .map(({ message, path }) => `--${path.join(".")}: ${message}`).join("; "),
        cause: error
      })
  )
)

const options = (flags: typeof Flags.Type): PlaneSimulatorOptions => ({
  ...(flags.plane === undefined ? {} : { plane: flags.plane }),
  ...(flags.port === undefined ? {} : { port: flags.port }),
  ...(flags.workspace === undefined ? {} : { workspace: flags.workspace }),
  furtherProjects: projectsLike(enduroTrails, flags.projects ?? []),
  ...(flags.limit === "off"
    ? { rateLimit: flags.limit }
    : { rateLimit: { limit: flags.limit ?? 60, windowMillis: flags["window-millis"] ?? 60_000 } }),
  insertDelay: flags["insert-delay-millis"] ?? 0,
  saving: flags["saving-millis"] ?? 0,
  latency: flags["latency-millis"] ?? 0,
  ...(flags["webhook-url"] === undefined
    ? {}
    : {
      webhook: {
        url: flags["webhook-url"],
        secret: flags["webhook-secret"] ?? "plane_wh_simulator",
        delay: flags["webhook-delay-millis"] ?? 0,
        ...(flags["webhook-retry-millis"] === undefined ? {} : { retryAfter: flags["webhook-retry-millis"] })
      }
    }),
  ...(flags.seed === undefined ? {} : { seed: flags.seed }),
  record: flags.record ?? "all",
  kills: flags.kills ?? false
})

const announce = Effect.flatMap(PlaneSimulator, ({ token, url }) => Console.log(JSON.stringify({ url, token })))
const explain = Effect.flatMap(guide, (text) => Console.error(text))

const program = Effect.flatMap(given, (flags) =>
  flags.help === true
    ? Console.log(help)
    : Layer.launch(
      Layer.effectDiscard(Effect.zipRight(announce, Effect.when(explain, () => flags.guide === true))).pipe(
        Layer.provide(PlaneSimulator.layer(options(flags)))
      )
    ))

program.pipe(
  Effect.tapError(({ message }) => Console.error(`${message} (--help says what there is)`)),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
