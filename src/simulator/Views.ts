import type { JsonObject } from "./Http.js"
import type * as Model from "./Model.js"
import type { PlaneMicros } from "./Moment.js"

/** The JSON Plane shows of its rows, key for key in its order. */

/** A moment in Plane's form. Like Python, it leaves the fraction out if it is zero. */
export const moment = (micros: PlaneMicros): string => {
  const millis = Math.floor(micros / 1000)
  const text = new Date(millis).toISOString()
  const rest = micros - millis * 1000
  return micros % 1_000_000 === 0
    ? `${text.slice(0, 19)}Z`
    : `${text.slice(0, 23)}${String(rest).padStart(3, "0")}Z`
}

const momentOrNull = (micros: PlaneMicros | null): string | null => micros === null ? null : moment(micros)

export const user = (value: Model.User): JsonObject => ({
  id: value.id,
  first_name: value.name,
  last_name: "",
  email: value.email,
  avatar: "",
  avatar_url: null,
  display_name: value.name
})

export const stateLite = (state: Model.State): JsonObject => ({
  id: state.id,
  name: state.name,
  color: state.color,
  group: state.group
})

export const state = (value: Model.State, projectId: string, workspaceId: string, owner: Model.User): JsonObject => ({
  id: value.id,
  created_at: moment(value.createdAt),
  updated_at: moment(value.createdAt),
  deleted_at: null,
  name: value.name,
  description: "",
  color: value.color,
  slug: value.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-"),
  sequence: value.sequence,
  group: value.group,
  is_triage: false,
  default: value.isDefault,
  external_source: null,
  external_id: null,
  created_by: owner.id,
  updated_by: null,
  project: projectId,
  workspace: workspaceId
})

/** A label of a work item in a webhook. */
const labelLite = (value: Model.Label): JsonObject => ({ id: value.id, name: value.name, color: value.color })

export const label = (value: Model.Label, workspace: Workspace): JsonObject => ({
  id: value.id,
  created_at: moment(value.createdAt),
  updated_at: moment(value.updatedAt),
  deleted_at: null,
  name: value.name,
  description: value.description,
  color: value.color,
  sort_order: value.sortOrder,
  external_source: value.externalSource,
  external_id: value.externalId,
  created_by: value.createdBy.id,
  updated_by: value.updatedBy?.id ?? null,
  workspace: workspace.id,
  project: value.project.id,
  parent: null
})

export const projectLite = (project: Model.Project): JsonObject => ({
  id: project.id,
  identifier: project.identifier,
  name: project.name,
  cover_image: null,
  icon_prop: null,
  emoji: null,
  description: "",
  cover_image_url: null
})

export const project = (
  value: Model.Project,
  options: {
    readonly workspaceId: string
    readonly owner: Model.User
    readonly members: number
    /** The caller's role. Null if the caller is not in the project. */
    readonly role: number | null
    readonly listed: boolean
  }
): JsonObject => ({
  id: value.id,
  total_members: options.members,
  total_cycles: 0,
  total_modules: 0,
  is_member: options.role !== null,
  ...(options.listed ? { sort_order: options.role === null ? null : 65_535 } : {}),
  member_role: options.role,
  is_deployed: false,
  cover_image_url: null,
  created_at: moment(value.createdAt),
  updated_at: moment(value.createdAt),
  deleted_at: null,
  name: value.name,
  description: "",
  description_text: null,
  description_html: null,
  network: 2,
  identifier: value.identifier,
  emoji: null,
  icon_prop: null,
  module_view: false,
  cycle_view: false,
  issue_views_view: false,
  page_view: true,
  intake_view: false,
  is_time_tracking_enabled: false,
  is_issue_type_enabled: false,
  guest_view_all_features: false,
  cover_image: null,
  archive_in: 0,
  close_in: 0,
  logo_props: {},
  archived_at: momentOrNull(value.archivedAt),
  timezone: "UTC",
  external_source: null,
  external_id: null,
  created_by: options.owner.id,
  updated_by: value.updatedBy?.id ?? null,
  workspace: options.workspaceId,
  default_assignee: null,
  project_lead: null,
  cover_image_asset: null,
  estimate: null,
  default_state: null
})

export interface Workspace {
  readonly id: string
  readonly slug: string
}

const none: ReadonlySet<string> = new Set()

