import { Effect } from "effect"
import type { ItemId } from "../domain/Ids.js"
import { UserId } from "../domain/Ids.js"
import type { StateId } from "../domain/StageStates.js"
import type { Ask, Exchange } from "./Exchange.js"
import type { PathFamily } from "./PathFamily.js"
import type { PlaneError } from "./PlaneError.js"
import type { Slot } from "./RateBudget.js"
import * as Wire from "./Wire.js"
import type { WorkItem } from "./WorkItem.js"
import { isSameId, stateIdOf, toWorkItem } from "./WorkItem.js"

/** A work item with who is assigned to it. */
export interface AssignedItem {
  readonly item: WorkItem
  readonly assignees: ReadonlyArray<UserId>
}

/** Changes of a work item itself. Plane saves its whole row with each of them. */
export interface Changes {
  readonly setState: (id: ItemId, stateId: StateId, slot?: Slot) => Effect.Effect<WorkItem, PlaneError>
  readonly readAssigned: (id: ItemId, slot?: Slot) => Effect.Effect<AssignedItem, PlaneError>
  readonly assign: (
    id: ItemId,
    change: { readonly assignees: ReadonlyArray<UserId>; readonly state?: StateId | undefined },
    slot?: Slot
  ) => Effect.Effect<AssignedItem, PlaneError>
}

const toAssigned = (json: typeof Wire.WorkItemJson.Type): AssignedItem => ({
  item: toWorkItem(json),
  assignees: (json.assignees ?? []).map((id) => UserId(id.toLowerCase()))
})

export const makeChanges = (exchange: Exchange, family: PathFamily, project: () => ReadonlyArray<string>): Changes => {
  // Nothing but what is to change: the answer to an unknown field is 200, and `sequence_id` could be overwritten.
  const patch = (
    id: ItemId,
    body: { readonly assignees?: ReadonlyArray<UserId>; readonly state?: StateId | undefined },
    slot?: Slot
  ) =>
    family.run((name, slot) => {
      const ask: Ask = { method: "PATCH", path: [...project(), name, id], body }
      return Effect.filterOrFail(
        exchange.sendAbout(id, ask, Wire.WorkItemJson, slot),
        (json) => body.state === undefined || isSameId(stateIdOf(json), body.state),
        (json) =>
          exchange.failure(ask, {
            reason: "Ignored",
            sent: "answered",
            words: `asked for the state ${body.state}, it is ${stateIdOf(json) ?? "none"}`,
            status: 200
          })
      )
    }, slot)

  /** A Plane that does not tell who is assigned must not be told either: it would replace all. */
  const withAssignees = (ask: Ask, json: typeof Wire.WorkItemJson.Type) =>
    json.assignees === undefined
      ? exchange.failure(ask, {
        reason: "Ignored",
        sent: "answered",
        words: "the answer does not tell who is assigned",
        status: 200
      })
      : Effect.succeed(toAssigned(json))

  return {
    setState: Effect.fn("PlaneClient.setState")((id: ItemId, state: StateId, slot?: Slot) =>
      Effect.map(patch(id, { state }, slot), toWorkItem)
    ),
    readAssigned: Effect.fn("PlaneClient.readAssigned")((id: ItemId, slot?: Slot) =>
      family.run((name, slot) => {
        const ask: Ask = { method: "GET", path: [...project(), name, id], query: Wire.assignedQuery }
        return Effect.flatMap(
          exchange.sendAbout(id, ask, Wire.WorkItemJson, slot),
          (json) => withAssignees(ask, json)
        )
      }, slot)
    ),
    assign: Effect.fn("PlaneClient.assign")((
      id: ItemId,
      { assignees, state }: { readonly assignees: ReadonlyArray<UserId>; readonly state?: StateId | undefined },
      slot?: Slot
    ) => Effect.map(patch(id, { ...state === undefined ? {} : { state }, assignees }, slot), toAssigned))
  }
}
