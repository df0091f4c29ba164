import type { Schema } from "effect"
import { Effect, Option } from "effect"
import type { Ask, Exchange } from "./Exchange.js"
import type { PlaneError } from "./PlaneError.js"
import type { Slot } from "./RateBudget.js"

// The same views under two names: Plane has the first since 1.1.0 and has deprecated the second.
const families = ["work-items", "issues"] as const

/** The name that paths to work items have in one version of Plane. */
export type Family = (typeof families)[number]

/** Sends to the family of paths that this Plane knows. */
export interface PathFamily {
  /**
   * Runs `send` for the family that is known, with the slot; if Plane does not know the path, once more for the other.
   */
  readonly run: <A>(
    send: (family: Family, slot: Slot | undefined) => Effect.Effect<A, PlaneError>,
    slot?: Slot
  ) => Effect.Effect<A, PlaneError>
  /** `run` for a request that is sent as it is. */
  readonly send: <A, I>(
    schema: Schema.Schema<A, I>,
    ask: (family: Family) => Ask,
    slot?: Slot
  ) => Effect.Effect<A, PlaneError>
}

// Answers of Plane about the work item itself: it knows the path.
const knowsPath: ReadonlySet<PlaneError["reason"]> = new Set(["NotFound", "Refused", "Ignored"])

const isUnknownPath = (error: PlaneError) => error.reason === "WrongAddress" && Option.contains(error.status, 404)

/**
 * Which family a Plane knows is found out once, by the first request that needs to know. Before each request it is made
 * sure that the project is `located`.
 */
export const makePathFamily = (exchange: Exchange, located: Effect.Effect<unknown, PlaneError>): PathFamily => {
  let family: Family = families[0]
  const run: PathFamily["run"] = (send, slot) =>
    Effect.flatMap(located, () => {
      const tried = family
      const other = tried === families[0] ? families[1] : families[0]
      const remember = Effect.sync(() => {
        family = other
      })
      return send(tried, slot).pipe(
        Effect.catchIf(isUnknownPath, (first) =>
          send(other, undefined).pipe(
            Effect.tapBoth({
              onSuccess: () => remember,
              onFailure: (error) => knowsPath.has(error.reason) ? remember : Effect.void
            }),
            // Neither is known: the answer for the family that should be there tells more.
            Effect.catchIf(isUnknownPath, () => first)
          ))
      )
    })
  return {
    run,
    send: (schema, ask, slot) => run((family, mine) => exchange.send(ask(family), schema, mine), slot)
  }
}
