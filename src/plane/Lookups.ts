import { Effect, Option, Schema } from "effect"
import type { CurrentProject } from "./CurrentProject.js"
import type { Exchange } from "./Exchange.js"
import type { PlaneError } from "./PlaneError.js"

/** The ways in which a Plane finds a work item by its key. Without either, the list of all is read. */
export interface Lookups {
  /** The name that paths to work items have. */
  readonly family: "work-items" | "issues"
  readonly byNumber: boolean
  readonly bySearch: boolean
}

const isUnknownPath = ({ reason, status }: PlaneError) => reason === "WrongAddress" && Option.contains(status, 404)

const isThere = (error: PlaneError) => error.reason === "NotFound" || error.reason === "PermissionDenied"

const Any = Schema.parseJson(Schema.Unknown)

/** Asks which ways there are, by a key that need not exist: at most three requests. */
export const askLookups = (
  { config: { workspaceSlug }, project: { identifier } }: CurrentProject["Type"],
  exchange: Exchange
): Effect.Effect<Lookups, PlaneError> => {
  const has = (path: ReadonlyArray<string>, query: Readonly<Record<string, string>>) =>
    exchange.send({ method: "GET", path: ["workspaces", workspaceSlug, ...path], query }, Any).pipe(
      Effect.as(true),
      Effect.catchAll((error) =>
        isUnknownPath(error) ? Effect.succeed(false) : isThere(error) ? Effect.succeed(true) : error
      )
    )
  const key = `${identifier}-1`
  const numbered = (family: Lookups["family"]) => has([family, key], { fields: "id" })
  const searched = (family: Lookups["family"]) => has([family, "search"], { search: key, limit: "1" })
  return Effect.gen(function*() {
    if (yield* numbered("work-items")) {
      return { family: "work-items", byNumber: true, bySearch: yield* searched("work-items") }
    }
    return { family: "issues", byNumber: yield* numbered("issues"), bySearch: yield* searched("issues") }
  })
}
