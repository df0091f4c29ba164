import { Effect } from "effect"
import { CommentId } from "../domain/Ids.js"
import type { SendJob } from "../outbox/Job.js"
import type { OutcomeOf } from "../outbox/Outcome.js"
import type { PlaneError } from "../plane/PlaneError.js"
import type { Slot } from "../plane/RateBudget.js"
import type { SendContext } from "./SendContext.js"
import { write } from "./SendContext.js"

/**
 * Writes a gate failure's new count into the comment that tells it, or what it shows by now into the living comment.
 */
export const recount = (
  context: SendContext,
  { delivery, itemId }: SendJob,
  slot: Slot
): Effect.Effect<OutcomeOf["recount"], PlaneError> => {
  const comment = { id: delivery.commentId ?? CommentId(""), html: delivery.body }
  return write(context, slot, (mine) => context.client.editComment(itemId, comment, mine)).pipe(
    Effect.as<OutcomeOf["recount"]>({ _tag: "Delivered", commentId: null, seen: undefined }),
    Effect.tap(context.destination.wrote),
    Effect.catchIf(
      (error) => error.reason === "NotFound",
      (error) => {
        const gone: OutcomeOf["recount"] = { _tag: "CommentGone", reason: error.message }
        // A work item that was archived comes back with its living comment: only of one that is there it was deleted.
        return delivery.living === null ? Effect.succeed(gone) : Effect.as(context.client.read(itemId), gone)
      }
    )
  )
}
