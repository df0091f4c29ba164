import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Body from "./Body.js"
import type { Request } from "./Http.js"
import type { Route } from "./Router.js"
import type { Store } from "./Store.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

const When = Schema.Literal("before", "after")

/** Which requests a fault meets. A field that is left out matches everything. */
export const FaultMatch = Schema.Struct({
  method: optional(Schema.String),
  /** A part of the path. */
  path: optional(Schema.String),
  /** A work item's uuid. Matches requests under its path and look-ups of its identifier. */
  workItem: optional(Schema.String),
  /** The view. GET `identifier` and `search` find, GET and PATCH `item` read and move, POST `comments` comments. */
  kind: optional(Schema.Literal(
    "me",
    "projects",
    "project",
    "members",
    "states",
    "state",
    "items",
    "item",
    "comments",
    "comment",
    "identifier",
    "activities",
    "search"
  )),
  /** A part of the sent comment's HTML, or of the whole body if it has no `comment_html`. */
  text: optional(Schema.String)
})
export type FaultMatch = typeof FaultMatch.Type

const common = {
  match: optional(FaultMatch),
  /** How many matching requests it meets. Left out: all until `calm`. */
  count: optional(Schema.Int.pipe(Schema.positive()))
}

const Millis = Schema.NonNegative

const single = [
  Schema.TaggedStruct("Down", common),
  Schema.TaggedStruct("Silent", { ...common, when: optional(When) }),
  Schema.TaggedStruct("ByteByByte", { ...common, everyMillis: Millis }),
  Schema.TaggedStruct("Status", {
    ...common,
    status: Schema.Int.pipe(Schema.between(200, 599)),
    when: optional(When),
    body: optional(Schema.String),
    /** Answer as a proxy does, in HTML. */
    html: optional(Schema.Boolean),
    headers: optional(Schema.Record({ key: Schema.String, value: Schema.String }))
  }),
  Schema.TaggedStruct("Reset", { ...common, when: Schema.Literal("before", "after", "midBody") }),
  Schema.TaggedStruct("Truncated", common),
  Schema.TaggedStruct("TooMany", { ...common, retryAfter: optional(Schema.String) }),
  Schema.TaggedStruct("ApplyLate", { ...common, afterMillis: Millis }),
  Schema.TaggedStruct("EmptyOk", { ...common, when: optional(When) }),
  Schema.TaggedStruct("NoId", common),
  Schema.TaggedStruct("IgnoreState", common)
] as const

const Single = Schema.Union(...single)

const RandomFault = Schema.TaggedStruct("Random", {
  ...common,
  /** From 0 to 1, drawn for each matching request. */
  probability: Schema.Number.pipe(Schema.between(0, 1)),
  /** One of these is drawn, each as likely as the others. Their own `match` and `count` are ignored. */
  faults: Schema.NonEmptyArray(Single),
  seed: optional(Schema.Int)
})

/** The schema of `Fault`, for the control API. */
export const FaultSchema = Schema.Union(...single, RandomFault)

/**
 * How Plane is to misbehave for the requests that `match` names (default: all), `count` times (default: until `calm`).
 * "before" is before the request has done anything, "after" is after it was applied.
 *
 * - `Down`: the connection is dropped at once, nothing is read
 * - `Silent`: accepted and never answered (`when`: "before")
 * - `ByteByByte`: applied; the body comes a byte every `everyMillis`
 * - `Status`: that status (`when`: "before"), as `{"error": …}`, `body` or `html`
 * - `Reset`: the connection is reset, before or after applying, or in the middle of the answer's body
 * - `Truncated`: applied; half of the JSON, with a length that agrees
 * - `TooMany`: 429 and nothing written, with `Retry-After` if given
 * - `ApplyLate`: checked now, inserted `afterMillis` later, then answered, whether or not anybody still listens
 * - `EmptyOk`: 200 and no body (`when`: "before")
 * - `NoId`: applied; the answer has no `id`
 * - `IgnoreState`: a PATCH is answered 200 with the old state and changes nothing
 * - `Random`: one of `faults` with `probability`, from `seed`
 *
 * @example
 * ```ts
 * import { Fault } from "plane-sync/simulator"
 *
 * Fault.Status({ status: 502, when: "after", count: 1, match: { method: "POST", kind: "comments" } })
 * // Only comments that carry this word are refused.
 * Fault.Status({ status: 400, match: { method: "POST", kind: "comments", text: "poison" } })
 * ```
 */
export type Fault = typeof FaultSchema.Type
export type SingleFault = typeof Single.Type

/** Constructors of the faults. */
export const Fault = Data.taggedEnum<Fault>()

interface Active {
  readonly fault: Fault
  left: number
  readonly random: Random.Random
}

export interface Faults {
  readonly add: (fault: Fault) => Effect.Effect<void>
  readonly clear: Effect.Effect<void>
  /** The fault that this request meets: the first active one that matches. */
  readonly meet: (request: Request, route: Route | undefined) => Effect.Effect<SingleFault | undefined>
}

/**
 * The text of a request that `text` is looked for in. The JSON is parsed first, because it may escape any character.
 */
const textOf = (request: Request): string => {
  const parsed = Body.parse(request)
  const html = Either.isRight(parsed) ? parsed.right["comment_html"] : undefined
  return typeof html === "string" ? html : request.body
}

/** Whether a request is one of those that `match` names. */
export const matches = (
  match: FaultMatch | undefined,
  request: Request,
  route: Route | undefined,
  store: Store
): boolean => {
  if (match === undefined) return true
  if (match.method !== undefined && match.method.toUpperCase() !== request.method) return false
  if (match.path !== undefined && !request.path.includes(match.path)) return false
  if (match.kind !== undefined && match.kind !== route?.kind) return false
  if (match.text !== undefined && !textOf(request).includes(match.text)) return false
  if (match.workItem === undefined || match.workItem === route?.itemId) return true
  if (route?.kind !== "identifier") return false
  const numbered = store.projectByIdentifier(route.prefix)?.byNumber.get(Number(route.number)) ?? []
  return numbered.some((item) => item.id === match.workItem)
}

export const make = (seed: number, store: Store): Faults => {
  let active: Array<Active> = []
  return {
    add: (fault) =>
      Effect.sync(() => {
        active.push({
          fault,
          left: fault.count ?? Infinity,
          random: Random.make(fault._tag === "Random" ? fault.seed ?? seed : seed)
        })
      }),
    clear: Effect.sync(() => {
      active = []
    }),
    meet: (request, route) => {
      if (active.length === 0) return Effect.succeed(undefined)
      return Effect.gen(function*() {
        for (const entry of active) {
          if (entry.left <= 0 || !matches(entry.fault.match, request, route, store)) continue
          if (entry.fault._tag !== "Random") {
            entry.left -= 1
            return entry.fault
          }
          const { faults, probability } = entry.fault
          if ((yield* entry.random.next) >= probability) continue
          entry.left -= 1
          return faults[yield* entry.random.nextIntBetween(0, faults.length)]
        }
        return undefined
      })
    }
  }
}
