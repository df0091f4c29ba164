import { DateTime, Duration, Effect, Option } from "effect"
import { epochMillis, later } from "../base/Time.js"
import { saysSame } from "../domain/Comment.js"
import type { CommentId, UserId } from "../domain/Ids.js"
import type { Delivery } from "../outbox/Delivery.js"
import type { SendJob } from "../outbox/Job.js"
import type { OutcomeOf } from "../outbox/Outcome.js"
import type { CommentRead } from "../plane/PlaneClient.js"
import type { PlaneError } from "../plane/PlaneError.js"
import type { Slot } from "../plane/RateBudget.js"
import { dead } from "./DeadOutcome.js"
import { nextExternalId, tellsOwed } from "./NextStep.js"
import { askOnceMore, retry, said } from "./Retry.js"
import type { SendContext } from "./SendContext.js"
import { write } from "./SendContext.js"

/** Whether a delivery is a comment that tells several events, so that it can be split. */
export const tellsSeveral = ({ events, kind, living }: Delivery): boolean =>
  kind === "comment" && events > 1 && living === null

/**
 * How often a comment is sent before it is split or given up. A part that can still be split is sent only once, because
 * its own halves are sent again anyway.
 */
const mostAttempts = ({ config }: SendContext, delivery: Delivery) =>
  tellsSeveral(delivery) && delivery.part !== null ? 1 : config.maxAttempts

/**
 * The attempts that are compared with `maxAttempts`. A comment that tells several events is looked for in Plane after
 * its last attempt (`splitUnlessThere`). That look may fail too, so it has attempts of its own, counted from 1. Before
 * the look, the number stays below `maxAttempts`, so that the delivery does not die.
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
): Effect.Effect<OutcomeOf["comment"], PlaneError> =>
  tellsSeveral(job.delivery) && job.delivery.attempts > mostAttempts(context, job.delivery)
    ? splitUnlessThere(context, job, slot)
    : add(context, job, slot)

const add = (context: SendContext, job: SendJob, slot: Slot) => {
  const { delivery, itemId } = job
  const { client, config, destination } = context
  // An earlier attempt may be executed as well. After three quiet times in all Plane has lost it with its worker.
  const twiceQuiet = Duration.times(config.quiet, 2)
  const lookAgain = (by: UserId | undefined, attempts: number) =>
    Effect.map(
      epochMillis,
      (now) => delivery.tried < attempts ? {} : { lookAgain: { at: later(now, twiceQuiet), by } }
    )
  const comment = {
    html: delivery.body,
    externalId: delivery.externalId ?? "",
    createdAt: DateTime.unsafeMake(delivery.occurredAt)
  }
  return write(context, slot, (mine) => client.addComment(itemId, comment, mine)).pipe(
    Effect.flatMap(({ adopted, by, id }): Effect.Effect<OutcomeOf["comment"], PlaneError> => {
      const commentId = Option.getOrNull(id)
      // Plane names the comment that it has in every version that was seen. It may be this one, from an attempt before,
      // or another, as in a file that was restored from a backup: only its text tells.
      const delivered = (by: UserId | undefined, attempts: number) =>
        Effect.map(lookAgain(by, attempts), (again): OutcomeOf["comment"] => ({
          _tag: "Delivered",
          commentId,
          seen: undefined,
          ...(commentId === null ? {} : again)
        }))
      if (!adopted || commentId === null) return delivered(Option.getOrUndefined(by), 1)
      return delivery.living !== null
        ? Effect.zipRight(adoptLiving(context, job, commentId), delivered(undefined, 2)).pipe(
          Effect.catchIf(({ reason }) => reason === "NotFound", deletedMeanwhile)
        )
        : Effect.zipWith(
          client.readComment(itemId, commentId),
          // The comment that is there is one of these attempts.
          lookAgain(undefined, 2),
          (html, again) => ({ ...takenBy(context, delivery, { id: commentId, html }), ...again })
        ).pipe(Effect.catchIf(({ reason }) => reason === "NotFound", deletedMeanwhile))
    }),
    Effect.tap(destination.wrote)
  )
}

/**
 * The living comment is there already: made by this delivery, or before the database was lost. What it shows is not a
 * change, so it is written again; and again, should this get no answer.
 */
