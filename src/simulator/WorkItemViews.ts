import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Body from "./Body.js"
import type { Call } from "./Call.js"
import type { Answer } from "./Http.js"
import { conflict, json, missing, noContent, somethingWrong } from "./Http.js"
import type { JsonObject } from "./Http.js"
import type * as Model from "./Model.js"
import type { PlaneMicros } from "./Moment.js"
import { clockMillis } from "./Moment.js"
import { expandOf, fieldsOf, paginate } from "./Pages.js"
import * as Related from "./Related.js"
import type { ReadRow } from "./Rows.js"
import { readRow, saveRow } from "./Rows.js"
import { defaultState, pairKey } from "./Store.js"
import * as Views from "./Views.js"
import { changes, itemChanged } from "./Webhooks.js"

const priorities = ["urgent", "high", "medium", "low", "none"]
const groups = ["backlog", "unstarted", "started", "completed", "cancelled", "triage"]

const sortKeys: Record<string, (item: Model.WorkItem) => string | number> = {
  id: (item) => item.id,
  name: (item) => item.name,
  sequence_id: (item) => item.number,
  created_at: (item) => item.createdAt,
  updated_at: (item) => item.updatedAt,
  sort_order: (item) => item.sortOrder,
  priority: (item) => priorities.indexOf(item.priority),
  state__name: (item) => item.state.name,
  state__group: (item) => groups.indexOf(item.state.group),
  start_date: (item) => item.startDate ?? "9999",
  target_date: (item) => item.targetDate ?? "9999"
}

/** Whether reading finds a work item. An archived project hides everything in it, yet takes writes. */
const listed = (item: Model.WorkItem | undefined): item is Model.WorkItem =>
  item !== undefined && !item.deleted && item.archivedAt === null && item.project.archivedAt === null

const shown = (call: Call, item: Model.WorkItem): Answer =>
  json(200, Views.pick(Views.workItem(item, call.store.workspace, expandOf(call.params)), fieldsOf(call.params)))

/** `search`, `state`, `updated_at__gt` and the like are silently ignored, as in Plane. */
export const list = (call: Call, project: Model.Project): Effect.Effect<Answer> => {
  const source = call.params.get("external_source")
  const id = call.params.get("external_id")
  if (source !== null && source !== "" && id !== null && id !== "") {
    const found = project.itemPairs.get(pairKey(source, id))
    return Effect.succeed(found === undefined ? missing : shown(call, found))
  }
  const order = call.params.get("order_by") ?? "-created_at"
  const descending = order.startsWith("-")
  const known = sortKeys[descending ? order.slice(1) : order]
  if (known === undefined && call.traits.refusesOrder) return Effect.succeed(somethingWrong)
  const key = known ?? ((item: Model.WorkItem) => item.createdAt)
  const rows = [...project.items.values()].filter(listed)
  const sign = descending || known === undefined ? -1 : 1
  rows.sort((a, b) => {
    const left = key(a)
    const right = key(b)
    return left < right ? -sign : left > right ? sign : b.createdAt - a.createdAt
  })
  const expand = expandOf(call.params)
  return Effect.succeed(paginate(rows, call.params, (item) => Views.workItem(item, call.store.workspace, expand)))
}

/** The item that the path names, if it is in that project and not deleted. An archived one is found for PATCH only. */
const named = (call: Call, project: Model.Project): Model.WorkItem | undefined => {
  const item = project.items.get(call.route.itemId)
  return item?.deleted === true ? undefined : item
}

export const read = (call: Call, project: Model.Project): Effect.Effect<Answer> => {
  const item = named(call, project)
  return Effect.succeed(listed(item) ? shown(call, item) : missing)
}

export const byIdentifier = (call: Call, project: Model.Project): Effect.Effect<Answer> => {
  if (!/^[+-]?\d+$/.test(call.route.number)) return Effect.succeed(somethingWrong)
  const found = (project.byNumber.get(Number(call.route.number)) ?? []).filter(listed)
  const [item, second] = found
  if (item === undefined) return Effect.succeed(missing)
  return Effect.succeed(second === undefined ? shown(call, item) : somethingWrong)
}

/**
 * What was done to a work item: the oldest first, unless `order_by=-created_at` is asked for. Comments are not in it.
 */
export const activities = (call: Call, project: Model.Project): Effect.Effect<Answer> => {
  const item = named(call, project)
  if (!listed(item)) return Effect.succeed(missing)
  const order = call.params.get("order_by") ?? "created_at"
  if (order !== "created_at" && order !== "-created_at") return Effect.succeed(somethingWrong)
  const rows = order === "created_at" ? item.activities : item.activities.toReversed()
  return Effect.succeed(paginate(rows, call.params, (row) => Views.activity(row, item, call.store.workspace)))
}

