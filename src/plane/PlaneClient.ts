import type * as HttpClient from "@effect/platform/HttpClient"
import { Context, DateTime, Effect, Layer, Option } from "effect"
import { UserId } from "../domain/Ids.js"
import type { CommentId, ItemId } from "../domain/Ids.js"
import type { PlaneState } from "../domain/StageStates.js"
import type { WorkItemKey } from "../domain/WorkItemKey.js"
import type { Account } from "./Account.js"
import { askAccount } from "./Account.js"
import type { Changes } from "./Changes.js"
import { makeChanges } from "./Changes.js"
import { CurrentProject } from "./CurrentProject.js"
import type { Ask } from "./Exchange.js"
import { aboutAnother, make as makeExchange } from "./Exchange.js"
import type { FindError } from "./FindByKey.js"
import { makeFindByKey } from "./FindByKey.js"
import type { History } from "./History.js"
import { makeHistory } from "./History.js"
import { makeVersion } from "./Instance.js"
import type { ItemPages } from "./ItemPages.js"
import { makeItemPages, pageSize } from "./ItemPages.js"
import type { PlaneLinks } from "./Links.js"
import { makeLinks } from "./Links.js"
import { makeLocate, mostPages, projectPath } from "./Locate.js"
import type { Member } from "./Members.js"
import { askMembers } from "./Members.js"
import { makePathFamily } from "./PathFamily.js"
import type { PlaneError } from "./PlaneError.js"
import { makeProbe } from "./Probe.js"
import type { RateBudget, Slot } from "./RateBudget.js"
import { listStates } from "./StateList.js"
import * as Wire from "./Wire.js"
import type { WorkItem } from "./WorkItem.js"
import { isSameId, toWorkItem } from "./WorkItem.js"
import { makeFindInList } from "./WorkItemList.js"

/** What marks the comments as ours: Plane's `external_source`. */
export const externalSource = "plane-sync"

/** A comment as it is in Plane. */
export interface CommentRead {
  readonly id: CommentId
  readonly html: string
}

/**
 * Plane's REST API, as far as this program needs it. Each request has one total deadline and uses one slot of the
 * `RateBudget`: the first request of a method uses the slot that the method is given, all others wait for their own. No
 * request is repeated here. The token is in no error.
 */
