import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { randomUUID } from "node:crypto"
import * as Body from "./Body.js"
import type { Call } from "./Call.js"
import type { Answer, JsonObject } from "./Http.js"
import { conflict, invalidPayload, json, missing, noContent, somethingWrong } from "./Http.js"
import type * as Model from "./Model.js"
import { fieldsOf, paginate } from "./Pages.js"
import * as Views from "./Views.js"

/** The labels of a project. No webhook tells of them, nor of items that lose one because it is deleted. */

const shown = (call: Call) => (label: Model.Label) => Views.label(label, call.store.workspace)

/** The newest first. Whoever is of the workspace and not of the project sees an empty list. */
export const list = (call: Call, project: Model.Project): Effect.Effect<Answer> => {
  const hidden = call.role === undefined || project.archivedAt !== null
  const rows = hidden ? [] : [...project.labels.values()].reverse()
  return Effect.succeed(paginate(rows, call.params, shown(call)))
}

export const read = (call: Call, project: Model.Project): Effect.Effect<Answer> => {
  const label = project.archivedAt === null ? project.labels.get(call.route.labelId) : undefined
  return Effect.succeed(
    label === undefined ? missing : json(200, Views.pick(shown(call)(label), fieldsOf(call.params)))
  )
}

interface Content {
  readonly name: string | undefined
  readonly color: string | undefined
  readonly description: string | undefined
  readonly source: string | null | undefined
  readonly externalId: string | null | undefined
}

const validate = (body: JsonObject, isNew: boolean): Either.Either<Content, Answer> => {
  const check = Body.fields(body)
  const name = check.text("name", { max: 255 }) ?? undefined
  if (isNew && body["name"] === undefined) check.refuse("name", "This field is required.")
  const content = {
    name,
    color: check.text("color", { max: 255, blank: true }) ?? undefined,
    description: check.text("description", { blank: true }) ?? undefined,
    source: check.text("external_source", { max: 255, nullable: true, blank: true }),
    externalId: check.text("external_id", { max: 255, nullable: true, blank: true })
  }
  const refusal = check.refusal()
  return refusal === undefined ? Either.right(content) : Either.left(refusal)
}

const taken = (project: Model.Project, name: string): Model.Label | undefined =>
  [...project.labels.values()].find((label) => label.name === name)

export const create = (call: Call, project: Model.Project): Effect.Effect<Answer> =>
  Effect.gen(function*() {
    const body = Body.parse(call.request)
    if (Either.isLeft(body)) return body.left
    const content = validate(body.right, true)
    if (Either.isLeft(content)) return content.left
    const { color = "", description = "", externalId = null, name = "", source = null } = content.right
    const labels = [...project.labels.values()]
    const paired = Body.truthy(source) && Body.truthy(externalId)
      ? labels.find((label) => label.externalSource === source && label.externalId === externalId)
      : undefined
    if (paired !== undefined) return conflict("Label", paired.id)
    const holder = taken(project, name)
    // Plane looks for the holder by the name as it was sent, and fails if that has blanks around it.
    if (holder !== undefined && body.right["name"] !== name) return somethingWrong
    if (holder !== undefined) {
      return json(409, { error: "Label with the same name already exists in the project", id: holder.id })
    }
    const label = yield* call.write((at) => {
      const made: Model.Label = {
        id: randomUUID(),
        project,
        name,
        color,
        description,
        sortOrder: 65_535 + labels.length * 10_000,
        externalSource: source,
        externalId,
        createdBy: call.caller,
        updatedBy: null,
        createdAt: at,
        updatedAt: at
      }
      project.labels.set(made.id, made)
      return made
    })
    return json(201, shown(call)(label))
  })

export const patch = (call: Call, project: Model.Project): Effect.Effect<Answer> =>
  Effect.gen(function*() {
    const label = project.labels.get(call.route.labelId)
    if (label === undefined) return missing
    const body = Body.parse(call.request)
    if (Either.isLeft(body)) return body.left
    const content = validate(body.right, false)
    if (Either.isLeft(content)) return content.left
    const { color, description, externalId, name, source } = content.right
    if (name !== undefined && (taken(project, name) ?? label) !== label) return invalidPayload
    yield* call.write((at) => {
      if (name !== undefined) label.name = name
      if (color !== undefined) label.color = color
      if (description !== undefined) label.description = description
      if (source !== undefined) label.externalSource = source
      if (externalId !== undefined) label.externalId = externalId
      label.updatedBy = call.caller
      label.updatedAt = at
    })
    return json(200, shown(call)(label))
  })

/** Takes the label from all items too. Their `updated_at` stays. */
export const remove = (call: Call, project: Model.Project): Effect.Effect<Answer> => {
  const label = project.labels.get(call.route.labelId)
  if (label === undefined) return Effect.succeed(missing)
  const deleted = call.write(() => {
    project.labels.delete(label.id)
    for (const item of call.store.items()) item.labels = item.labels.filter((each) => each !== label)
  })
  return Effect.as(deleted, noContent)
}