/**
 * Finds substrings of the name, or any whole number of the query as the item's number, in all projects of the caller.
 */
export const search = (call: Call, projects: ReadonlyArray<Model.Project>): Effect.Effect<Answer> => {
  const query = call.params.get("search") ?? ""
  if (query === "") return Effect.succeed(json(200, { issues: [] }))
  const limit = Number(call.params.get("limit") ?? "10")
  if (!Number.isInteger(limit) || limit < 0) return Effect.succeed(somethingWrong)
  const needle = query.toLowerCase()
  const numbers = new Set((query.match(/(?<![\p{L}\p{N}_])\d+(?![\p{L}\p{N}_])/gu) ?? []).map(Number))
  const only = call.params.get("project_id") ?? ""
  const issues = projects
    .filter((project) => only === "" || project.id === only)
    .flatMap((project) => [...project.items.values()])
    .filter((item) => listed(item) && (numbers.has(item.number) || item.name.toLowerCase().includes(needle)))
    .sort((a, b) => b.createdAt - a.createdAt)
    .slice(0, limit)
    .map((item) => ({
      name: item.name,
      id: item.id,
      sequence_id: item.number,
      project__identifier: item.project.identifier,
      project_id: item.project.id,
      workspace__slug: call.store.workspace.slug
    }))
  return Effect.succeed(json(200, { issues }))
}

interface Change {
  readonly name: string | undefined
  readonly description: string | null | undefined
  readonly priority: string | undefined
  readonly number: number | undefined
  readonly startDate: string | null | undefined
  readonly targetDate: string | null | undefined
  readonly source: string | null | undefined
  readonly externalId: string | null | undefined
  /** Null: the project's default. Undefined: unchanged. */
  readonly state: Model.State | null | undefined
  readonly assignees: ReadonlyArray<Model.User> | undefined
  readonly labels: ReadonlyArray<Model.Label> | undefined
}

const stateOf = (
  raw: unknown,
  check: Body.Fields,
  call: Call,
  project: Model.Project
): { readonly state: Model.State | null | undefined; readonly foreign: boolean } => {
  if (raw === undefined) return { state: undefined, foreign: false }
  if (raw === null || raw === "") return { state: null, foreign: false }
  if (typeof raw !== "string" && typeof raw !== "number") {
    check.refuse("state", `Incorrect type. Expected pk value, received ${Body.pythonType(raw)}.`)
    return { state: undefined, foreign: false }
  }
  const id = typeof raw === "string" ? Body.uuid(raw) : String(raw)
  if (id === undefined) {
    check.refuse("state", `“${raw}” is not a valid UUID.`)
    return { state: undefined, foreign: false }
  }
  const own = project.states.get(id)
  if (own !== undefined) return { state: own, foreign: false }
  const foreign = [...call.store.projects.values()].some((other) => other.states.has(id))
  if (!foreign) check.refuse("state", `Invalid pk "${raw}" - object does not exist.`)
  return { state: undefined, foreign }
}

/** Checks in the serializer's order: all fields first, then rules that span fields. Unknown names are ignored. */
const validate = (
  body: JsonObject,
  call: Call,
  project: Model.Project,
  item: Model.WorkItem | undefined
): Either.Either<Change, Answer> => {
  const check = Body.fields(body)
  const name = check.text("name", { max: 255 })
  if (item === undefined && body["name"] === undefined) check.refuse("name", "This field is required.")
  const change = {
    name: name ?? undefined,
    description: check.text("description_html", { blank: true, nullable: true }),
    priority: check.choice("priority", priorities),
    number: check.integer("sequence_id"),
    startDate: check.date("start_date"),
    targetDate: check.date("target_date"),
    source: check.text("external_source", { max: 255, nullable: true, blank: true }),
    externalId: check.text("external_id", { max: 255, nullable: true, blank: true }),
    assignees: Related.assignees(body["assignees"], check, call),
    labels: Related.labels(body["labels"], check, call, project)
  }
  const { foreign, state } = stateOf(body["state"], check, call, project)
  const refusal = check.refusal()
  if (refusal !== undefined) return Either.left(refusal)
  const nonField = (message: string) => Either.left(json(400, { non_field_errors: [message] }))
  const start = change.startDate === undefined ? item?.startDate : change.startDate
  const target = change.targetDate === undefined ? item?.targetDate : change.targetDate
  if (typeof start === "string" && typeof target === "string" && start > target) {
    return nonField("Start date cannot exceed target date")
  }
  return foreign ? nonField("State is not valid please pass a valid state_id") : Either.right({ ...change, state })
}