export class PlaneClient extends Context.Tag("plane-sync/PlaneClient")<PlaneClient, {
  /**
   * The work item that a key names. A key with leading zeros ("ET-002") means the work item that has the key in its
   * name, or else the one with this number: two requests. A key without them ("ET-2") means the one with this number
   * (one request), or else the one that has the key in its name (three). A Plane without a request by key, or without
   * a search, is asked for its list: then `ListUnread` says that the rest of it is read by another call.
   */
  readonly find: (key: WorkItemKey, slot?: Slot) => Effect.Effect<WorkItem, FindError>
  /** The newest work items of the project, at most 100; `all` when it has no others. One request. */
  readonly newest: (
    slot?: Slot
  ) => Effect.Effect<{ readonly items: ReadonlyArray<WorkItem>; readonly all: boolean }, PlaneError>
  /** A page of the project's work items, those that were changed last come first. */
  readonly changed: ItemPages["changed"]
  /** `NotFound` when it was deleted or archived: Plane does not tell which. */
  readonly read: (id: ItemId, slot?: Slot) => Effect.Effect<WorkItem, PlaneError>
  /** `Ignored` when Plane says yes and the state is another. */
  readonly setState: Changes["setState"]
  /** The same as `read`, with who is assigned. */
  readonly readAssigned: Changes["readAssigned"]
  /** Replaces all who are assigned, and sets a state with it if one is given (`Ignored`). */
  readonly assign: Changes["assign"]
  /**
   * Adds a comment, at its true time. `externalId` (at most 255 characters, unique in the project) keeps a repetition
   * from adding a second one: `adopted` says that it was there; its id is none where Plane did not name it. `by` is
   * the user whose API token it is, where the answer tells. Plane's
   * check is not atomic, so one writer per work item must send one after the other.
   */
  readonly addComment: (
    id: ItemId,
    comment: { readonly html: string; readonly externalId: string; readonly createdAt: DateTime.Utc },
    slot?: Slot
  ) => Effect.Effect<
    { readonly id: Option.Option<CommentId>; readonly adopted: boolean; readonly by: Option.Option<UserId> },
    PlaneError
  >
  /** The HTML of a comment. `NotFound` when it, or its work item, was deleted. */
  readonly readComment: (id: ItemId, commentId: CommentId, slot?: Slot) => Effect.Effect<string, PlaneError>
  /** The comment of a work item that has an external id of ours, if it is among its newest 100. One request. */
  readonly findComment: (
    id: ItemId,
    externalId: string,
    slot?: Slot
  ) => Effect.Effect<Option.Option<CommentRead>, PlaneError>
  /** Replaces a comment's HTML. `NotFound` when the comment, or its work item, was deleted. */
  readonly editComment: (id: ItemId, comment: CommentRead, slot?: Slot) => Effect.Effect<void, PlaneError>
  /** Deletes a comment. One that is not there any more is a success. */
  readonly deleteComment: History["deleteComment"]
  /** The newest 100 comments of a work item, with who has made and who has edited them. One request. */
  readonly signedComments: History["signedComments"]
  /** Adds a link to a work item. `meansLinkTaken` tells that its address is there already. */
  readonly addLink: PlaneLinks["addLink"]
  /** The link of a work item that has exactly this address, if it is among its newest 100. One request. */
  readonly findLink: PlaneLinks["findLink"]
  /** Deletes a link. One that is not there any more is a success. */
  readonly removeLink: PlaneLinks["removeLink"]
  /** Who has moved a work item to which states, the newest first, as far as its newest 30 activities tell. */
  readonly moves: History["moves"]
  /** Who has assigned whom, or taken them out, in the same way. */
  readonly assignments: History["assignments"]
  /** The version that Plane says it has; none where it does not tell. Needs no slot. */
  readonly version: Effect.Effect<Option.Option<string>>
  /** Whose API token it is. Some versions do not know the path: `WrongAddress`. */
  readonly account: Effect.Effect<Account, PlaneError>
  /** Who is in the project, or was. Some versions do not know the path: `WrongAddress`. */
  readonly members: Effect.Effect<ReadonlyArray<Member>, PlaneError>
  /** All states of the project. */
  readonly states: Effect.Effect<ReadonlyArray<PlaneState>, PlaneError>
  /**
   * The harmless request that tells whether Plane is there, takes the API token and lets it write to the project that
   * is set. `WrongAddress`: its identifier is another; `PermissionDenied`: the token's user is no member, or a guest;
   * `Archived`. Where only the identifier is set, and it is not where it was before, Plane is asked for it anew.
   */
  readonly probe: Effect.Effect<void, PlaneError>
}>() {
  static readonly layer: Layer.Layer<
    PlaneClient,
    never,
    RateBudget | HttpClient.HttpClient | CurrentProject
  > = Layer.effect(PlaneClient, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const current = yield* CurrentProject
  const { project: target } = current
  const exchange = yield* makeExchange(current)
  const locate = makeLocate(current, exchange)
  const family = makePathFamily(exchange, locate.known)
  const project = () => projectPath(current)

  const read = Effect.fn("PlaneClient.read")((id: ItemId, slot?: Slot) =>
    family.run(
      (name, slot) =>
        exchange.sendAbout(
          id,
          { method: "GET", path: [...project(), name, id], query: Wire.workItemQuery },
          Wire.WorkItemJson,
          slot
        ),
      slot
    ).pipe(Effect.map(toWorkItem))
  )

  const { changed, newest: page } = makeItemPages(current, exchange, family)

  const newest = Effect.fn("PlaneClient.newest")((slot?: Slot) => page(undefined, slot))

  const addComment = Effect.fn("PlaneClient.addComment")((
    id: ItemId,
    comment: { readonly html: string; readonly externalId: string; readonly createdAt: DateTime.Utc },
    slot?: Slot
  ) =>
    family.run((name, slot) => {
      const ask: Ask = {
        method: "POST",
        path: [...project(), name, id, "comments"],
        body: {
          comment_html: comment.html,
          external_source: externalSource,
          external_id: comment.externalId,
          created_at: DateTime.formatIso(comment.createdAt)
        }
      }
      return Effect.flatMap(
        exchange.sendOrConflict(ask, { success: Wire.CommentJson, conflict: Wire.TakenJson }, slot),
        ({ conflict, value }) => {
          const isOurs = conflict || !("issue" in value || "external_id" in value) ||
            (isSameId(value.issue ?? id, id) && (value.external_id ?? comment.externalId) === comment.externalId)
          const by = !conflict && "actor" in value && typeof value.actor === "string"
            ? Option.some(UserId(value.actor))
            : Option.none()
          return isOurs
            ? Effect.succeed({ id: Option.fromNullable("id" in value ? value.id : null), adopted: conflict, by })
            : exchange.failure(ask, aboutAnother(value.id, "unknown"))
        }
      )
    }, slot)
  )

  const readComment = Effect.fn("PlaneClient.readComment")((id: ItemId, commentId: CommentId, slot?: Slot) =>
    family.run(
      (name, slot) =>
        exchange.sendAbout(
          commentId,
          {
            method: "GET",
            path: [...project(), name, id, "comments", commentId],
            query: { fields: "id,comment_html" }
          },
          Wire.CommentReadJson,
          slot
        ),
      slot
    ).pipe(Effect.map(({ comment_html }) => comment_html))
  )

  const findComment = Effect.fn("PlaneClient.findComment")((id: ItemId, externalId: string, slot?: Slot) =>
    family.send(
      Wire.CommentsJson,
      (name) => ({
        method: "GET",
        path: [...project(), name, id, "comments"],
        query: { fields: "id,comment_html,external_source,external_id", per_page: String(pageSize) }
      }),
      slot
    ).pipe(Effect.map(({ results }) =>
      Option.map(
        Option.fromNullable(
          results.find((each) => each.external_source === externalSource && each.external_id === externalId)
        ),
        ({ comment_html, id }): CommentRead => ({ id, html: comment_html })
      )
    ))
  )

  const editComment = Effect.fn("PlaneClient.editComment")((id: ItemId, comment: CommentRead, slot?: Slot) =>
    family.run(
      (name, slot) =>
        exchange.sendAbout(
          comment.id,
          {
            method: "PATCH",
            path: [...project(), name, id, "comments", comment.id],
            body: { comment_html: comment.html }
          },
          Wire.CommentJson,
          slot
        ),
      slot
    ).pipe(Effect.asVoid)
  )

  const states = Effect.zipRight(
    locate.known,
    Effect.suspend(() => listStates(exchange, project(), mostPages))
  )

  return PlaneClient.of({
    find: makeFindByKey({
      current,
      exchange,
      family,
      read,
      inList: makeFindInList({ page, project: target, read })
    }),
    newest,
    changed,
    read,
    ...makeChanges(exchange, family, project),
    addComment,
    readComment,
    findComment,
    editComment,
    ...makeHistory(family, project),
    ...makeLinks(exchange, family, project),
    version: yield* makeVersion(current.config),
    account: askAccount(exchange),
    states,
    members: Effect.zipRight(locate.known, Effect.suspend(() => askMembers(exchange, project()))),
    probe: Effect.asVoid(makeProbe({ current, exchange, locate }))
  })
})
