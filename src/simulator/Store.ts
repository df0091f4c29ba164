import { randomUUID } from "node:crypto"
import type * as Model from "./Model.js"
import type { ClockMillis } from "./Moment.js"
import { clockMillisOf, PlaneMicros } from "./Moment.js"
import type { Settings } from "./Options.js"

/**
 * Plane's data, in memory. Every method is synchronous, so each is atomic. Looking for an external id and then
 * inserting is *not* atomic in Plane, so it is two calls here as well.
 */
export interface Store {
  readonly workspace: { readonly id: string; readonly slug: string }
  readonly projects: ReadonlyMap<string, Model.Project>
  readonly projectByIdentifier: (identifier: string) => Model.Project | undefined
  readonly item: (id: string) => Model.WorkItem | undefined
  readonly items: () => ReadonlyArray<Model.WorkItem>
  readonly comment: (id: string) => Model.Comment | undefined
  /** Also finds one that was removed. */
  readonly state: (id: string) => Model.State | undefined
  /** Now as Plane keeps it, and later than all moments before. */
  readonly moment: (now: ClockMillis) => PlaneMicros
  readonly addItem: (project: Model.Project, fields: NewItem) => Model.WorkItem
  readonly renumber: (item: Model.WorkItem, number: number) => void
  readonly setState: (item: Model.WorkItem, state: Model.State, by: Model.User, at: PlaneMicros) => void
  /** Takes a state away and returns it. Undefined if no project has it. */
  readonly removeState: (id: string) => Model.State | undefined
  /** Puts a removed state back where it was; undefined when none was removed. */
  readonly restoreState: (id: string) => Model.State | undefined
  readonly pairItem: (item: Model.WorkItem, source: string | null, id: string | null) => void
  readonly setAssignees: (item: Model.WorkItem, assignees: ReadonlyArray<Model.User>) => void
  readonly deleteItem: (item: Model.WorkItem) => void
  readonly addComment: (item: Model.WorkItem, fields: NewComment) => Model.Comment
  readonly pairComment: (comment: Model.Comment, source: string | null, id: string | null) => void
  readonly deleteComment: (comment: Model.Comment) => void
}

export interface NewItem {
  readonly name: string
  readonly number?: number
  readonly state?: Model.State
  readonly descriptionHtml?: string
  readonly priority?: string
  readonly createdBy: Model.User
  readonly at: PlaneMicros
}

export interface NewComment {
  readonly html: string
  readonly access: string
  readonly externalSource: string | null
  readonly externalId: string | null
  readonly author: Model.User
  readonly actor: Model.User
  readonly createdAt: PlaneMicros
  readonly updatedAt: PlaneMicros
}

const colors: Record<Model.StateGroup, string> = {
  backlog: "#60646C",
  unstarted: "#60646C",
  started: "#F59E0B",
  completed: "#46A758",
  cancelled: "#9AA4BC",
  triage: "#4E5355"
}

export const pairKey = (source: string, id: string): string => JSON.stringify([source, id])

export const defaultState = (project: Model.Project): Model.State | undefined => {
  for (const state of project.states.values()) {
    if (state.isDefault) return state
  }
  return project.states.values().next().value
}

const push = <K, V>(map: Map<K, Array<V>>, key: K, value: V): void => {
  const found = map.get(key)
  if (found === undefined) map.set(key, [value])
  else found.push(value)
}

const drop = <K, V>(map: Map<K, Array<V>>, key: K, value: V): void => {
  const left = map.get(key)?.filter((other) => other !== value) ?? []
  if (left.length === 0) map.delete(key)
  else map.set(key, left)
}

