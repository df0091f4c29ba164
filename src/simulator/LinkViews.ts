import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { randomUUID } from "node:crypto"
import * as Body from "./Body.js"
import type { Call } from "./Call.js"
import type { Answer, JsonObject } from "./Http.js"
import { invalidPayload, json, missing, noContent } from "./Http.js"
import * as Model from "./Model.js"
import { fieldsOf, paginate } from "./Pages.js"
import * as Views from "./Views.js"

/** The links of a work item. No webhook tells of them. */

const view = (link: Model.Link, call: Call): JsonObject => ({
  id: link.id,
  created_at: Views.moment(link.createdAt),
  updated_at: Views.moment(link.updatedAt),
  deleted_at: null,
  title: link.title,
  url: link.url,
  metadata: link.metadata,
  created_by: link.createdBy?.id ?? null,
  updated_by: link.updatedBy?.id ?? null,
  project: link.project.id,
  workspace: call.store.workspace.id,
  issue: link.item.id
})

/**
 * Plane's worker fetches the page of a new or changed link and saves the whole row, which loses who made it. It needs
 * 0.1 to 3 s, and is done here before the next request.
 */
const crawl = (link: Model.Link): void => {
  link.metadata = {
    url: link.url,
    title: null,
    favicon: "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=",
    favicon_url: null
  }
  link.createdBy = null
  link.updatedBy = null
}

const letter = "[a-z0-9\\u00a1-\\uffff]"
const name = `${letter}(?:(?:${letter}|-){0,61}${letter})?`
const host = `(?:localhost|\\[[0-9a-f:.]+\\]|(?:\\d{1,3}\\.){3}\\d{1,3}|(?:${name}\\.)+(?!\\d+[.:/?#]?$)${name}\\.?)`
const url = new RegExp(`^(?:https?|ftps?)://(?:[^\\s:@/]+(?::[^\\s:@/]*)?@)?${host}(?::\\d{1,5})?(?:[/?#]\\S*)?$`, "i")

/** A host needs a dot, so `http://gitea:3000/` is refused. The scheme is compared as it is written. */
const wrongUrl = (text: string): string | undefined => {
  if (text.length > 2048 || !url.test(text)) return "Invalid URL format."
  return /^https?:\/\//.test(text) ? undefined : "Invalid URL scheme."
}

const validate = (
  body: JsonObject,
  isNew: boolean
): Either.Either<{ readonly url: string | undefined; readonly title: string | null | undefined }, Answer> => {
  const check = Body.fields(body)
  const address = check.text("url", {}) ?? undefined
  if (isNew && body["url"] === undefined) check.refuse("url", "This field is required.")
  const title = check.text("title", { max: 255, nullable: true, blank: true })
  // Only a new link's address is looked at. A PATCH stores anything.
  const wrong = isNew && address !== undefined ? wrongUrl(address) : undefined
  if (wrong !== undefined) check.refuse("url", wrong)
  const refusal = check.refusal()
  return refusal === undefined ? Either.right({ url: address, title }) : Either.left(refusal)
}

const of = (call: Call, project: Model.Project): ReadonlyArray<Model.Link> =>
  [...project.links.values()].filter(({ item }) => item.id === call.route.itemId)

/** The newest first. For an unknown item it is an empty list. */
export const list = (call: Call, project: Model.Project): Effect.Effect<Answer> => {
  const rows = project.archivedAt === null ? [...of(call, project)].reverse() : []
  return Effect.succeed(paginate(rows, call.params, (link) => view(link, call)))
}

const named = (call: Call, project: Model.Project): Model.Link | undefined =>
  of(call, project).find(({ id }) => id === call.route.linkId)

export const read = (call: Call, project: Model.Project): Effect.Effect<Answer> => {
  const link = named(call, project)
  return Effect.succeed(
    link === undefined || project.archivedAt !== null
      ? missing
      : json(200, Views.pick(view(link, call), fieldsOf(call.params)))
  )
}

/** The item may be deleted, archived or of another project: the link belongs to the project of the path. */
export const create = (call: Call, project: Model.Project): Effect.Effect<Answer> =>
  Effect.gen(function*() {
    const body = Body.parse(call.request)
    if (Either.isLeft(body)) return body.left
    const content = validate(body.right, true)
    if (Either.isLeft(content)) return content.left
    const { title = null, url = "" } = content.right
    const known = [...call.store.projects.values()].flatMap((each) => of(call, each))
    if (known.some((link) => link.url === url)) return json(400, { error: "URL already exists for this Issue" })
    const item = call.store.item(call.route.itemId)
    const by = body.right["created_by"]
    const author = by === undefined ? call.caller : Model.users.get(Body.asText(by))
    if (item === undefined || author === undefined) return invalidPayload
    const link = yield* call.write((at) => {
      const made: Model.Link = {
        id: randomUUID(),
        project,
        item,
        url,
        title,
        metadata: {},
        createdBy: author,
        updatedBy: call.caller,
        createdAt: at,
        updatedAt: at
      }
      project.links.set(made.id, made)
      item.updatedAt = at
      return made
    })
    const made = json(201, view(link, call))
    crawl(link)
    return made
  })

export const patch = (call: Call, project: Model.Project): Effect.Effect<Answer> =>
  Effect.gen(function*() {
    const link = named(call, project)
    if (link === undefined) return missing
    const body = Body.parse(call.request)
    if (Either.isLeft(body)) return body.left
    const content = validate(body.right, false)
    if (Either.isLeft(content)) return content.left
    const { title, url } = content.right
    yield* call.write((at) => {
      if (url !== undefined) link.url = url
      if (title !== undefined) link.title = title
      link.updatedBy = call.caller
      link.updatedAt = at
      link.item.updatedAt = at
    })
    const changed = json(200, view(link, call))
    crawl(link)
    return changed
  })

/** Any member deletes anybody's link, and its address is free again. */
export const remove = (call: Call, project: Model.Project): Effect.Effect<Answer> => {
  const link = named(call, project)
  if (link === undefined) return Effect.succeed(missing)
  const deleted = call.write((at) => {
    project.links.delete(link.id)
    link.item.updatedAt = at
  })
  return Effect.as(deleted, noContent)
}
