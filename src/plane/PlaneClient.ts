import type * as HttpClient from "@effect/platform/HttpClient"
import type { ConfigError, Schema } from "effect"
import { Context, DateTime, Effect, Layer, Option } from "effect"
import { keyIn } from "../domain/Project.js"
import { Projects } from "../domain/Projects.js"
import type { WorkItemKey } from "../domain/WorkItemKey.js"
import type { Ask, Exchange } from "./Exchange.js"
import { make as makeExchange } from "./Exchange.js"
import { PlaneConfig } from "./PlaneConfig.js"
import type { PlaneError } from "./PlaneError.js"
import { AmbiguousName, UnknownProject, WorkItemNotFound } from "./PlaneError.js"
import type { RateBudget } from "./RateBudget.js"
import type { ProjectJson, StateJson, UserJson } from "./Wire.js"
import * as Wire from "./Wire.js"

/** A work item, as far as this program needs it. */
export interface WorkItem {
  /** Plane's UUID. */
  readonly id: string
  readonly number: number
  readonly name: string
  readonly stateId: string | null
  /** backlog, unstarted, started, completed or cancelled; null where Plane did not tell. */
  readonly stateGroup: string | null
  /** When Plane last changed it: a `Moment`. */
  readonly updatedAt: string
}

/** What marks the comments as ours: Plane's `external_source`. */
export const externalSource = "plane-sync"

/**
 * Plane's REST API, as far as this program needs it. Each request takes one slot of the `RateBudget` and has one total
 * deadline; none is repeated here. The token is in no error.
 */
export class PlaneClient extends Context.Tag("plane-sync/PlaneClient")<PlaneClient, {
  /**
   * The work item that people call so (spec.md, Rules). A key with leading zeros means the work item whose name carries
   * it, if there is one, else the number: two requests. Without them it means the number (one request), and a name only
   * when there is no such number (three).
   */
  readonly find: (
    key: WorkItemKey
  ) => Effect.Effect<WorkItem, PlaneError | WorkItemNotFound | AmbiguousName | UnknownProject>
  /** The newest work items of the project, at most 100; `all` when it has no others. One request. */
  readonly newest: Effect.Effect<{ readonly items: ReadonlyArray<WorkItem>; readonly all: boolean }, PlaneError>
  /** `NotFound` when it was deleted or archived: Plane does not tell which. */
  readonly read: (id: string) => Effect.Effect<WorkItem, PlaneError>
  /** `Ignored` when Plane says yes and the state is another. */
  readonly setState: (id: string, stateId: string) => Effect.Effect<WorkItem, PlaneError>
  /**
   * Adds a comment, at its true time. `externalId` (at most 255 characters, unique in the project) keeps a repetition
   * from adding a second one: `adopted` says that it was there; its id is null where Plane did not name it. Plane's
   * check is not atomic, so one writer per work item must send one after the other.
   */
  readonly addComment: (
    id: string,
    comment: { readonly html: string; readonly externalId: string; readonly createdAt: DateTime.Utc }
  ) => Effect.Effect<{ readonly id: string | null; readonly adopted: boolean }, PlaneError>
  /** The HTML of a comment. `NotFound` when it, or its work item, was deleted. */
  readonly readComment: (id: string, commentId: string) => Effect.Effect<string, PlaneError>
  /** The comment of a work item that has an external id of ours, if it is among its newest 100. One request. */
  readonly findComment: (
    id: string,
    externalId: string
  ) => Effect.Effect<Option.Option<{ readonly id: string; readonly html: string }>, PlaneError>
  /** Replaces a comment's HTML. `NotFound` when the comment, or its work item, was deleted. */
  readonly editComment: (id: string, commentId: string, html: string) => Effect.Effect<void, PlaneError>
  /** All states of the project. */
  readonly states: Effect.Effect<ReadonlyArray<StateJson>, PlaneError>
  readonly project: Effect.Effect<ProjectJson, PlaneError>
  /**
   * The harmless request that tells whether Plane is there, takes the key and lets it write to the project that is set.
   * `WrongAddress`: its identifier is another; `PermissionDenied`: the key's user is no member, or a guest; `Archived`.
   */
  readonly probe: Effect.Effect<void, PlaneError>
  /** Whose key it is. Some versions do not have it: `WrongAddress`. */
  readonly me: Effect.Effect<UserJson, PlaneError>
}>() {
  static readonly layer: Layer.Layer<
    PlaneClient,
    ConfigError.ConfigError,
    RateBudget | HttpClient.HttpClient | Projects
  > = Layer.effect(PlaneClient, Effect.suspend(() => make))
}

