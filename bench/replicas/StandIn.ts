import { Effect, Schema } from "effect"
import type { Scope } from "effect"
import { caller } from "../Caller.js"
import { freePort } from "../Port.js"
import { startService } from "../ServiceProcess.js"
import { tokenOf } from "./Destinations.js"

const Told = Schema.parseJson(Schema.Struct({ comments: Schema.Number, lastAt: Schema.Number }))
const Released = Schema.parseJson(Schema.Struct({ at: Schema.Number }))
const Senders = Schema.parseJson(Schema.Record({
  key: Schema.String,
  value: Schema.Struct({ process: Schema.NumberFromString, since: Schema.Number })
}))

/** The stand-in for Plane (`StandInMain.ts`) in a separate process. Moments are milliseconds since 1970. */
export interface StandIn {
  readonly url: string
  /** From now on it takes requests and answers none. */
  readonly hold: Effect.Effect<void, unknown>
  /** Answers what it holds, and everything from now on. Returns when that was. */
  readonly release: Effect.Effect<number, unknown>
  /** Waits until it has so many comments, of one project or of all, and returns when the last one came. */
  readonly told: (comments: number, project?: number) => Effect.Effect<number, unknown>
  /** The process that sends for a project, and since when. Undefined if there was none. */
  readonly senderOf: (
    project: number
  ) => Effect.Effect<{ readonly process: number; readonly since: number } | undefined, unknown>
}

/** How long a test waits for comments at most, in seconds. */
const patience = 120

/** Starts it; it ends with the scope. */
export const startStandIn: Effect.Effect<StandIn, unknown, Scope.Scope> = Effect.gen(function*() {
  const port = yield* freePort
  yield* startService({ script: "bench/replicas/StandInMain.js", args: [String(port)], port })
  const call = yield* caller(port, { patience })
  const ask = <A, I>(method: "GET" | "POST", path: string, schema: Schema.Schema<A, I>) =>
    Effect.flatMap(call({ method, path: `/stand-in/${path}` }), ({ text }) => Schema.decodeUnknown(schema)(text))
  return {
    url: `http://127.0.0.1:${port}`,
    hold: Effect.asVoid(ask("POST", "hold", Schema.Unknown)),
    release: Effect.map(ask("POST", "release", Released), ({ at }) => at),
    told: (comments, project) => {
      const token = project === undefined ? "" : `&token=${tokenOf(project)}`
      return Effect.map(ask("GET", `told?comments=${comments}${token}`, Told), ({ lastAt }) => lastAt)
    },
    senderOf: (project) => Effect.map(ask("GET", "senders", Senders), (senders) => senders[tokenOf(project)])
  }
})
