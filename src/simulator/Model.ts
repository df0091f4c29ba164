/**
 * What the simulator remembers: mutable records, because Plane's rows are mutable too. Nothing outside the simulator
 * sees them.
 */

import type { ClockMillis, PlaneMicros } from "./Moment.js"

/** What somebody is in a project. */
export type ProjectRole = "admin" | "member" | "guest"

/** What somebody is in the workspace. */
export type Role = ProjectRole | "outsider"

export interface User {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly role: Role
}

export type StateGroup = "backlog" | "unstarted" | "started" | "completed" | "cancelled" | "triage"

export interface State {
  readonly id: string
  name: string
  group: StateGroup
  readonly color: string
  readonly sequence: number
  readonly isDefault: boolean
  readonly createdAt: PlaneMicros
}

export interface Label {
  readonly id: string
  readonly project: Project
  name: string
  color: string
  description: string
  readonly sortOrder: number
  externalSource: string | null
  externalId: string | null
  readonly createdBy: User
  updatedBy: User | null
  readonly createdAt: PlaneMicros
  updatedAt: PlaneMicros
}

export interface Link {
  readonly id: string
  /** That of the path by which it was made, which need not be the item's. */
  readonly project: Project
  readonly item: WorkItem
  url: string
  title: string | null
  /** What Plane's worker found at the address. */
  metadata: Readonly<Record<string, string | null>>
  createdBy: User | null
  updatedBy: User | null
  readonly createdAt: PlaneMicros
  updatedAt: PlaneMicros
}

export interface WorkItem {
  readonly id: string
  readonly project: Project
  number: number
  name: string
  descriptionHtml: string
  priority: string
  startDate: string | null
  targetDate: string | null
  state: State
  readonly sortOrder: number
  externalSource: string | null
  externalId: string | null
  readonly createdBy: User
  updatedBy: User | null
  readonly createdAt: PlaneMicros
  updatedAt: PlaneMicros
  completedAt: PlaneMicros | null
  archivedAt: PlaneMicros | null
  deleted: boolean
  assignees: ReadonlyArray<User>
  labels: ReadonlyArray<Label>
  /** Who made it or was ever assigned to it. */
  readonly subscribers: Set<User>
  /** In the order of insertion, deleted ones removed. */
  readonly comments: Array<Comment>
  readonly stateChanges: Array<StateChange>
  /** What was done to it, the oldest first. */
  readonly activities: Array<Activity>
}

/** A line of a work item's history. */
export interface Activity {
  readonly id: string
  readonly at: PlaneMicros
  readonly verb: "created" | "updated"
  readonly field: string | null
  /** What people read: of a state its name. */
  readonly oldValue: string | null
  readonly newValue: string | null
  /** Ids, of what has one. */
  readonly oldId: string | null
  readonly newId: string | null
  readonly actor: User
}

export interface StateChange {
  readonly at: ClockMillis
  readonly from: { readonly id: string; readonly name: string }
  readonly to: { readonly id: string; readonly name: string }
  /** Display name of the user who moved it. */
  readonly by: string
}

export interface Comment {
  readonly id: string
  readonly descriptionId: string
  readonly item: WorkItem
  html: string
  access: string
  externalSource: string | null
  externalId: string | null
  /** `created_by`, which the poster may set. */
  readonly author: User
  /** The user whose API token or session posted it. */
  readonly actor: User
  updatedBy: User | null
  readonly createdAt: PlaneMicros
  updatedAt: PlaneMicros
  /** Set by an edit in the web page only. */
  editedAt: PlaneMicros | null
}

export interface Project {
  readonly id: string
  /** A person may change it; the keys of all its work items change with it. */
  identifier: string
  readonly name: string
  readonly createdAt: PlaneMicros
  archivedAt: PlaneMicros | null
  updatedBy: User | null
  /** In Plane's order. A triage state is never listed and never accepted. */
  readonly states: Map<string, State>
  /** The states that a person took away, so that they can be restored. */
  readonly removedStates: Map<string, State>
  readonly items: Map<string, WorkItem>
  /** More than one item can have a number: `sequence_id` is writable through the API. */
  readonly byNumber: Map<number, Array<WorkItem>>
  /** Comments by (external_source, external_id). Two can share a pair: Plane's check is not atomic. */
  readonly commentPairs: Map<string, Array<Comment>>
  readonly itemPairs: Map<string, WorkItem>
  readonly labels: Map<string, Label>
  readonly links: Map<string, Link>
  lastNumber: number
}

export const owner: User = {
  id: "3c1f0c7e-52a4-4b0f-9d4e-6a7c1d5e0b01",
  name: "olga",
  email: "olga@plane.test",
  role: "admin"
}

export const bot: User = {
  id: "3c1f0c7e-52a4-4b0f-9d4e-6a7c1d5e0b02",
  name: "plane-sync",
  email: "plane-sync@plane.test",
  role: "member"
}

export const guest: User = {
  id: "3c1f0c7e-52a4-4b0f-9d4e-6a7c1d5e0b03",
  name: "gustav",
  email: "gustav@plane.test",
  role: "guest"
}

export const outsider: User = {
  id: "3c1f0c7e-52a4-4b0f-9d4e-6a7c1d5e0b04",
  name: "otto",
  email: "otto@plane.test",
  role: "outsider"
}

/** Was deactivated, and is no member of anything any more. */
export const deactivated: User = {
  id: "3c1f0c7e-52a4-4b0f-9d4e-6a7c1d5e0b05",
  name: "dora",
  email: "dora@plane.test",
  role: "outsider"
}

export const users: ReadonlyMap<string, User> = new Map(
  [owner, bot, guest, outsider, deactivated].map((user) => [user.id, user])
)