export const workItem = (
  item: Model.WorkItem,
  workspace: Workspace,
  expand: ReadonlySet<string> = none
): JsonObject => ({
  id: item.id,
  type_id: null,
  created_at: moment(item.createdAt),
  updated_at: moment(item.updatedAt),
  deleted_at: null,
  point: null,
  name: item.name,
  description_html: item.descriptionHtml,
  description_binary: null,
  priority: item.priority,
  start_date: item.startDate,
  target_date: item.targetDate,
  sequence_id: item.number,
  sort_order: item.sortOrder,
  completed_at: momentOrNull(item.completedAt),
  archived_at: momentOrNull(item.archivedAt),
  is_draft: false,
  external_source: item.externalSource,
  external_id: item.externalId,
  created_by: expand.has("created_by") ? user(item.createdBy) : item.createdBy.id,
  updated_by: item.updatedBy === null ? null : expand.has("updated_by") ? user(item.updatedBy) : item.updatedBy.id,
  project: expand.has("project") ? projectLite(item.project) : item.project.id,
  workspace: expand.has("workspace")
    ? { name: workspace.slug, slug: workspace.slug, id: workspace.id }
    : workspace.id,
  parent: expand.has("parent") ? {} : null,
  state: expand.has("state") ? stateLite(item.state) : item.state.id,
  estimate_point: null,
  type: null,
  assignees: item.assignees.map((each) => expand.has("assignees") ? user(each) : each.id),
  labels: item.labels.map((each) => expand.has("labels") ? label(each, workspace) : each.id)
})

export const comment = (value: Model.Comment, workspace: Workspace): JsonObject => ({
  id: value.id,
  created_at: moment(value.createdAt),
  updated_at: moment(value.updatedAt),
  deleted_at: null,
  comment_html: value.html,
  attachments: [],
  access: value.access,
  external_source: value.externalSource,
  external_id: value.externalId,
  edited_at: momentOrNull(value.editedAt),
  created_by: value.author.id,
  updated_by: value.updatedBy?.id ?? null,
  project: value.item.project.id,
  workspace: workspace.id,
  description: value.descriptionId,
  issue: value.item.id,
  actor: value.actor.id,
  parent: null
})

/** A line of a work item's history. Its words are Plane's. */
export const activity = (value: Model.Activity, item: Model.WorkItem, workspace: Workspace): JsonObject => ({
  id: value.id,
  created_at: moment(value.at),
  updated_at: moment(value.at),
  deleted_at: null,
  verb: value.verb,
  field: value.field,
  old_value: value.oldValue,
  new_value: value.newValue,
  comment: value.field === null ? "created the issue" : `updated the ${value.field} to`,
  attachments: [],
  old_identifier: value.oldId,
  new_identifier: value.newId,
  epoch: Math.floor(value.at / 1_000_000),
  project: item.project.id,
  workspace: workspace.id,
  issue: item.id,
  issue_comment: null,
  actor: value.actor.id
})

/** Reading a comment shows one key more than writing it does. */
export const commentRead = (value: Model.Comment, workspace: Workspace): JsonObject => {
  const { id, ...rest } = comment(value, workspace)
  return { id, is_member: true, ...rest }
}

/** A work item as a webhook carries it: with state, labels and assignees spelled out, and three more descriptions. */
export const webhookItem = (item: Model.WorkItem, workspace: Workspace): JsonObject => ({
  id: item.id,
  labels: item.labels.map(labelLite),
  assignees: item.assignees.map(user),
  state: stateLite(item.state),
  description: {},
  description_json: {},
  description_stripped: item.descriptionHtml.replaceAll(/<[^>]*>/g, ""),
  ...Object.fromEntries(
    Object.entries(workItem(item, workspace)).filter(([key]) =>
      !["labels", "assignees", "state", "type_id"].includes(key)
    )
  )
})

/** A project as a webhook carries it: without what depends on who asks. */
export const webhookProject = (value: Model.Project, workspaceId: string, owner: Model.User): JsonObject => {
  const own = ["total_members", "total_cycles", "total_modules", "is_member", "member_role", "is_deployed"]
  const view = project(value, { workspaceId, owner, members: 0, role: null, listed: false })
  return Object.fromEntries(Object.entries(view).filter(([key]) => !own.includes(key)))
}

/** The fields of `?fields=`. Unknown names are ignored, and no names mean all. */
export const pick = (view: JsonObject, fields: ReadonlySet<string>): JsonObject =>
  fields.size === 0 ? view : Object.fromEntries(Object.entries(view).filter(([key]) => fields.has(key)))
