import { Option } from "effect"
import { UserId } from "../domain/Ids.js"
import type { ItemId } from "../domain/Ids.js"
import type { PlaneMoment } from "../domain/PlaneMoment.js"
import type { StateId } from "../domain/StageStates.js"
import type { WorkItemJson } from "./Wire.js"

/** A work item, as far as this program needs it. */
export interface WorkItem {
  readonly id: ItemId
  readonly number: number
  readonly name: string
  readonly stateId: Option.Option<StateId>
  /** backlog, unstarted, started, completed or cancelled; none where Plane did not tell. */
  readonly stateGroup: Option.Option<string>
  /** When Plane last changed it, to the microsecond. */
  readonly updatedAt: PlaneMoment
  /** Who has made that change, where Plane tells. */
  readonly updatedBy: Option.Option<UserId>
}

type Json = typeof WorkItemJson.Type

/** The state's id, which Plane answers alone or with its group. */
export const stateIdOf = ({ state }: Json): StateId | null =>
  typeof state === "string" || state === null ? state : state.id

export const toWorkItem = (json: Json): WorkItem => ({
  id: json.id,
  number: json.sequence_id,
  name: json.name,
  stateId: Option.fromNullable(stateIdOf(json)),
  stateGroup: typeof json.state === "string" || json.state === null
    ? Option.none()
    : Option.fromNullable(json.state.group),
  updatedAt: json.updated_at,
  updatedBy: Option.map(Option.fromNullable(json.updated_by), (id) => UserId(id))
})

/** Whether two ids of Plane are the same: people and settings write uuids in either case. */
export const isSameId = (one: string | null, other: string): boolean => one?.toLowerCase() === other.toLowerCase()
