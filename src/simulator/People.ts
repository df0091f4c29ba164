import * as Effect from "effect/Effect"
import type { Core } from "./Core.js"
import * as Model from "./Model.js"
import type { PlaneMicros } from "./Moment.js"
import { clockMillis } from "./Moment.js"
import type { StateOptions } from "./Options.js"
import { SimulatorError } from "./Options.js"
import type { PersonLinks } from "./PersonLinks.js"
import { makePersonLinks } from "./PersonLinks.js"
import { isAssignable } from "./Related.js"
import { readRow, saveRow } from "./Rows.js"
import { traitsOf } from "./Version.js"
import * as Views from "./Views.js"
import { changes, commentChanged, itemChanged, projectChanged } from "./Webhooks.js"

/** A work item as a person sees it. */
export interface SimulatedWorkItem {
  readonly id: string
  /** "ET-2" */
  readonly key: string
  readonly number: number
  readonly name: string
  readonly projectId: string
  readonly state: { readonly id: string; readonly name: string; readonly group: string }
  /** Ids of users. */
  readonly assignees: ReadonlyArray<string>
  readonly archived: boolean
  readonly deleted: boolean
  readonly comments: number
}

export interface SimulatedComment {
  readonly id: string
  readonly workItemId: string
  /** Exactly as sent: Plane sanitises nothing. */
  readonly html: string
  /** ISO 8601 with microseconds. */
  readonly createdAt: string
  readonly externalSource: string | null
  readonly externalId: string | null
  readonly author: string
}

export interface NewWorkItem {
  readonly name: string
  /** Default: the next of its project. */
  readonly number?: number
  /** A state's id or name; default: the project's default state. */
  readonly state?: string
  readonly projectId?: string
}

/** What a person changes in the web page. The state has `moveWorkItem`. */
export interface WorkItemEdit {
  readonly name?: string
  readonly priority?: "urgent" | "high" | "medium" | "low" | "none"
  /** Ids of users. Only members of the project who are no guests are kept. */
  readonly assignees?: ReadonlyArray<string>
  /** Ids of labels. Only those of the project are kept. */
  readonly labels?: ReadonlyArray<string>
}

/** What a person changes of a state. Work items in it stay there. */
export interface StateEdit {
  readonly name?: string
  readonly group?: StateOptions["group"]
}

/**
 * What people do in Plane's pages, and what tests need to see. An unknown id fails. Without a project id the first
 * project is meant.
 */
export interface People extends PersonLinks {
  readonly addWorkItem: (what: NewWorkItem) => Effect.Effect<SimulatedWorkItem, SimulatorError>
  readonly workItem: (id: string) => Effect.Effect<SimulatedWorkItem, SimulatorError>
  readonly workItems: Effect.Effect<ReadonlyArray<SimulatedWorkItem>>
  readonly comments: (id: string) => Effect.Effect<ReadonlyArray<SimulatedComment>, SimulatorError>
  readonly stateChanges: (id: string) => Effect.Effect<ReadonlyArray<Model.StateChange>, SimulatorError>
  readonly editWorkItem: (id: string, edit: WorkItemEdit) => Effect.Effect<void, SimulatorError>
  readonly moveWorkItem: (id: string, state: string) => Effect.Effect<void, SimulatorError>
  readonly deleteWorkItem: (id: string) => Effect.Effect<void, SimulatorError>
  readonly archiveWorkItem: (id: string) => Effect.Effect<void, SimulatorError>
  readonly addPersonComment: (id: string, html: string) => Effect.Effect<SimulatedComment, SimulatorError>
  readonly editComment: (id: string, html: string) => Effect.Effect<void, SimulatorError>
  readonly deleteComment: (id: string) => Effect.Effect<void, SimulatorError>
  readonly changeState: (id: string, change: StateEdit) => Effect.Effect<void, SimulatorError>
  readonly removeState: (id: string) => Effect.Effect<void, SimulatorError>
  readonly restoreState: (id: string) => Effect.Effect<void, SimulatorError>
  readonly renameProject: (identifier: string, projectId?: string) => Effect.Effect<void, SimulatorError>
  readonly archiveProject: (projectId?: string) => Effect.Effect<void, SimulatorError>
  readonly restoreProject: (projectId?: string) => Effect.Effect<void, SimulatorError>
  /** Takes the bot out of a project, or back in. */
  readonly setMember: (member: boolean, projectId?: string) => Effect.Effect<void, SimulatorError>
  readonly setRole: (role: Model.ProjectRole, projectId?: string) => Effect.Effect<void, SimulatorError>
}