export const make = (settings: Settings, startedAt: ClockMillis): Store => {
  let last = 0
  const moment = (now: ClockMillis): PlaneMicros => PlaneMicros(last = Math.max(last + 1, Math.floor(now) * 1000))
  const items = new Map<string, Model.WorkItem>()
  const comments = new Map<string, Model.Comment>()
  const projects = new Map<string, Model.Project>()

  for (const options of settings.projects) {
    const preferred = options.states.find((state) => state.group === "backlog") ?? options.states[0]
    const project: Model.Project = {
      id: options.id,
      identifier: options.identifier,
      name: options.name,
      createdAt: moment(startedAt),
      states: new Map(options.states.map((state, index) => [state.id, {
        ...state,
        color: colors[state.group],
        sequence: 15_000 + index * 10_000,
        isDefault: state === preferred,
        createdAt: moment(startedAt)
      }])),
      archivedAt: null,
      updatedBy: null,
      removedStates: new Map(),
      items: new Map(),
      byNumber: new Map(),
      commentPairs: new Map(),
      itemPairs: new Map(),
      labels: new Map(),
      links: new Map(),
      lastNumber: 0
    }
    projects.set(project.id, project)
  }

  const addItem: Store["addItem"] = (project, fields) => {
    const state = fields.state ?? defaultState(project)
    if (state === undefined) throw new Error(`project ${project.identifier} has lost all of its states`)
    const number = fields.number ?? project.lastNumber + 1
    const item: Model.WorkItem = {
      id: randomUUID(),
      project,
      number,
      name: fields.name,
      descriptionHtml: fields.descriptionHtml ?? "<p></p>",
      priority: fields.priority ?? "none",
      startDate: null,
      targetDate: null,
      state,
      sortOrder: 65_535 + project.items.size * 10_000,
      externalSource: null,
      externalId: null,
      createdBy: fields.createdBy,
      updatedBy: null,
      createdAt: fields.at,
      updatedAt: fields.at,
      completedAt: state.group === "completed" ? fields.at : null,
      archivedAt: null,
      deleted: false,
      assignees: [],
      labels: [],
      subscribers: new Set([fields.createdBy]),
      comments: [],
      stateChanges: [],
      activities: [{
        id: randomUUID(),
        at: fields.at,
        verb: "created",
        field: null,
        oldValue: null,
        newValue: null,
        oldId: null,
        newId: null,
        actor: fields.createdBy
      }]
    }
    project.lastNumber = Math.max(project.lastNumber, number)
    project.items.set(item.id, item)
    push(project.byNumber, number, item)
    items.set(item.id, item)
    return item
  }

  const pairComment: Store["pairComment"] = (comment, source, id) => {
    const { commentPairs } = comment.item.project
    if (comment.externalSource !== null && comment.externalId !== null) {
      drop(commentPairs, pairKey(comment.externalSource, comment.externalId), comment)
    }
    comment.externalSource = source
    comment.externalId = id
    if (source !== null && id !== null) push(commentPairs, pairKey(source, id), comment)
  }

  const pairItem: Store["pairItem"] = (item, source, id) => {
    const { itemPairs } = item.project
    if (item.externalSource !== null && item.externalId !== null) {
      itemPairs.delete(pairKey(item.externalSource, item.externalId))
    }
    item.externalSource = source
    item.externalId = id
    if (source !== null && id !== null) itemPairs.set(pairKey(source, id), item)
  }

  return {
    workspace: { id: "9d2b61f4-0a35-4c5e-8f0e-5b1f7c2a4d10", slug: settings.workspace },
    projects,
    projectByIdentifier: (identifier) => [...projects.values()].find((project) => project.identifier === identifier),
    item: (id) => items.get(id),
    items: () => [...items.values()],
    comment: (id) => comments.get(id),
    state: (id) =>
      [...projects.values()].flatMap(({ removedStates, states }) => states.get(id) ?? removedStates.get(id) ?? []).at(
        0
      ),
    moment,
    addItem,
    renumber: (item, number) => {
      drop(item.project.byNumber, item.number, item)
      item.number = number
      item.project.lastNumber = Math.max(item.project.lastNumber, number)
      push(item.project.byNumber, number, item)
    },
    setState: (item, state, by, at) => {
      if (item.state.id !== state.id) {
        item.stateChanges.push({
          at: clockMillisOf(at),
          from: { id: item.state.id, name: item.state.name },
          to: { id: state.id, name: state.name },
          by: by.name
        })
      }
      item.state = state
      item.completedAt = state.group === "completed" ? at : null
    },
    removeState: (id) => {
      for (const { removedStates, states } of projects.values()) {
        const state = states.get(id)
        if (state === undefined) continue
        states.delete(id)
        removedStates.set(id, state)
        return state
      }
      return undefined
    },
    restoreState: (id) => {
      for (const { removedStates, states } of projects.values()) {
        const state = removedStates.get(id)
        if (state === undefined) continue
        removedStates.delete(id)
        const ordered = [...states.values(), state].sort((a, b) => a.sequence - b.sequence)
        states.clear()
        for (const each of ordered) states.set(each.id, each)
        return state
      }
      return undefined
    },
    pairItem,
    setAssignees: (item, assignees) => {
      item.assignees = assignees
      for (const user of assignees) item.subscribers.add(user)
    },
    deleteItem: (item) => {
      item.deleted = true
      item.project.items.delete(item.id)
      drop(item.project.byNumber, item.number, item)
      pairItem(item, item.externalSource, null)
    },
    addComment: (item, fields) => {
      const comment: Model.Comment = {
        ...fields,
        id: randomUUID(),
        descriptionId: randomUUID(),
        item,
        updatedBy: null,
        editedAt: null
      }
      item.updatedAt = fields.updatedAt
      pairComment(comment, fields.externalSource, fields.externalId)
      item.comments.push(comment)
      comments.set(comment.id, comment)
      return comment
    },
    pairComment,
    deleteComment: (comment) => {
      pairComment(comment, comment.externalSource, null)
      comments.delete(comment.id)
      const index = comment.item.comments.indexOf(comment)
      if (index >= 0) comment.item.comments.splice(index, 1)
    }
  }
}
