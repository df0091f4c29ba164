import { Effect, Option } from "effect"
import type { PlaneMoment } from "../domain/PlaneMoment.js"
import type { CurrentProject } from "./CurrentProject.js"
import type { Ask, Exchange } from "./Exchange.js"
import { aboutAnother } from "./Exchange.js"
import { placeOf, projectPath } from "./Locate.js"
import type { PathFamily } from "./PathFamily.js"
import type { PlaneError } from "./PlaneError.js"
import type { Slot } from "./RateBudget.js"
import * as Wire from "./Wire.js"
import type { WorkItem } from "./WorkItem.js"
import { isSameId, toWorkItem } from "./WorkItem.js"

/** A work item with what is asked for when it is read because it was changed. */
export interface ChangedItem extends WorkItem {
  readonly stateName: Option.Option<string>
  readonly createdAt: Option.Option<PlaneMoment>
}

/** A page of a list. `next` is the cursor of the page after it; none after the last. */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly all: boolean
  readonly next: Option.Option<string>
}

/** The list of the project's work items, in pages. One request each. */
export interface ItemPages {
  /** Those that were made last come first. */
  readonly newest: (cursor: string | undefined, slot?: Slot) => Effect.Effect<Page<WorkItem>, PlaneError>
  /** Those that were changed last come first. */
  readonly changed: (cursor: string | undefined, slot?: Slot) => Effect.Effect<Page<ChangedItem>, PlaneError>
}

/** What Plane Cloud allows at most. The community edition gives up to 1,000, and an answer ten times as large. */
export const pageSize = 100

type Json = typeof Wire.WorkItemsJson.Type["results"][number]

const toChangedItem = (json: Json): ChangedItem => ({
  ...toWorkItem(json),
  stateName: json.state === null || typeof json.state === "string"
    ? Option.none()
    : Option.fromNullable(json.state.name),
  createdAt: Option.fromNullable(json.created_at)
})

export const makeItemPages = (
  current: CurrentProject["Type"],
  exchange: Exchange,
  family: PathFamily
): ItemPages => {
  const page = <A>(
    query: Readonly<Record<string, string>>,
    toItem: (json: Json) => A,
    cursor: string | undefined,
    slot?: Slot
  ): Effect.Effect<Page<A>, PlaneError> =>
    family.run((name, slot) => {
      const ask: Ask = {
        method: "GET",
        path: [...projectPath(current), name],
        query: {
          ...Wire.workItemQuery,
          ...query,
          per_page: String(pageSize),
          ...(cursor === undefined ? {} : { cursor })
        }
      }
      return Effect.tap(exchange.send(ask, Wire.WorkItemsJson, slot), ({ results }) => {
        const other = results.find((each) => !isSameId(each.project, placeOf(current).id))
        return other === undefined ? Effect.void : exchange.failure(ask, aboutAnother(other.project, "answered"))
      })
    }, slot).pipe(
      Effect.map(({ next_cursor, next_page_results, results }) => ({
        items: results.map(toItem),
        all: !next_page_results,
        next: next_page_results ? Option.fromNullable(next_cursor) : Option.none()
      }))
    )

  return {
    newest: (cursor, slot) => page({ order_by: "-created_at" }, toWorkItem, cursor, slot),
    changed: Effect.fn("PlaneClient.changed")((cursor: string | undefined, slot?: Slot) =>
      page(
        { order_by: "-updated_at", fields: `${Wire.workItemQuery.fields},created_at` },
        toChangedItem,
        cursor,
        slot
      )
    )
  }
}