const seen = (item: Model.WorkItem): SimulatedWorkItem => ({
  id: item.id,
  key: `${item.project.identifier}-${item.number}`,
  number: item.number,
  name: item.name,
  projectId: item.project.id,
  state: { id: item.state.id, name: item.state.name, group: item.state.group },
  assignees: item.assignees.map(({ id }) => id),
  archived: item.archivedAt !== null,
  deleted: item.deleted,
  comments: item.comments.length
})

const seenComment = (comment: Model.Comment): SimulatedComment => ({
  id: comment.id,
  workItemId: comment.item.id,
  html: comment.html,
  createdAt: Views.moment(comment.createdAt),
  externalSource: comment.externalSource,
  externalId: comment.externalId,
  author: comment.author.name
})

const found = <A>(value: A | undefined, what: string): Effect.Effect<A, SimulatorError> =>
  value === undefined
    ? Effect.fail(new SimulatorError({ reason: "Unknown", detail: `there is no ${what}` }))
    : Effect.succeed(value)

export const make = (core: Core): People => {
  const { store } = core
  const projectOf = (id = core.settings.projects[0].id) => found(store.projects.get(id), `project ${id}`)
  const itemOf = (id: string) => found(store.item(id), `work item ${id}`)
  const stateOf = (project: Model.Project, wanted: string) =>
    found(
      project.states.get(wanted) ?? [...project.states.values()].find((state) => state.name === wanted),
      `state "${wanted}" in project ${project.identifier}`
    )
  const moment = Effect.map(clockMillis, store.moment)
  const { tellsMovesTwice } = traitsOf(core.settings.plane)

  /** The web page's names of the columns differ from those of the API. */
  const pageNames: Record<string, string> = { assignees: "assignee_ids", labels: "label_ids" }

  const apply = (item: Model.WorkItem, edit: WorkItemEdit): void => {
    if (edit.name !== undefined) item.name = edit.name
    if (edit.priority !== undefined) item.priority = edit.priority
    if (edit.labels !== undefined) {
      item.labels = edit.labels.flatMap((id) => item.project.labels.get(id) ?? [])
    }
    if (edit.assignees !== undefined) {
      const users = edit.assignees.flatMap((id) => Model.users.get(id) ?? [])
      store.setAssignees(item, users.filter((user) => isAssignable(core.keys.roleIn(user, item.project.id))))
    }
  }

  /** A change in Plane's page saves the whole row, like one by API. */
  const saved = (item: Model.WorkItem, change: (at: PlaneMicros) => void) =>
    Effect.gen(function*() {
      const row = readRow(item)
      if (core.settings.saving > 0) yield* Effect.sleep(core.settings.saving)
      const at = yield* moment
      saveRow(store, item, row, { by: Model.owner, at }, () => change(at))
    })

  return {
    addWorkItem: (what) =>
      Effect.gen(function*() {
        const project = yield* projectOf(what.projectId)
        const state = what.state === undefined ? undefined : yield* stateOf(project, what.state)
        const item = store.addItem(project, {
          name: what.name,
          ...(what.number === undefined ? {} : { number: what.number }),
          ...(state === undefined ? {} : { state }),
          createdBy: Model.owner,
          at: yield* moment
        })
        yield* core.webhooks.announce(itemChanged(item, store.workspace, undefined, Model.owner))
        return seen(item)
      }),
    workItem: (id) => Effect.map(itemOf(id), seen),
    workItems: Effect.sync(() => store.items().map(seen)),
    comments: (id) => Effect.map(itemOf(id), (item) => item.comments.map(seenComment)),
    stateChanges: (id) => Effect.map(itemOf(id), (item) => [...item.stateChanges]),
    editWorkItem: (id, edit) =>
      Effect.gen(function*() {
        const item = yield* itemOf(id)
        const before = Views.workItem(item, store.workspace)
        yield* saved(item, () => apply(item, edit))
        for (const changed of changes(before, { ...edit })) {
          const inPage = { ...changed, field: pageNames[changed.field] ?? changed.field }
          yield* core.webhooks.announce(itemChanged(item, store.workspace, inPage, Model.owner))
        }
      }),
    moveWorkItem: (id, wanted) =>
      Effect.gen(function*() {
        const item = yield* itemOf(id)
        const state = yield* stateOf(item.project, wanted)
        if (state === item.state) return
        const oldValue = item.state.id
        yield* saved(item, (at) => store.setState(item, state, Model.owner, at))
        // Plane's web page calls the column `state_id`, and so does its webhook.
        for (const field of tellsMovesTwice ? ["state", "state_id"] : ["state_id"]) {
          const changed = { field, newValue: state.id, oldValue }
          yield* core.webhooks.announce(itemChanged(item, store.workspace, changed, Model.owner))
        }
      }),
    deleteWorkItem: (id) => Effect.map(itemOf(id), store.deleteItem),
    archiveWorkItem: (id) =>
      Effect.gen(function*() {
        const item = yield* itemOf(id)
        item.archivedAt = yield* moment
      }),
    addPersonComment: (id, html) =>
      Effect.gen(function*() {
        const item = yield* itemOf(id)
        const at = yield* moment
        const comment = store.addComment(item, {
          html,
          access: "INTERNAL",
          externalSource: null,
          externalId: null,
          author: Model.owner,
          actor: Model.owner,
          createdAt: at,
          updatedAt: at
        })
        yield* core.webhooks.announce(commentChanged(comment, store.workspace, undefined, Model.owner))
        return seenComment(comment)
      }),
    editComment: (id, html) =>
      Effect.gen(function*() {
        const comment = yield* found(store.comment(id), `comment ${id}`)
        const before = Views.comment(comment, store.workspace)
        const at = yield* moment
        comment.html = html
        comment.updatedBy = Model.owner
        comment.updatedAt = at
        comment.editedAt = at
        comment.item.updatedAt = at
        for (const changed of changes(before, { comment_html: html })) {
          yield* core.webhooks.announce(commentChanged(comment, store.workspace, changed, Model.owner))
        }
      }),
    deleteComment: (id) => Effect.map(found(store.comment(id), `comment ${id}`), store.deleteComment),
    ...makePersonLinks(store, { itemOf, moment }),
    changeState: (id, { group, name }) =>
      Effect.map(found(store.state(id), `state ${id}`), (state) => {
        if (name !== undefined) state.name = name
        if (group !== undefined) state.group = group
      }),
    removeState: (id) => Effect.suspend(() => Effect.asVoid(found(store.removeState(id), `state ${id}`))),
    restoreState: (id) => Effect.suspend(() => Effect.asVoid(found(store.restoreState(id), `removed state ${id}`))),
    renameProject: (identifier, projectId) =>
      Effect.gen(function*() {
        const project = yield* projectOf(projectId)
        const oldValue = project.identifier
        project.identifier = identifier
        project.updatedBy = Model.owner
        const changed = { field: "identifier", newValue: identifier, oldValue }
        yield* core.webhooks.announce(projectChanged(project, store.workspace, changed, Model.owner))
      }),
    archiveProject: (projectId) =>
      Effect.gen(function*() {
        const project = yield* projectOf(projectId)
        project.archivedAt = yield* moment
      }),
    restoreProject: (projectId) =>
      Effect.map(projectOf(projectId), (project) => {
        project.archivedAt = null
      }),
    setMember: (member, projectId) => Effect.map(projectOf(projectId), ({ id }) => core.keys.setMember(id, member)),
    setRole: (role, projectId) => Effect.map(projectOf(projectId), ({ id }) => core.keys.setRole(id, role))
  }
}