const apply = (call: Call, item: Model.WorkItem, change: Change, by: Model.User, at: PlaneMicros): void => {
  if (change.name !== undefined) item.name = change.name
  if (change.description !== undefined) item.descriptionHtml = change.description ?? "<p></p>"
  if (change.priority !== undefined) item.priority = change.priority
  if (change.number !== undefined && change.number !== item.number) call.store.renumber(item, change.number)
  if (change.startDate !== undefined) item.startDate = change.startDate
  if (change.targetDate !== undefined) item.targetDate = change.targetDate
  if (change.source !== undefined || change.externalId !== undefined) {
    call.store.pairItem(
      item,
      change.source === undefined ? item.externalSource : change.source,
      change.externalId === undefined ? item.externalId : change.externalId
    )
  }
  if (change.assignees !== undefined) call.store.setAssignees(item, change.assignees)
  if (change.labels !== undefined) item.labels = change.labels
  const state = change.state === null ? defaultState(item.project) : change.state
  const { patchesCompletion } = call.traits
  if (state !== undefined && (patchesCompletion || state !== item.state)) call.store.setState(item, state, by, at)
  else if (patchesCompletion && item.completedAt !== null) item.completedAt = at
}

export const patch = (call: Call, project: Model.Project): Effect.Effect<Answer> =>
  Effect.gen(function*() {
    const item = named(call, project)
    if (item === undefined) return missing
    const body = Body.parse(call.request)
    if (Either.isLeft(body)) return body.left
    const change = validate(body.right, call, project, item)
    if (Either.isLeft(change)) return change.left
    const wanted = body.right["external_id"]
    if (Body.truthy(wanted) && Body.asText(wanted) !== item.externalId) {
      const source = body.right["external_source"] ?? item.externalSource
      const holder = project.itemPairs.get(pairKey(Body.asText(source), Body.asText(wanted)))
      // Plane names the item of the request here, not the holder.
      if (holder !== undefined) return conflict("Issue", item.id)
    }
    const before = Views.workItem(item, call.store.workspace)
    // A late request reads the row late, too. Only what passes between reading and saving can undo another change.
    const row = yield* call.write((): ReadRow => readRow(item))
    if (call.saving > 0) yield* Effect.sleep(call.saving)
    const at = call.store.moment(yield* clockMillis)
    saveRow(call.store, item, row, { by: call.caller, at, isTold: call.isTold }, () =>
      apply(call, item, change.right, call.caller, at))
    for (const changed of changes(before, body.right)) {
      yield* call.announce(itemChanged(item, call.store.workspace, changed, call.caller))
    }
    return json(200, Views.workItem(item, call.store.workspace))
  })

export const create = (call: Call, project: Model.Project): Effect.Effect<Answer> =>
  Effect.gen(function*() {
    const body = Body.parse(call.request)
    if (Either.isLeft(body)) return body.left
    const change = validate(body.right, call, project, undefined)
    if (Either.isLeft(change)) return change.left
    const { externalId, name, priority, source, state } = change.right
    if (typeof source === "string" && source !== "" && typeof externalId === "string" && externalId !== "") {
      const holder = project.itemPairs.get(pairKey(source, externalId))
      if (holder !== undefined) return conflict("Issue", holder.id)
    }
    const item = yield* call.write((at) => {
      const made = call.store.addItem(project, {
        name: name ?? "",
        ...(priority === undefined ? {} : { priority }),
        ...(state === undefined || state === null ? {} : { state }),
        createdBy: call.caller,
        at
      })
      apply(call, made, { ...change.right, number: undefined, state: undefined }, call.caller, at)
      return made
    })
    yield* call.announce(itemChanged(item, call.store.workspace, undefined, call.caller))
    return json(201, Views.workItem(item, call.store.workspace))
  })

export const remove = (call: Call, project: Model.Project): Effect.Effect<Answer> => {
  const item = named(call, project)
  if (item === undefined) return Effect.succeed(missing)
  if (call.role !== "admin" && item.createdBy !== call.caller) {
    return Effect.succeed(json(403, { error: "Only admin or creator can delete the work item" }))
  }
  return Effect.as(call.write(() => call.store.deleteItem(item)), noContent)
}
