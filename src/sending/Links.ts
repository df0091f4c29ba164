import { Duration, Effect, Either, Option } from "effect"
import { epochMillis, later, monotonicMillis } from "../base/Time.js"
import type { NoAddress } from "../domain/GiteaAddress.js"
import type { LinkJob } from "../outbox/Job.js"
import type { LinkOutcome } from "../outbox/Outcome.js"
import { meansLinkTaken } from "../plane/Links.js"
import { mayMeanNoSuchItem } from "../plane/Meaning.js"
import type { PlaneError } from "../plane/PlaneError.js"
import type { Slot } from "../plane/RateBudget.js"
import { goneUnlessDown, isAboutTheRequest } from "./DeadOutcome.js"
import { askOnceMore, retry, said, survive, tooEarly } from "./Retry.js"
import type { SendContext } from "./SendContext.js"
import { write } from "./SendContext.js"

const givenUp = (reason: string): LinkOutcome => ({ _tag: "LinkGivenUp", reason })

/**
 * Makes, looks for or deletes a link, by one request in most cases, and tells what came of it. Never fails. A link
 * whose outcome is not known keeps nothing else of its work item waiting: Plane does not save the work item with it.
 */
export const settleLink = (context: SendContext, job: LinkJob, slot: Slot): Effect.Effect<LinkOutcome> =>
  Effect.flatMap(monotonicMillis, (now) => {
    const { lane, link } = job
    const left = context.quietTimes.left(now, link.maybeMade ? { ...lane, unanswered: true } : lane)
    if (!Duration.isZero(left)) return tooEarly(left)
    return survive(acts[job.act](context, job, slot), context, link.attempts, givenUp)
  })

type Act = (context: SendContext, job: LinkJob, slot: Slot) => Effect.Effect<LinkOutcome>

const unreachable = ({ mends, why }: NoAddress): LinkOutcome =>
  mends ? { _tag: "LinkUnreachable", reason: why } : givenUp(why)

const add: Act = (context, job, slot) =>
  Either.match(context.linkAddress(job.link.url), {
    onLeft: (none) => Effect.succeed(unreachable(none)),
    onRight: (url) =>
      write(context, slot, (mine) => context.client.addLink(job.itemId, { url, title: job.link.title }, mine)).pipe(
        Effect.tap(context.destination.wrote),
        Effect.map((linkId): LinkOutcome => ({ _tag: "Linked", linkId, isOurs: true })),
        Effect.catchAll((error) => notAdded(context, job, url, error))
      )
  })

const notAdded = (
  context: SendContext,
  job: LinkJob,
  url: string,
  error: PlaneError
): Effect.Effect<LinkOutcome> => {
  if (meansLinkTaken(error)) {
    // It may be on a page of the list that is not read, or Plane may compare addresses otherwise.
    if (job.link.attempts >= context.config.maxAttempts) return Effect.succeed(givenUp(error.message))
    return found(context, job, url, () =>
      Effect.map(epochMillis, (now) => ({
        _tag: "Later",
        dueAt: later(now, context.config.quiet),
        counted: true,
        ...said(error)
      })))
  }
  if (error.reason === "NotFound" || mayMeanNoSuchItem(error)) return goneOrRefused(context, job, error)
  // Plane names the field, so it was not executed.
  if (error.reason === "Refused" && /^(url|title): /.test(error.words)) return Effect.succeed(givenUp(error.message))
  if (error.reason === "Refused" && job.link.attempts === 1) return askOnceMore(context, error)
  return again(context, job, error)
}

/** Looks for the link. One that somebody else has made is theirs, and an earlier request of ours may have made it. */
const found = (
  context: SendContext,
  job: LinkJob,
  url: string,
  missing: () => Effect.Effect<LinkOutcome>,
  slot?: Slot
): Effect.Effect<LinkOutcome> =>
  Effect.matchEffect(context.client.findLink(job.itemId, url, slot), {
    onSuccess: Option.match({
      onNone: missing,
      onSome: (linkId): Effect.Effect<LinkOutcome> =>
        Effect.succeed({ _tag: "Linked", linkId, isOurs: job.link.maybeMade })
    }),
    onFailure: (error) => again(context, job, error)
  })

const find: Act = (context, job, slot) =>
  Either.match(context.linkAddress(job.link.url), {
    onLeft: (none) => Effect.succeed(unreachable(none)),
    onRight: (url) => found(context, job, url, () => Effect.succeed({ _tag: "Unlinked" }), slot)
  })

const remove: Act = (context, job, slot) => {
  const { linkId } = job.link
  if (linkId === null) return Effect.succeed({ _tag: "Unlinked" })
  return write(context, slot, (mine) => context.client.removeLink(job.itemId, linkId, mine)).pipe(
    Effect.tap(context.destination.wrote),
    Effect.as<LinkOutcome>({ _tag: "Unlinked" }),
    Effect.catchAll((error) => again(context, job, error))
  )
}

const acts = { add, find, remove } satisfies { readonly [Name in LinkJob["act"]]: Act }

/** Plane may have no such work item any more: a look tells. */
const goneOrRefused = (context: SendContext, job: LinkJob, error: PlaneError): Effect.Effect<LinkOutcome> =>
  Effect.matchEffect(context.client.read(job.itemId), {
    onSuccess: () => Effect.succeed(givenUp(error.message)),
    onFailure: (look) =>
      look.reason !== "NotFound"
        ? again(context, job, look)
        : Effect.map(
          goneUnlessDown(context, look, job.lane),
          (outcome): LinkOutcome => outcome._tag === "Later" ? outcome : { _tag: "ItemGone", reason: outcome.reason }
        )
  })

/** Whoever may write may not delete; and a Plane without this endpoint answers 404. */
const isFinal = (error: PlaneError) =>
  isAboutTheRequest(error) || Option.contains(error.status, 404) ||
  (error.method === "DELETE" && error.reason === "PermissionDenied")

/** Later, and not before the quiet time is over if a link may have been made; given up after its last attempt. */
const again = (context: SendContext, job: LinkJob, error: PlaneError): Effect.Effect<LinkOutcome> =>
  isFinal(error)
    ? Effect.succeed(givenUp(error.message))
    : Effect.flatMap(
      retry(context, error, job.link.attempts),
      Option.match({
        onNone: () => Effect.succeed(givenUp(error.message)),
        onSome: (later) => Effect.succeed<LinkOutcome>({ ...later, maybeDone: isMaybeDone(error) })
      })
    )

/** Whether a write may have been executed: it was not answered, or by words that say nothing of it. */
const isMaybeDone = (error: PlaneError) =>
  error.method !== "GET" && error.sent !== "no" && error.reason === "Unavailable"