const adoptLiving = (context: SendContext, { delivery, itemId }: SendJob, commentId: CommentId) =>
  Effect.gen(function*() {
    const html = yield* context.client.readComment(itemId, commentId)
    if (saysSame(html, delivery.body)) return
    yield* write(
      context,
      undefined,
      (mine) => context.client.editComment(itemId, { id: commentId, html: delivery.body }, mine)
    )
  })

/** A person has deleted the comment between the 409 and the look at it: the next sending adds it again. */
const deletedMeanwhile = (error: PlaneError): Effect.Effect<OutcomeOf["comment"]> =>
  Effect.map(epochMillis, (dueAt) => ({ _tag: "Later", dueAt, counted: true, ...said(error) }))

const takenBy = (
  { project: { texts } }: SendContext,
  delivery: Delivery,
  comment: CommentRead
): Extract<OutcomeOf["comment"], { readonly _tag: "Taken" }> => ({
  _tag: "Taken",
  commentId: comment.id,
  tells: tellsOwed(texts, delivery, comment.html),
  says: (html) => saysSame(comment.html, html),
  nextExternalId: nextExternalId(delivery.externalId ?? "")
})

/**
 * After the last attempt of a comment that tells several events, when its quiet time is over: it is split, unless Plane
 * has it after all. Only its first half has the same external id, so a second copy of the other would not be noticed.
 */
const splitUnlessThere = (
  context: SendContext,
  { delivery, itemId }: SendJob,
  slot: Slot
): Effect.Effect<OutcomeOf["comment"], PlaneError> =>
  Effect.map(
    context.client.findComment(itemId, delivery.externalId ?? "", slot),
    Option.match({
      onNone: (): OutcomeOf["comment"] => ({ _tag: "Split", reason: "no attempt of it went well", unanswered: true }),
      onSome: (comment) => takenBy(context, delivery, comment)
    })
  )

/** Whether Plane may have executed a write although it has refused it. */
export const isPerhapsDone = (error: PlaneError): boolean => error.method !== "GET" && error.reason === "Refused"

/**
 * What a refused comment means. It is sent a second time, because Plane may have added it all the same. If it is
 * refused again, it is split if it tells several events, and dies if it tells one. A part of a split comment is not
 * sent a second time. If it tells several events, it is split at once: should Plane have added it, its first half meets
 * it under the same external id. If it tells one event, Plane is asked for it before it dies.
 */
export const commentRefused = (
  context: SendContext,
  job: SendJob,
  error: PlaneError
): Effect.Effect<OutcomeOf["comment"]> => {
  const { delivery } = job
  if (delivery.refusals === 0 && delivery.part === null) return askOnceMore(context, error)
  if (tellsSeveral(delivery)) {
    return Effect.succeed({ _tag: "Split", ...said(error), unanswered: false })
  }
  return delivery.part === null ? Effect.succeed(dead(error)) : deadUnlessThere(context, job, error)
}

const deadUnlessThere = (context: SendContext, { delivery, itemId }: SendJob, error: PlaneError) =>
  Effect.matchEffect(context.client.findComment(itemId, delivery.externalId ?? ""), {
    onSuccess: Option.match({
      onNone: (): Effect.Effect<OutcomeOf["comment"]> => Effect.succeed(dead(error)),
      onSome: (comment) => Effect.succeed(takenBy(context, delivery, comment))
    }),
    onFailure: (look) =>
      Effect.map(
        retry(context, look, ownAttempts(context, delivery)),
        Option.getOrElse((): OutcomeOf["comment"] => dead(error))
      )
  })