// More than any search for a key gives, so that what is beyond never decides.
const searchLimit = 1_000

// What Plane Cloud allows at most. The community edition gives up to 1,000, and an answer ten times as large.
const pageSize = 100

// The same views under two names: Plane has the first since 1.1.0 and has deprecated the second.
const families = ["work-items", "issues"] as const
type Family = (typeof families)[number]

// Answers of Plane about the work item itself: it knows the path.
const tells: ReadonlySet<PlaneError["reason"]> = new Set(["NotFound", "Refused", "Ignored"])

const sameId = (one: string | null, other: string) => one?.toLowerCase() === other.toLowerCase()

/** Sends to the family of paths that this Plane knows, found out once. */
const withFamily = (exchange: Exchange) => {
  let family: Family = families[0]
  return <A>(
    send: (family: Family, exchange: Exchange) => Effect.Effect<A, PlaneError>
  ): Effect.Effect<A, PlaneError> =>
    Effect.suspend(() => {
      const tried = family
      const other = tried === families[0] ? families[1] : families[0]
      const isUnknownPath = (error: PlaneError) => error.reason === "WrongAddress" && error.status === 404
      const remember = Effect.sync(() => {
        family = other
      })
      return send(tried, exchange).pipe(
        Effect.catchIf(isUnknownPath, (first) =>
          send(other, exchange).pipe(
            Effect.tapBoth({
              onSuccess: () => remember,
              onFailure: (error) => tells.has(error.reason) ? remember : Effect.void
            }),
            // Neither is known: the answer for the family that should be there tells more.
            Effect.catchIf(isUnknownPath, () => first)
          ))
      )
    })
}

const stateIdOf = ({ state }: typeof Wire.WorkItemJson.Type) =>
  typeof state === "string" || state === null ? state : state.id

/** Plane's roles are 5 for guests, 15 for members and 20 for admins. */
const leastRole = 15

/** Why nothing can be written to a project that Plane shows; a version that does not tell is taken to allow it. */
const whyNotWritable = (
  { archived_at, identifier, is_member, member_role }: typeof Wire.ProbeJson.Type,
  expected: string
): Pick<PlaneError, "reason" | "words"> | undefined => {
  if (identifier.toUpperCase() !== expected) {
    return {
      reason: "WrongAddress",
      words: `the project's identifier is ${identifier}, but the one set is ${expected}`
    }
  }
  if (typeof archived_at === "string") return { reason: "Archived", words: `archived since ${archived_at}` }
  if (is_member === false) {
    return { reason: "PermissionDenied", words: `the key's user is not a member of the project ${expected}` }
  }
  return typeof member_role === "number" && member_role < leastRole
    ? {
      reason: "PermissionDenied",
      words: `the key's user is a guest in the project ${expected}, and guests may not move work items`
    }
    : undefined
}

