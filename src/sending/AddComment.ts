import { DateTime, Effect, Option } from "effect"
import { epochMillis, later } from "../base/Time.js"
import type { Delivery } from "../outbox/Delivery.js"
import type { SendJob } from "../outbox/Job.js"
import type { SendOutcome } from "../outbox/Outcome.js"
import type { CommentRead } from "../plane/PlaneClient.js"
import type { PlaneError } from "../plane/PlaneError.js"
import type { Slot } from "../plane/RateBudget.js"
import { dead } from "./DeadOutcome.js"
import { nextExternalId, tellsOwed } from "./NextStep.js"
import { quietLeft } from "./Retry.js"
import type { SendContext } from "./SendContext.js"
import { write } from "./SendContext.js"

/** Whether a delivery is a comment that tells several events. */
export const tellsSeveral = ({ events, kind }: Delivery): boolean => kind === "comment" && events > 1

/** A part of what was split is not tried as often as all of it: each smaller part is tried anew. */
const mostAttempts = ({ config }: SendContext, delivery: Delivery) =>
  tellsSeveral(delivery) && delivery.part !== null ? 1 : config.maxAttempts

/**
 * The attempts of a delivery that count towards the last one. A comment that tells several events has more than those:
 * after the last comes a look, and that has as many.
 */
export const ownAttempts = (context: SendContext, delivery: Delivery): number => {
  const most = mostAttempts(context, delivery)
  if (!tellsSeveral(delivery)) return delivery.attempts
  return delivery.attempts <= most
    ? Math.min(delivery.attempts, context.config.maxAttempts - 1)
    : delivery.attempts - most
}

/** Adds a comment; one that tells several events is split instead when its attempts are used up. */
export const addComment = (
  context: SendContext,
  job: SendJob,
  slot: Slot
): Effect.Effect<SendOutcome, PlaneError> =>
  tellsSeveral(job.delivery) && job.delivery.attempts > mostAttempts(context, job.delivery)
    ? splitUnlessThere(context, job, slot)
    : add(context, job, slot)

const add = (context: SendContext, { delivery, itemId }: SendJob, slot: Slot) => {
  const { client, destination } = context
  const comment = {
    html: delivery.body,
    externalId: delivery.externalId ?? "",
    createdAt: DateTime.unsafeMake(delivery.occurredAt)
  }
  return write(context, slot, (mine) => client.addComment(itemId, comment, mine)).pipe(
    Effect.flatMap(({ adopted, id: commentId }): Effect.Effect<SendOutcome, PlaneError> => {
      // Its own echo, or one that cannot be read: Plane names the comment in every version that was seen.
      const isOwn = !adopted || commentId === null || (delivery.tried && delivery.part === null)
      return isOwn
        ? Effect.succeed({ _tag: "Delivered", commentId, seen: undefined })
        : Effect.map(client.readComment(itemId, commentId), (html) => takenBy(delivery, { id: commentId, html }))
    }),
    Effect.tap(destination.wrote)
  )
}

const takenBy = (delivery: Delivery, comment: CommentRead): SendOutcome => ({
  _tag: "Taken",
  commentId: comment.id,
  tells: tellsOwed(comment.html),
  nextExternalId: nextExternalId(delivery.externalId ?? "")
})

/**
 * After the last attempt of a comment that tells several events, when its quiet time is over: it is split, unless Plane
 * has it after all. Only its first half has the same external id, so a second copy of the other would not be noticed.
 */
const splitUnlessThere = (
  { client }: SendContext,
  { delivery, itemId }: SendJob,
  slot: Slot
): Effect.Effect<SendOutcome, PlaneError> =>
  Effect.map(
    client.findComment(itemId, delivery.externalId ?? "", slot),
    Option.match({
      onNone: (): SendOutcome => ({ _tag: "Split", reason: "no attempt of it went well", unanswered: true }),
      onSome: (comment) => takenBy(delivery, comment)
    })
  )

/** Plane has been seen to add a comment and answer 4xx all the same (Plane #7505): its external id tells, by a 409. */
export const isPerhapsAdded = ({ kind }: Delivery, error: PlaneError): boolean =>
  kind === "comment" && error.reason === "Refused"

/**
 * A refused comment is sent once more before the refusal is believed, and not within its quiet time. One that tells
 * several events is split then. Its parts are believed at once: the parts that follow tell what this one does not find.
 */
export const commentRefused = (
  context: SendContext,
  { delivery }: SendJob,
  error: PlaneError
): Effect.Effect<SendOutcome> => {
  if (delivery.refusals > 0 || delivery.part !== null) {
    return Effect.succeed(
      tellsSeveral(delivery)
        ? { _tag: "Split", reason: error.message, answer: error.status, unanswered: false }
        : dead(error)
    )
  }
  return Effect.zipWith(epochMillis, quietLeft(context, error), (now, quiet): SendOutcome => ({
    _tag: "Later",
    dueAt: later(now, quiet),
    counted: true,
    maybeDone: true,
    refused: true,
    reason: error.message,
    answer: error.status
  }))
}
