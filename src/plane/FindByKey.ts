import { Duration, Effect, Option } from "effect"
import type { MonotonicMillis } from "../base/Time.js"
import { monotonicMillis } from "../base/Time.js"
import type { ItemId } from "../domain/Ids.js"
import { keyIn } from "../domain/Project.js"
import type { WorkItemKey } from "../domain/WorkItemKey.js"
import type { CurrentProject } from "./CurrentProject.js"
import type { Ask, Exchange } from "./Exchange.js"
import { aboutAnother } from "./Exchange.js"
import { placeOf } from "./Locate.js"
import type { PathFamily } from "./PathFamily.js"
import type { ListUnread } from "./PlaneError.js"
import { AmbiguousName, PlaneError, UnknownProject, WorkItemNotFound } from "./PlaneError.js"
import type { Slot } from "./RateBudget.js"
import * as Wire from "./Wire.js"
import type { WorkItem } from "./WorkItem.js"
import { isSameId, toWorkItem } from "./WorkItem.js"
import type { FindInList } from "./WorkItemList.js"

/** Why a key is not found. */
export type FindError = PlaneError | WorkItemNotFound | AmbiguousName | UnknownProject | ListUnread

// More than any search for a key gives, so that what is beyond never decides.
const searchLimit = 1_000

const isMissing = (error: { readonly _tag: string; readonly reason?: string }) =>
  error._tag === "PlaneError" && error.reason === "NotFound"

/** Plane's words for a path that it does not have, and not for one behind which nothing is. */
const isUnknownEndpoint = (error: unknown) =>
  error instanceof PlaneError && Option.contains(error.status, 404) && error.words === "Page not found."

/** How long an endpoint that this Plane does not have is not asked for again: it may be upgraded. */
const missingFor = Duration.toMillis("1 hour")

/**
 * Asks an endpoint that older versions do not have, or goes another way. That it is missing is kept only if the other
 * way shows that the address is right.
 */
const makeEndpoint = () => {
  let missingSince: MonotonicMillis | undefined
  return <A, E extends { readonly _tag: string }, A2, E2 extends { readonly _tag: string }>(
    ask: (slot?: Slot) => Effect.Effect<A, E>,
    otherwise: (slot?: Slot) => Effect.Effect<A2, E2>,
    slot?: Slot
  ): Effect.Effect<A | A2, E | E2> =>
    Effect.flatMap(monotonicMillis, (now) => {
      if (missingSince !== undefined && now - missingSince < missingFor) return otherwise(slot)
      const keep = Effect.sync(() => {
        missingSince = now
      })
      return Effect.catchIf(ask(slot), isUnknownEndpoint, () =>
        Effect.tapBoth(otherwise(), {
          onSuccess: () => keep,
          onFailure: (error) => error._tag === "PlaneError" ? Effect.void : keep
        }))
    })
}

/** `PlaneClient.find`: by the number, by the names that carry the key, and which of them first. */
export const makeFindByKey = (
  { current, exchange, family, inList, read }: {
    readonly current: CurrentProject["Type"]
    readonly exchange: Exchange
    readonly family: PathFamily
    readonly read: (id: ItemId) => Effect.Effect<WorkItem, PlaneError>
    readonly inList: FindInList
  }
) => {
  const { config, identifiers, project } = current
  const { names } = project
  const workspace = ["workspaces", config.workspaceSlug]
  const isOurs = (id: string) => isSameId(id, placeOf(current).id)
  const byNumberOr = makeEndpoint()
  const bySearchOr = makeEndpoint()

  const byNumber = (key: WorkItemKey, slot?: Slot) =>
    family.run((name, slot) => {
      const ask: Ask = {
        method: "GET",
        path: [...workspace, name, key.canonical],
        query: Wire.workItemQuery
      }
      return exchange.send(ask, Wire.WorkItemJson, slot).pipe(
        Effect.filterOrFail(
          ({ sequence_id }) => sequence_id === key.number,
          ({ sequence_id }) => exchange.failure(ask, aboutAnother(sequence_id, "answered"))
        ),
        Effect.filterOrFail(
          (json) => isOurs(json.project),
          // Everything else goes to the project's id, so the work item would never be found again.
          (json) =>
            exchange.failure(ask, {
              reason: "WrongAddress",
              sent: "answered",
              headline: `${key.canonical} belongs to another project than the one with the id ` +
                `${placeOf(current).id}: check ${names.identifier}${names.id === undefined ? "" : ` and ${names.id}`}`,
              words: `"project": ${JSON.stringify(json.project)}`,
              status: 200
            })
        ),
        Effect.mapError((error) =>
          error.reason === "PermissionDenied" && Option.isNone(error.headline)
            ? exchange.failure(ask, {
              reason: error.reason,
              sent: error.sent,
              headline: `the workspace ${config.workspaceSlug} has no project with the identifier ` +
                `${project.identifier}, or the API token's user is not in it: check ${names.identifier}`,
              words: error.words,
              status: Option.getOrUndefined(error.status)
            })
            : error
        )
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
          project_id: placeOf(current).id,
          limit: String(searchLimit),
          fields: "id,name,sequence_id,project_id"
        }
      }),
      slot
    )
    const items = issues.filter((issue) => isOurs(issue.project_id) && key.isNamedIn(issue.name))
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

  const byName = Effect.fnUntraced(function*(key: WorkItemKey, slot?: Slot) {
    for (const item of yield* searchNames(key, slot)) return Option.some(yield* read(item.id))
    return Option.none()
  })

  return Effect.fn("PlaneClient.find")(
    function*(key: WorkItemKey, slot?: Slot): Effect.fn.Return<WorkItem, FindError> {
      if (key.identifier !== project.identifier) {
        return yield* new UnknownProject({ key: key.written, known: identifiers, setting: names.identifier })
      }
      const notFound = new WorkItemNotFound({ key: key.written })
      const listed = (slot?: Slot) => inList(key, slot)
      const numbered = (slot?: Slot) => byNumberOr((slot) => byNumber(key, slot), listed, slot)
      const named = (slot?: Slot) =>
        bySearchOr((slot) => byName(key, slot), (slot) => Effect.asSome(listed(slot)), slot)
      const found = key.zeros
        ? Effect.flatMap(named(slot), Option.match({ onNone: () => numbered(), onSome: Effect.succeed }))
        : Effect.catchIf(
          numbered(slot),
          isMissing,
          () => Effect.flatMap(named(), Option.match({ onNone: () => notFound, onSome: Effect.succeed }))
        )
      return yield* Effect.catchIf(found, isMissing, () => notFound)
    }
  )
}