const make = Effect.gen(function*() {
  const config = yield* PlaneConfig
  const { project: target } = yield* Projects
  const exchange = yield* makeExchange(config)
  const inFamily = withFamily(exchange)
  const workspace = ["workspaces", config.workspaceSlug]
  const project = [...workspace, "projects", target.id]

  const askItem = <A, I>(schema: Schema.Schema<A, I>, ask: (family: Family) => Ask) =>
    inFamily((family) => exchange.send(ask(family), schema))

  const toWorkItem = (json: typeof Wire.WorkItemJson.Type): WorkItem => ({
    id: json.id,
    number: json.sequence_id,
    name: json.name,
    stateId: stateIdOf(json),
    stateGroup: typeof json.state === "string" || json.state === null ? null : json.state.group,
    updatedAt: json.updated_at
  })

  const byNumber = (key: WorkItemKey) =>
    inFamily((family) => {
      const ask: Ask = {
        method: "GET",
        path: [...workspace, family, key.canonical],
        query: Wire.workItemQuery
      }
      return Effect.filterOrFail(
        exchange.send(ask, Wire.WorkItemJson),
        (json) => sameId(json.project, target.id),
        // Everything else goes to the project's id, so the work item would never be found again.
        (json) =>
          exchange.failure(ask, {
            reason: "WrongAddress",
            sent: "answered",
            words: `${key.canonical} belongs to the project ${json.project}, but the one set is ${target.id}`,
            status: 200
          })
      )
    }).pipe(Effect.map(toWorkItem))

  const read = Effect.fn("PlaneClient.read")((id: string) =>
    askItem(Wire.WorkItemJson, (family) => ({
      method: "GET",
      path: [...project, family, id],
      query: Wire.workItemQuery
    })).pipe(Effect.map(toWorkItem))
  )

  const searchNames = Effect.fnUntraced(function*(key: WorkItemKey) {
    const { issues } = yield* askItem(Wire.SearchJson, (family) => ({
      method: "GET",
      path: [...workspace, family, "search"],
      query: {
        search: key.written,
        project_id: target.id,
        limit: String(searchLimit),
        fields: "id,name,sequence_id,project_id,project__identifier"
      }
    }))
    const items = issues.filter((issue) => sameId(issue.project_id, target.id) && key.isNamedIn(issue.name))
    const more = issues.length >= searchLimit
    if (items.length > 1 || more) {
      return yield* new AmbiguousName({
        key: key.written,
        items: items.map(({ id, name, sequence_id }) => ({
          id,
          name,
          key: keyIn(target, sequence_id)
        })),
        more
      })
    }
    return items
  })

  const byName = Effect.fnUntraced(function*<E, R>(key: WorkItemKey, otherwise: Effect.Effect<WorkItem, E, R>) {
    for (const item of yield* searchNames(key)) return yield* read(item.id)
    return yield* otherwise
  })

  const isMissing = (error: { readonly _tag: string; readonly reason?: string }) =>
    error._tag === "PlaneError" && error.reason === "NotFound"

  const find = Effect.fn("PlaneClient.find")(function*(key: WorkItemKey) {
    if (key.identifier !== target.identifier) {
      return yield* new UnknownProject({ key: key.written, known: target.identifier })
    }
    const notFound = new WorkItemNotFound({ key: key.written })
    const found = key.zeros
      ? byName(key, byNumber(key))
      : Effect.catchIf(byNumber(key), isMissing, () => byName(key, notFound))
    return yield* Effect.catchIf(found, isMissing, () => notFound)
  })

  const newest = askItem(Wire.WorkItemsJson, (family) => ({
    method: "GET",
    path: [...project, family],
    query: { ...Wire.workItemQuery, order_by: "-created_at", per_page: String(pageSize) }
  })).pipe(
    Effect.map(({ next_page_results, results }) => ({ items: results.map(toWorkItem), all: !next_page_results })),
    Effect.withSpan("PlaneClient.newest")
  )

  const setState = Effect.fn("PlaneClient.setState")((id: string, stateId: string) =>
    inFamily((family) => {
      // Nothing but the state: the answer to an unknown field is 200, and `sequence_id` could be overwritten.
      const ask: Ask = { method: "PATCH", path: [...project, family, id], body: { state: stateId } }
      return Effect.filterOrFail(exchange.send(ask, Wire.WorkItemJson), (json) =>
        sameId(stateIdOf(json), stateId), (json) =>
        exchange.failure(ask, {
          reason: "Ignored",
          sent: "answered",
          words: `asked for the state ${stateId}, it is ${stateIdOf(json) ?? "none"}`,
          status: 200
        }))
    }).pipe(Effect.map(toWorkItem))
  )

  const addComment = Effect.fn("PlaneClient.addComment")((
    id: string,
    comment: { readonly html: string; readonly externalId: string; readonly createdAt: DateTime.Utc }
  ) =>
    inFamily((family) =>
      exchange.sendOrConflict(
        {
          method: "POST",
          path: [...project, family, id, "comments"],
          body: {
            comment_html: comment.html,
            external_source: externalSource,
            external_id: comment.externalId,
            created_at: DateTime.formatIso(comment.createdAt)
          }
        },
        Wire.CommentJson,
        Wire.TakenJson
      )
    ).pipe(Effect.map(({ conflict, value }) => ({ id: "id" in value ? value.id : null, adopted: conflict })))
  )

  const readComment = Effect.fn("PlaneClient.readComment")((id: string, commentId: string) =>
    askItem(Wire.CommentReadJson, (family) => ({
      method: "GET",
      path: [...project, family, id, "comments", commentId],
      query: { fields: "id,comment_html" }
    })).pipe(Effect.map(({ comment_html }) => comment_html))
  )

  const findComment = Effect.fn("PlaneClient.findComment")((id: string, externalId: string) =>
    askItem(Wire.CommentsJson, (family) => ({
      method: "GET",
      path: [...project, family, id, "comments"],
      query: { fields: "id,comment_html,external_source,external_id", per_page: String(pageSize) }
    })).pipe(Effect.map(({ results }) =>
      Option.map(
        Option.fromNullable(
          results.find((each) => each.external_source === externalSource && each.external_id === externalId)
        ),
        ({ comment_html, id }) => ({ id, html: comment_html })
      )
    ))
  )

  const editComment = Effect.fn("PlaneClient.editComment")((id: string, commentId: string, html: string) =>
    askItem(Wire.CommentJson, (family) => ({
      method: "PATCH",
      path: [...project, family, id, "comments", commentId],
      body: { comment_html: html }
    })).pipe(Effect.asVoid)
  )

  const states = Effect.gen(function*() {
    const found: Array<StateJson> = []
    let cursor: string | undefined
    for (;;) {
      const page: typeof Wire.StatesJson.Type = yield* exchange.send({
        method: "GET",
        path: [...project, "states"],
        query: { fields: "id,name,group", per_page: String(pageSize), ...(cursor === undefined ? {} : { cursor }) }
      }, Wire.StatesJson)
      found.push(...page.results)
      if (!page.next_page_results || page.next_cursor === cursor) return found
      cursor = page.next_cursor
    }
  }).pipe(Effect.withSpan("PlaneClient.states"))

  const get = <A, I>(path: ReadonlyArray<string>, fields: string, schema: Schema.Schema<A, I>) =>
    exchange.send({ method: "GET", path, query: { fields } }, schema)

  const probe = Effect.gen(function*() {
    const ask: Ask = {
      method: "GET",
      path: project,
      query: { fields: "id,identifier,is_member,member_role,archived_at" }
    }
    const found = yield* Effect.catchIf(
      exchange.send(ask, Wire.ProbeJson),
      (error) => error.reason === "NotFound",
      ({ status }) =>
        exchange.failure(ask, {
          reason: "WrongAddress",
          sent: "answered",
          words: `there is no project with the id ${target.id}`,
          ...(status === undefined ? {} : { status })
        })
    )
    const why = whyNotWritable(found, target.identifier)
    if (why !== undefined) return yield* exchange.failure(ask, { ...why, sent: "answered", status: 200 })
  })

  return PlaneClient.of({
    find,
    newest,
    read,
    setState,
    addComment,
    readComment,
    findComment,
    editComment,
    states,
    project: get(project, "id,identifier,name", Wire.ProjectJson).pipe(Effect.withSpan("PlaneClient.project")),
    probe: probe.pipe(Effect.withSpan("PlaneClient.probe")),
    me: get(["users", "me"], "id,display_name", Wire.UserJson).pipe(Effect.withSpan("PlaneClient.me"))
  })
})
