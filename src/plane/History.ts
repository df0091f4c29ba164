import { DateTime, Effect, Option, Schema } from "effect"
import { EpochMillis, utc } from "../base/Time.js"
import type { ItemId } from "../domain/Ids.js"
import { CommentId, UserId } from "../domain/Ids.js"
import type { PlaneMoment } from "../domain/PlaneMoment.js"
import { epochOf } from "../domain/PlaneMoment.js"
import { StateId } from "../domain/StageStates.js"
import type { PathFamily } from "./PathFamily.js"
import type { PlaneError } from "./PlaneError.js"
import type { Slot } from "./RateBudget.js"
import * as Wire from "./Wire.js"

/** That somebody has moved a work item. */
export interface Move {
  readonly by: Option.Option<UserId>
  readonly to: Option.Option<StateId>
  /** When, by Plane's clock: the beginning of the second, because activities tell no more. */
  readonly at: DateTime.Utc
}

/** That somebody was assigned to a work item, or was taken out. */
export interface Assignment {
  readonly by: Option.Option<UserId>
  readonly user: UserId
  readonly isAdded: boolean
  /** When, as in `Move`. */
  readonly at: DateTime.Utc
}

/** A comment with who has made it, and who has edited it last. */
export interface SignedComment {
  readonly id: CommentId
  readonly html: string
  readonly source: Option.Option<string>
  readonly externalId: Option.Option<string>
  readonly madeBy: Option.Option<UserId>
  readonly editedBy: Option.Option<UserId>
  /** Somebody has edited it, as far as Plane tells. */
  readonly isEdited: boolean
  readonly createdAt: Option.Option<PlaneMoment>
}

/** What was done to a work item, and by whom. */
export interface History {
  readonly moves: (id: ItemId, slot?: Slot) => Effect.Effect<ReadonlyArray<Move>, PlaneError>
  readonly assignments: (id: ItemId, slot?: Slot) => Effect.Effect<ReadonlyArray<Assignment>, PlaneError>
  readonly signedComments: (id: ItemId, slot?: Slot) => Effect.Effect<ReadonlyArray<SignedComment>, PlaneError>
  readonly deleteComment: (id: ItemId, commentId: CommentId, slot?: Slot) => Effect.Effect<void, PlaneError>
}

const userOf = (id: string | null | undefined) => Option.map(Option.fromNullable(id), (id) => UserId(id))

type Activity = typeof Wire.ActivitiesJson.Type["results"][number]

/** The second of a change: that of the activity itself where Plane gives none, or a number that is no moment. */
const secondOf = ({ created_at, epoch }: Activity): DateTime.Utc =>
  Option.fromNullable(epoch).pipe(
    Option.flatMap((seconds) => DateTime.make(Math.floor(seconds) * 1_000)),
    Option.getOrElse(() => utc(EpochMillis(Math.floor(epochOf(created_at) / 1_000) * 1_000)))
  )

const newest = 30

const userIds = (id: string | null | undefined) => id === null || id === undefined ? [] : [UserId(id.toLowerCase())]

export const makeHistory = (family: PathFamily, project: () => ReadonlyArray<string>): History => {
  const activities = (id: ItemId, of: string, fields: string, slot?: Slot) =>
    family.send(
      Wire.ActivitiesJson,
      (name) => ({
        method: "GET",
        path: [...project(), name, id, "activities"],
        query: {
          // Without an order the oldest come first.
          order_by: "-created_at",
          per_page: String(newest),
          fields: `field,${fields},actor,epoch,created_at`
        }
      }),
      slot
    ).pipe(Effect.map(({ results }) => results.filter(({ field }) => field === of)))

  return {
    moves: Effect.fn("PlaneClient.moves")((id: ItemId, slot?: Slot) =>
      Effect.map(activities(id, "state", "new_identifier", slot), (all) =>
        all.map((each): Move => ({
          by: userOf(each.actor),
          to: Option.map(Option.fromNullable(each.new_identifier), (id) => StateId(id.toLowerCase())),
          at: secondOf(each)
        })))
    ),
    assignments: Effect.fn("PlaneClient.assignments")((id: ItemId, slot?: Slot) =>
      Effect.map(activities(id, "assignees", "new_identifier,old_identifier", slot), (all) =>
        all.flatMap((each) => {
          const told = { by: userOf(each.actor?.toLowerCase()), at: secondOf(each) }
          return [
            ...userIds(each.new_identifier).map((user): Assignment => ({ ...told, user, isAdded: true })),
            ...userIds(each.old_identifier).map((user): Assignment => ({ ...told, user, isAdded: false }))
          ]
        }))
    ),
    signedComments: Effect.fn("PlaneClient.signedComments")((id: ItemId, slot?: Slot) =>
      family.send(
        Wire.SignedCommentsJson,
        (name) => ({
          method: "GET",
          path: [...project(), name, id, "comments"],
          query: {
            fields: "id,comment_html,external_source,external_id,actor,updated_by,created_at,edited_at",
            per_page: "100"
          }
        }),
        slot
      ).pipe(Effect.map(({ results }) =>
        results.map((each): SignedComment => ({
          id: CommentId(each.id),
          html: each.comment_html,
          source: Option.fromNullable(each.external_source),
          externalId: Option.fromNullable(each.external_id),
          madeBy: userOf(each.actor),
          editedBy: userOf(each.updated_by),
          isEdited: (each.updated_by ?? each.edited_at ?? null) !== null,
          createdAt: Option.fromNullable(each.created_at)
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
  }
}
