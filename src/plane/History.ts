import { Effect, Schema } from "effect"
import type { ItemId } from "../domain/Ids.js"
import { CommentId, UserId } from "../domain/Ids.js"
import { epochOf } from "../domain/PlaneMoment.js"
import { StateId } from "../domain/StageStates.js"
import type { PathFamily } from "./PathFamily.js"
import type { PlaneError } from "./PlaneError.js"
import type { Slot } from "./RateBudget.js"
import * as Wire from "./Wire.js"

/** That somebody has moved a work item. */
export interface Move {
  readonly by: UserId | null
  readonly to: StateId | null
  /** When, in seconds since 1970 by Plane's clock. */
  readonly second: number
}

/** A comment with who has made it, and who has edited it last. */
export interface SignedComment {
  readonly id: CommentId
  readonly html: string
  readonly source: string | null
  readonly externalId: string | null
  readonly madeBy: UserId | null
  readonly editedBy: UserId | null
}

/** What was done to a work item, and by whom. */
export interface History {
  readonly moves: (id: ItemId, slot?: Slot) => Effect.Effect<ReadonlyArray<Move>, PlaneError>
  readonly signedComments: (id: ItemId, slot?: Slot) => Effect.Effect<ReadonlyArray<SignedComment>, PlaneError>
  readonly deleteComment: (id: ItemId, commentId: CommentId, slot?: Slot) => Effect.Effect<void, PlaneError>
}

const userOf = (id: string | null | undefined) => id === null || id === undefined ? null : UserId(id)

const newest = 30

export const makeHistory = (family: PathFamily, project: () => ReadonlyArray<string>): History => ({
  moves: Effect.fn("PlaneClient.moves")((id: ItemId, slot?: Slot) =>
    family.send(
      Wire.ActivitiesJson,
      (name) => ({
        method: "GET",
        path: [...project(), name, id, "activities"],
        query: {
          // Without an order the oldest come first.
          order_by: "-created_at",
          per_page: String(newest),
          fields: "field,new_identifier,actor,epoch,created_at"
        }
      }),
      slot
    ).pipe(Effect.map(({ results }) =>
      results.filter(({ field }) => field === "state").map((each): Move => ({
        by: userOf(each.actor),
        to: each.new_identifier === null ? null : StateId(each.new_identifier.toLowerCase()),
        second: Math.floor(each.epoch ?? epochOf(each.created_at) / 1_000)
      }))
    ))
  ),
  signedComments: Effect.fn("PlaneClient.signedComments")((id: ItemId, slot?: Slot) =>
    family.send(
      Wire.SignedCommentsJson,
      (name) => ({
        method: "GET",
        path: [...project(), name, id, "comments"],
        query: { fields: "id,comment_html,external_source,external_id,actor,updated_by", per_page: "100" }
      }),
      slot
    ).pipe(Effect.map(({ results }) =>
      results.map((each): SignedComment => ({
        id: CommentId(each.id),
        html: each.comment_html,
        source: each.external_source ?? null,
        externalId: each.external_id ?? null,
        madeBy: userOf(each.actor),
        editedBy: userOf(each.updated_by)
      }))
    ))
  ),
  deleteComment: Effect.fn("PlaneClient.deleteComment")((id: ItemId, commentId: CommentId, slot?: Slot) =>
    family.send(
      // A 204, which has no body.
      Schema.String,
      (name) => ({ method: "DELETE", path: [...project(), name, id, "comments", commentId] }),
      slot
    ).pipe(
      Effect.asVoid,
      Effect.catchIf(({ reason }) => reason === "NotFound", () => Effect.void)
    )
  )
})
