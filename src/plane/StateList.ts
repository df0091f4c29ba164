import { Effect } from "effect"
import type { PlaneState } from "../domain/StageStates.js"
import type { Exchange } from "./Exchange.js"
import type { PlaneError } from "./PlaneError.js"
import { StatesJson } from "./Wire.js"

// Plane Cloud allows 100 at most.
const pageSize = 100

/**
 * The states of the project at this path: `mostPages` of a hundred at most, each by one request, because a list without
 * an end would cost the whole budget. An archived project shows none.
 */
export const listStates = (
  exchange: Exchange,
  project: ReadonlyArray<string>,
  mostPages: number
): Effect.Effect<ReadonlyArray<PlaneState>, PlaneError> =>
  Effect.gen(function*() {
    const found: Array<PlaneState> = []
    let cursor: string | undefined
    for (let pages = 0; pages < mostPages; pages++) {
      const page: typeof StatesJson.Type = yield* exchange.send({
        method: "GET",
        path: [...project, "states"],
        query: {
          fields: "id,name,group,sequence",
          per_page: String(pageSize),
          ...(cursor === undefined ? {} : { cursor })
        }
      }, StatesJson)
      found.push(...page.results)
      if (!page.next_page_results || page.next_cursor === cursor) break
      cursor = page.next_cursor
    }
    return found
  }).pipe(Effect.withSpan("PlaneClient.states"))
