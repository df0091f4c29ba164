import { Effect, Option, Predicate } from "effect"
import type { UserId } from "../domain/Ids.js"
import type { PerhapsTwice, TwinsJob } from "../outbox/Job.js"
import type { Compared, TwinsOutcome } from "../outbox/Outcome.js"
import type { SignedComment } from "../plane/History.js"
import { externalSource } from "../plane/PlaneClient.js"
import type { PlaneError } from "../plane/PlaneError.js"
import type { Slot } from "../plane/RateBudget.js"
import { isAboutTheRequest } from "./DeadOutcome.js"
import { retry, survive } from "./Retry.js"
import type { SendContext } from "./SendContext.js"
import { write } from "./SendContext.js"

/** What is to be done about a comment of ours that may be there twice. */
export type Twins =
  | { readonly _tag: "Single" }
  /** The others are the same in everything, so they can go. */
  | { readonly _tag: "Doubled"; readonly others: ReadonlyArray<SignedComment> }
  | { readonly _tag: "Differ" }

/**
 * Compares the comments of a work item that have the external id of one of ours. Who has made the one that is stored is
 * us. One that somebody else has made, or edited, is theirs. Of the living comment, the others show what was.
 */
export const twinsOf = (
  { commentId, externalId, isLiving, madeBy }: PerhapsTwice,
  comments: ReadonlyArray<SignedComment>
): Twins => {
  const all = comments.filter((each) =>
    Option.contains(each.source, externalSource) && Option.contains(each.externalId, externalId)
  )
  const own = all.find(({ id }) => id === commentId)
  const others = all.filter((each) => each !== own)
  if (others.length === 0) return { _tag: "Single" }
  if (own === undefined) return { _tag: "Differ" }
  const us = Option.orElse(Option.fromNullable(madeBy), () => own.madeBy)
  const isUs = (user: UserId) => Option.contains(us, user)
  const isOurs = ({ editedBy, madeBy }: SignedComment) =>
    Option.exists(madeBy, isUs) && !Option.exists(editedBy, Predicate.not(isUs))
  return all.every((each) => isOurs(each) && (isLiving === 1 || each.html === own.html))
    ? { _tag: "Doubled", others }
    : { _tag: "Differ" }
}

/**
 * Looks for comments that Plane has executed twice, and deletes the one whose id is not stored. Where they differ, or
 * where they are not only ours, both stay, which is said once. Never fails.
 */
export const compareTwins = (context: SendContext, job: TwinsJob, slot: Slot): Effect.Effect<TwinsOutcome> => {
  const none: TwinsOutcome = {
    _tag: "Compared",
    comments: job.comments.map(({ delivery }) => ({ delivery, reason: undefined }))
  }
  if (job.comments.length === 0 || job.lane.gone) return Effect.succeed(none)
  return survive(
    Effect.gen(function*() {
      const found = yield* context.client.signedComments(job.itemId, slot)
      return { _tag: "Compared" as const, comments: yield* Effect.forEach(job.comments, settled(context, job, found)) }
    }).pipe(Effect.catchAll((error) => unanswered(context, job, error, none))),
    context,
    job.lane.checks + 1,
    () => none
  )
}

const settled =
  (context: SendContext, { itemId }: TwinsJob, found: ReadonlyArray<SignedComment>) =>
  (comment: PerhapsTwice): Effect.Effect<Compared, PlaneError> =>
    Effect.gen(function*() {
      const twins = twinsOf(comment, found)
      if (twins._tag === "Single") return { delivery: comment.delivery, reason: undefined }
      if (twins._tag === "Differ") {
        const reason = "Plane has it twice; both stay, because they differ or somebody else has made or edited one"
        yield* Effect.logWarning(`The comment ${comment.externalId}: ${reason}`)
        return { delivery: comment.delivery, reason }
      }
      for (const { id } of twins.others) {
        yield* write(context, undefined, (mine) => context.client.deleteComment(itemId, id, mine))
      }
      yield* Effect.logInfo(`Plane had executed the comment ${comment.externalId} twice: the second one is deleted`)
      return { delivery: comment.delivery, reason: "Plane had executed it twice, and the second comment is deleted" }
    })

/** Whoever may write may not delete: nothing else has to wait for that, so the second comment stays. */
const isForbiddenToDelete = ({ method, reason }: PlaneError) => method === "DELETE" && reason === "PermissionDenied"

const unanswered = (
  context: SendContext,
  { lane }: TwinsJob,
  error: PlaneError,
  none: TwinsOutcome
): Effect.Effect<TwinsOutcome> =>
  isAboutTheRequest(error) || isForbiddenToDelete(error)
    ? Effect.as(Effect.logWarning(`Comments that may be there twice were not compared: ${error.message}`), none)
    : Effect.map(retry(context, error, lane.checks + 1), Option.getOrElse(() => none))
