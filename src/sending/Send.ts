import { Duration, Effect, Option } from "effect"
import { monotonicMillis } from "../base/Time.js"
import type { DeliveryKind } from "../outbox/DeliveryKind.js"
import type { SendJob } from "../outbox/Job.js"
import type { OutcomeOf, SendOutcome } from "../outbox/Outcome.js"
import { mayMeanNoSuchItem } from "../plane/Meaning.js"
import type { PlaneError } from "../plane/PlaneError.js"
import type { Slot } from "../plane/RateBudget.js"
import { addComment, commentRefused, isPerhapsDone, ownAttempts, tellsSeveral } from "./AddComment.js"
import { dead, goneUnlessDown, isAboutTheRequest } from "./DeadOutcome.js"
import { recount } from "./Recount.js"
import { askOnceMore, retry, sentAtOf, survive, tooEarly } from "./Retry.js"
import type { SendContext } from "./SendContext.js"
import { setState, stateRefused } from "./SetState.js"

/** What came of a delivery, and how long Plane took, in milliseconds; undefined if nothing was sent. */
export interface Ended {
  readonly outcome: SendOutcome
  readonly took: number | undefined
}

/**
 * Sends a delivery, once and not within its work item's quiet time, and tells what came of it. The first request uses
 * the slot; whatever else is asked waits for its own. Never fails.
 */
export const send = (context: SendContext, job: SendJob, slot: Slot): Effect.Effect<Ended> =>
  Effect.suspend(() => {
    let took: number | undefined
    const timed = <A, E>(request: Effect.Effect<A, E>) =>
      Effect.flatMap(monotonicMillis, (from) =>
        Effect.ensuring(
          request,
          Effect.map(monotonicMillis, (to) => {
            took = to - from
          })
        ))
    return Effect.map(outcomeOf(context, job, slot, timed), (outcome) => ({ outcome, took }))
  })

type Timed = <A, E>(request: Effect.Effect<A, E>) => Effect.Effect<A, E>

const outcomeOf = (context: SendContext, job: SendJob, slot: Slot, timed: Timed): Effect.Effect<SendOutcome> =>
  Effect.flatMap(monotonicMillis, (now) => {
    const left = context.quietTimes.left(now, job.lane, job.delivery)
    return !Duration.isZero(left) ? tooEarly(left) : survive(
      Effect.tapDefect(
        sendOnce(context, job, slot, timed),
        () => Effect.flatMap(monotonicMillis, (now) => context.quietTimes.begin(job.itemId, now))
      ),
      context,
      job.delivery.attempts,
      (reason): SendOutcome =>
        tellsSeveral(job.delivery)
          ? { _tag: "Split", reason, unanswered: true }
          : { _tag: "Dead", code: "attempts", reason }
    )
  })

const requests = { state: setState, comment: addComment, recount } satisfies {
  readonly [Kind in DeliveryKind]: (
    context: SendContext,
    job: SendJob,
    slot: Slot
  ) => Effect.Effect<OutcomeOf[Kind], PlaneError>
}

const sendOnce = (
  context: SendContext,
  job: SendJob,
  slot: Slot,
  timed: Timed
): Effect.Effect<SendOutcome> => {
  const request: Effect.Effect<SendOutcome, PlaneError> = requests[job.delivery.kind](context, job, slot)
  return timed(request).pipe(
    Effect.tapError((error) =>
      error.sent === "unknown" || isPerhapsDone(error)
        ? Effect.flatMap(sentAtOf(error), (sentAt) => context.quietTimes.begin(job.itemId, sentAt))
        : Effect.void
    ),
    Effect.catchAll((error) => failed(context, job, error))
  )
}

/** What a failed request means for its delivery. */
const failed = (context: SendContext, job: SendJob, error: PlaneError): Effect.Effect<SendOutcome> => {
  const { delivery, lane } = job
  if (error.reason === "NotFound") return goneUnlessDown(context, error, lane)
  if (delivery.kind === "state" && error.reason === "Refused") return stateRefused(context, job, error)
  if (delivery.kind === "comment" && mayMeanNoSuchItem(error)) return refusedOrGone(context, job, error)
  if (delivery.kind === "comment" && error.reason === "Refused") return commentRefused(context, job, error)
  if (error.reason === "Refused" && delivery.refusals === 0) return askOnceMore(context, error)
  if (isAboutTheRequest(error)) return Effect.succeed(dead(error))
  return Effect.map(
    retry(context, error, ownAttempts(context, delivery)),
    Option.match({
      onSome: (later): SendOutcome => ({ ...later, maybeDone: isMaybeDone(error) }),
      onNone: () => dead(error)
    })
  )
}

/** A comment was refused in words that can also mean that the work item is gone: a look tells which. */
const refusedOrGone = (context: SendContext, job: SendJob, error: PlaneError): Effect.Effect<SendOutcome> =>
  Effect.matchEffect(context.client.read(job.itemId), {
    onSuccess: () => commentRefused(context, job, error),
    onFailure: (look) =>
      look.reason === "NotFound"
        ? goneUnlessDown(context, error, job.lane)
        : Effect.flatMap(
          retry(context, look, ownAttempts(context, job.delivery)),
          Option.match({ onSome: Effect.succeed, onNone: () => commentRefused(context, job, error) })
        )
  })

/** Whether a write may have been executed: it was not answered, or by words that say nothing of it. */
const isMaybeDone = (error: PlaneError) =>
  error.method !== "GET" && error.sent !== "no" && error.reason === "Unavailable"
