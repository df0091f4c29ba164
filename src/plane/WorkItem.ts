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
  readonly stateId: StateId | null
  /** backlog, unstarted, started, completed or cancelled; null where Plane did not tell. */
  readonly stateGroup: string | null
  /** When Plane last changed it. */
  readonly updatedAt: PlaneMoment
  /** Who has made that change, where Plane tells. */
  readonly updatedBy?: UserId
}

type Json = typeof WorkItemJson.Type

/** The state's id, which Plane answers alone or with its group. */
export const stateIdOf = ({ state }: Json): StateId | null =>
  typeof state === "string" || state === null ? state : state.id

export const toWorkItem = (json: Json): WorkItem => ({
  id: json.id,
  number: json.sequence_id,
  name: json.name,
  stateId: stateIdOf(json),
  stateGroup: typeof json.state === "string" || json.state === null ? null : json.state.group,
  updatedAt: json.updated_at,
  ...(json.updated_by === undefined || json.updated_by === null ? {} : { updatedBy: UserId(json.updated_by) })
})

/** Whether two ids of Plane are the same: people and settings write uuids in either case. */
export const isSameId = (one: string | null, other: string): boolean => one?.toLowerCase() === other.toLowerCase()
