import { Effect } from "effect"
import { ItemId } from "../domain/Ids.js"
import type { Project } from "../domain/Project.js"
import { keyIn } from "../domain/Project.js"
import type { WorkItemKey } from "../domain/WorkItemKey.js"
import type { Ask, Exchange } from "./Exchange.js"
import type { PathFamily } from "./PathFamily.js"
import type { PlaneConfig } from "./PlaneConfig.js"
import type { PlaneError } from "./PlaneError.js"
import { AmbiguousName, UnknownProject, WorkItemNotFound } from "./PlaneError.js"
import type { Slot } from "./RateBudget.js"
import * as Wire from "./Wire.js"
import type { WorkItem } from "./WorkItem.js"
import { isSameId, toWorkItem } from "./WorkItem.js"

/** Why a key is not found. */
export type FindError = PlaneError | WorkItemNotFound | AmbiguousName | UnknownProject

// More than any search for a key gives, so that what is beyond never decides.
const searchLimit = 1_000

const isMissing = (error: { readonly _tag: string; readonly reason?: string }) =>
  error._tag === "PlaneError" && error.reason === "NotFound"

/** `PlaneClient.find`: by the number, by the names that carry the key, and which of them first. */
export const makeFindByKey = (
  { config, exchange, family, project, read }: {
    readonly config: PlaneConfig
    readonly project: Project
    readonly exchange: Exchange
    readonly family: PathFamily
    readonly read: (id: ItemId) => Effect.Effect<WorkItem, PlaneError>
  }
) => {
  const workspace = ["workspaces", config.workspaceSlug]

  const byNumber = (key: WorkItemKey, slot?: Slot) =>
    family.run((name, slot) => {
      const ask: Ask = {
        method: "GET",
        path: [...workspace, name, key.canonical],
        query: Wire.workItemQuery
      }
      return Effect.filterOrFail(
        exchange.send(ask, Wire.WorkItemJson, slot),
        (json) => isSameId(json.project, project.id),
        // Everything else goes to the project's id, so the work item would never be found again.
        (json) =>
          exchange.failure(ask, {
            reason: "WrongAddress",
            sent: "answered",
            words: `${key.canonical} belongs to the project ${json.project}, but the one set is ${project.id}`,
            status: 200
          })
      )
    }, slot).pipe(Effect.map(toWorkItem))

  const searchNames = Effect.fnUntraced(function*(key: WorkItemKey, slot?: Slot) {
    const { issues } = yield* family.send(
      Wire.SearchJson,
      (name) => ({
        method: "GET",
        path: [...workspace, name, "search"],
        query: {
          search: key.written,
          project_id: project.id,
          limit: String(searchLimit),
          fields: "id,name,sequence_id,project_id"
        }
      }),
      slot
    )
    const items = issues.filter((issue) => isSameId(issue.project_id, project.id) && key.isNamedIn(issue.name))
    const more = issues.length >= searchLimit
    if (items.length > 1 || more) {
      return yield* new AmbiguousName({
        key: key.written,
        items: items.map(({ id, name, sequence_id }) => ({
          id,
          name,
          key: keyIn(project, sequence_id)
        })),
        more
      })
    }
    return items
  })

  const byName = Effect.fnUntraced(
    function*<E>(key: WorkItemKey, otherwise: Effect.Effect<WorkItem, E>, slot?: Slot) {
      for (const item of yield* searchNames(key, slot)) return yield* read(ItemId(item.id))
      return yield* otherwise
    }
  )

  return Effect.fn("PlaneClient.find")(
    function*(key: WorkItemKey, slot?: Slot): Effect.fn.Return<WorkItem, FindError> {
      if (key.identifier !== project.identifier) {
        return yield* new UnknownProject({ key: key.written, known: project.identifier })
      }
      const notFound = new WorkItemNotFound({ key: key.written })
      const found = key.zeros
        ? byName(key, byNumber(key), slot)
        : Effect.catchIf(byNumber(key, slot), isMissing, () => byName(key, notFound))
      return yield* Effect.catchIf(found, isMissing, () => notFound)
    }
  )
}
