import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Body from "./Body.js"
import type { Call } from "./Call.js"
import type { Answer, JsonObject } from "./Http.js"
import { conflict, invalidDetail, invalidPayload, json, missing, noContent } from "./Http.js"
import * as Model from "./Model.js"
import { clockMillisOf, PlaneMicros } from "./Moment.js"
import { fieldsOf, paginate } from "./Pages.js"
import { pairKey } from "./Store.js"
import * as Views from "./Views.js"
import { changes, commentChanged } from "./Webhooks.js"

/** The newest first: `order_by` and an external id are ignored. An archived project has none. */
export const list = (call: Call, project: Model.Project): Effect.Effect<Answer> => {
  const item = call.store.item(call.route.itemId)
  const rows = item?.project === project && project.archivedAt === null
    ? [...item.comments].sort((a, b) => b.createdAt - a.createdAt)
    : []
  return Effect.succeed(paginate(rows, call.params, (row) => Views.commentRead(row, call.store.workspace)))
}

const named = (call: Call, project: Model.Project): Model.Comment | undefined => {
  const found = call.store.comment(call.route.commentId)
  return found?.item.id === call.route.itemId && found.item.project === project ? found : undefined
}

export const read = (call: Call, project: Model.Project): Effect.Effect<Answer> => {
  const found = named(call, project)
  return Effect.succeed(
    found === undefined || project.archivedAt !== null
      ? missing
      : json(200, Views.pick(Views.commentRead(found, call.store.workspace), fieldsOf(call.params)))
  )
}

interface Content {
  readonly html: string | undefined
  readonly access: string | undefined
  readonly source: string | null | undefined
  readonly externalId: string | null | undefined
}

const validate = (body: JsonObject): Either.Either<Content, Answer> => {
  const check = Body.fields(body)
  const content = {
    html: check.text("comment_html", { blank: true }) ?? undefined,
    access: check.choice("access", ["INTERNAL", "EXTERNAL"]),
    source: check.text("external_source", { max: 255, nullable: true, blank: true }),
    externalId: check.text("external_id", { max: 255, nullable: true, blank: true })
  }
  const refusal = check.refusal()
  return refusal === undefined ? Either.right(content) : Either.left(refusal)
}

/** The newest comment with the pair, as `.first()` finds it. */
const holderOf = (project: Model.Project, source: unknown, id: unknown): Model.Comment | undefined =>
  project.commentPairs.get(pairKey(Body.asText(source), Body.asText(id)))?.reduce((newest, other) =>
    other.createdAt > newest.createdAt ? other : newest
  )

/** `created_at` as sent; undefined when it is no date. */
const momentOf = (raw: string): PlaneMicros | undefined => {
  const fraction = /\.(\d+)/.exec(raw)?.[1] ?? ""
  const millis = Date.parse(raw)
  return Number.isNaN(millis) ? undefined : PlaneMicros(millis * 1000 + Number(fraction.padEnd(6, "0").slice(3, 6)))
}

/**
 * Looks for the pair when the request arrives, over the whole project, and only if both halves are given. The insertion
 * comes later. So parallel requests with one pair all pass, as they do in Plane.
 */
export const create = (call: Call, project: Model.Project): Effect.Effect<Answer> =>
  Effect.gen(function*() {
    const parsed = Body.parse(call.request)
    if (Either.isLeft(parsed)) return parsed.left
    const body = parsed.right
    if (Body.truthy(body["external_id"]) && Body.truthy(body["external_source"])) {
      const holder = holderOf(project, body["external_source"], body["external_id"])
      if (holder !== undefined) return conflict("Work item comment", holder.id)
    }
    const content = validate(body)
    if (Either.isLeft(content)) return content.left
    const { access, externalId, html, source } = content.right
    // A deleted item is still a row: its comments are accepted.
    const item = call.store.item(call.route.itemId)
    if (item?.project !== project) return invalidPayload
    const authorId = body["created_by"]
    const author = authorId === undefined
      ? call.caller
      : typeof authorId === "string"
      ? Model.users.get(authorId)
      : undefined
    const createdRaw = body["created_at"]
    if (author === undefined || createdRaw === null) return invalidPayload
    const createdAt = typeof createdRaw === "string" ? momentOf(createdRaw) : undefined
    if (createdRaw !== undefined && createdAt === undefined) return invalidDetail
    const made = yield* call.write((at) =>
      call.store.addComment(item, {
        html: html ?? "<p></p>",
        access: access ?? "INTERNAL",
        externalSource: source ?? null,
        externalId: externalId ?? null,
        author,
        actor: call.caller,
        createdAt: createdAt ?? call.store.moment(clockMillisOf(at)),
        updatedAt: at
      })
    )
    yield* call.announce(commentChanged(made, call.store.workspace, undefined, call.caller))
    return json(201, {
      ...Views.comment(made, call.store.workspace),
      // The answer shows the given `created_at` and sender; the row, when it is read later, shows neither.
      ...(createdRaw === undefined ? {} : { created_at: createdRaw }),
      updated_by: call.caller.id,
      // Only the answer believes `created_by`: the row and the webhook name the owner of the API token.
      actor: author.id
    })
  })

export const patch = (call: Call, project: Model.Project): Effect.Effect<Answer> =>
  Effect.gen(function*() {
    const found = named(call, project)
    if (found === undefined) return missing
    const parsed = Body.parse(call.request)
    if (Either.isLeft(parsed)) return parsed.left
    const body = parsed.right
    const wanted = body["external_id"]
    if (Body.truthy(wanted) && Body.asText(wanted) !== found.externalId) {
      const holder = holderOf(project, body["external_source"] ?? found.externalSource, wanted)
      // Plane names the comment of the request here, not the holder.
      if (holder !== undefined) return conflict("Work item comment", found.id)
    }
    const content = validate(body)
    if (Either.isLeft(content)) return content.left
    const { access, externalId, html, source } = content.right
    const before = Views.comment(found, call.store.workspace)
    yield* call.write((at) => {
      if (html !== undefined) found.html = html
      if (access !== undefined) found.access = access
      if (source !== undefined || externalId !== undefined) {
        call.store.pairComment(
          found,
          source === undefined ? found.externalSource : source,
          externalId === undefined ? found.externalId : externalId
        )
      }
      found.updatedBy = call.caller
      found.updatedAt = at
      found.item.updatedAt = at
    })
    for (const changed of changes(before, body)) {
      yield* call.announce(commentChanged(found, call.store.workspace, changed, call.caller))
    }
    return json(200, Views.comment(found, call.store.workspace))
  })

export const remove = (call: Call, project: Model.Project): Effect.Effect<Answer> => {
  const found = named(call, project)
  return found === undefined
    ? Effect.succeed(missing)
    : Effect.as(
      call.write((at) => {
        call.store.deleteComment(found)
        found.item.updatedAt = at
      }),
      noContent
    )
}
