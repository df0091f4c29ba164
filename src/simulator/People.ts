import * as Effect from "effect/Effect"
import type { Core } from "./Core.js"
import * as Model from "./Model.js"
import { clockMillis } from "./Moment.js"
import { SimulatorError } from "./Options.js"
import * as Views from "./Views.js"
import { commentChanged, itemChanged } from "./Webhooks.js"

/** A work item as a person sees it. */
export interface SimulatedWorkItem {
  readonly id: string
  /** "ET-2" */
  readonly key: string
  readonly number: number
  readonly name: string
  readonly projectId: string
  readonly state: { readonly id: string; readonly name: string; readonly group: string }
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

/**
 * What people do in Plane's pages, and what tests need to see. An unknown id fails. Without a project id the first
 * project is meant.
 */
export interface People {
  readonly addWorkItem: (what: NewWorkItem) => Effect.Effect<SimulatedWorkItem, SimulatorError>
  readonly workItem: (id: string) => Effect.Effect<SimulatedWorkItem, SimulatorError>
  readonly workItems: Effect.Effect<ReadonlyArray<SimulatedWorkItem>>
  readonly comments: (id: string) => Effect.Effect<ReadonlyArray<SimulatedComment>, SimulatorError>
  readonly stateChanges: (id: string) => Effect.Effect<ReadonlyArray<Model.StateChange>, SimulatorError>
  readonly moveWorkItem: (id: string, state: string) => Effect.Effect<void, SimulatorError>
  readonly deleteWorkItem: (id: string) => Effect.Effect<void, SimulatorError>
  readonly archiveWorkItem: (id: string) => Effect.Effect<void, SimulatorError>
  readonly addPersonComment: (id: string, html: string) => Effect.Effect<SimulatedComment, SimulatorError>
  readonly deleteComment: (id: string) => Effect.Effect<void, SimulatorError>
  readonly removeState: (id: string) => Effect.Effect<void, SimulatorError>
  readonly restoreState: (id: string) => Effect.Effect<void, SimulatorError>
  readonly archiveProject: (projectId?: string) => Effect.Effect<void, SimulatorError>
  readonly restoreProject: (projectId?: string) => Effect.Effect<void, SimulatorError>
  /** Takes the bot out of a project, or back in. */
  readonly setMember: (member: boolean, projectId?: string) => Effect.Effect<void, SimulatorError>
  readonly setRole: (role: Model.ProjectRole, projectId?: string) => Effect.Effect<void, SimulatorError>
  /** Changes what the keys of a project begin with. */
  readonly renameKeys: (identifier: string, projectId?: string) => Effect.Effect<void, SimulatorError>
}

const seen = (item: Model.WorkItem): SimulatedWorkItem => ({
  id: item.id,
  key: `${item.project.identifier}-${item.number}`,
  number: item.number,
  name: item.name,
  projectId: item.project.id,
  state: { id: item.state.id, name: item.state.name, group: item.state.group },
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
    moveWorkItem: (id, wanted) =>
      Effect.gen(function*() {
        const item = yield* itemOf(id)
        const state = yield* stateOf(item.project, wanted)
        if (state === item.state) return
        const oldValue = item.state.id
        const at = yield* moment
        store.setState(item, state, Model.owner, at)
        item.updatedBy = Model.owner
        item.updatedAt = at
        // Plane's web page calls the column `state_id`, and so does its webhook.
        const changed = { field: "state_id", newValue: state.id, oldValue }
        yield* core.webhooks.announce(itemChanged(item, store.workspace, changed, Model.owner))
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
    deleteComment: (id) => Effect.map(found(store.comment(id), `comment ${id}`), store.deleteComment),
    removeState: (id) => Effect.suspend(() => Effect.asVoid(found(store.removeState(id), `state ${id}`))),
    restoreState: (id) => Effect.suspend(() => Effect.asVoid(found(store.restoreState(id), `removed state ${id}`))),
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
    setRole: (role, projectId) => Effect.map(projectOf(projectId), ({ id }) => core.keys.setRole(id, role)),
    renameKeys: (identifier, projectId) =>
      Effect.map(projectOf(projectId), (project) => {
        project.identifier = identifier
      })
  }
}
