import { Cause, Clock, DateTime, Duration, Effect, Option } from "effect"
import { monotonicMillis } from "../base/Time.js"
import type { Project } from "../domain/Project.js"
import { keyIn } from "../domain/Project.js"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import type {
  DeadCode,
  Delivery,
  Lane,
  LaneDead,
  Later,
  LookJob,
  LookOutcome,
  SeenState,
  SendJob,
  SendOutcome
} from "../outbox/Lane.js"
import type { PlaneClient, WorkItem } from "../plane/PlaneClient.js"
import type { PlaneConfig } from "../plane/PlaneConfig.js"
import type { PlaneError } from "../plane/PlaneError.js"
import { backoff, mayMeanNoSuchItem, nextLookUp } from "../plane/Policy.js"
import type { RateBudget } from "../plane/RateBudget.js"
import type { Destination } from "./Destination.js"
import type { Find, LookError } from "./Find.js"
import { isFresh } from "./Freshness.js"
import { nextExternalId, tellsOwed } from "./NextStep.js"
import type { QuietTimes } from "./QuietTimes.js"

/** What sending needs: Plane, who finds keys there, how patient to be with it, and whose trouble a trouble is. */
export interface SendContext {
  readonly client: PlaneClient["Type"]
  readonly find: Find
  readonly budget: RateBudget["Type"]
  readonly config: PlaneConfig
  readonly project: Project
  readonly destination: Destination["Type"]
  readonly quietTimes: QuietTimes
  /** Never ends when another process has taken over as the context. */
  readonly stillLeading: Effect.Effect<void>
}

const gone = (answer?: number): LaneDead => ({
  _tag: "LaneDead",
  code: "gone",
  reason: "the work item was deleted or archived in Plane",
  gone: true,
  answer
})

const sentAtOf = ({ sentAt }: PlaneError) => sentAt === undefined ? monotonicMillis : Effect.succeed(sentAt)

/**
 * A request failed in a way that says nothing about its event: when to send the same again, or (none) that this was
 * the last of its attempts. Where the first may still be executing, not before the quiet time is over.
 */
const again = Effect.fnUntraced(function*(
  { config, destination }: SendContext,
  error: PlaneError,
  attempts: number
) {
  const counted = error.reason !== "RateLimited" && !(yield* destination.isDown(error))
  if (counted && attempts >= config.maxAttempts) return Option.none<Later>()
  const now = yield* Clock.currentTimeMillis
  // Uncounted, the budget or the destination holds it back, not the lane.
  const pause = counted
    ? yield* backoff(attempts, { max: config.maxBackoff, retryAfterMillis: error.retryAfterMillis })
    : Duration.zero
  const quiet = error.sent === "unknown"
    ? (yield* sentAtOf(error)) + Duration.toMillis(config.quiet) - (yield* monotonicMillis)
    : 0
  return Option.some<Later>({
    _tag: "Later",
    dueAt: now + Math.max(Duration.toMillis(pause), quiet),
    counted,
    reason: error.message,
    answer: error.status
  })
})

const isAboutTheRequest = (error: PlaneError) =>
  error.reason === "Refused" || error.reason === "Ignored" || error.reason === "NotFound"

const codes: Partial<Record<string, DeadCode>> = {
  Refused: "refused",
  Ignored: "ignored",
  WorkItemNotFound: "not_found",
  AmbiguousName: "ambiguous",
  UnknownProject: "wrong_project"
}

/** What is no answer about the request is one attempt too many. */
const codeOf = (error: LookError): DeadCode =>
  codes[error._tag === "PlaneError" ? error.reason : error._tag] ?? "attempts"

const seenAs = ({ stateGroup, stateId, updatedAt }: WorkItem, readAt: number): SeenState => ({
  state: stateId,
  cancelled: stateGroup === "cancelled",
  readAt,
  updatedAt
})

/**
 * A write waits for the budget, and the process may have been suspended in that time, or before: it is sent only if no
 * other process has taken over meanwhile. Timers cannot tell, for they all are late then.
 */
const write = <A, E>({ budget, stillLeading }: SendContext, request: Effect.Effect<A, E>) =>
  Effect.flatMap(budget.admit, (slot) => budget.spend(slot, Effect.zipRight(stillLeading, request)))

/**
 * A state, after a look where what is known of the work item is older than 30 s: a person may have cancelled it, or done
 * what is asked for. There is no condition that Plane would check, so a cancel between look and PATCH is overwritten.
 */
const setState = (context: SendContext, { delivery, lane, workItem }: SendJob) =>
  Effect.gen(function*() {
    const { budget, client, config, stillLeading } = context
    const set = client.setState(workItem, delivery.body)
    const look = Effect.flatMap(
      monotonicMillis,
      (now) => Effect.map(client.read(workItem), (item) => seenAs(item, now))
    )
    const delivered = (seen: SeenState) => ({ _tag: "Delivered", commentId: null, seen }) as const
    const answered = (item: WorkItem) =>
      Effect.zipRight(context.destination.wrote, Effect.map(monotonicMillis, (now) => delivered(seenAs(item, now))))
    const unsent = (seen: SeenState) => ({ ...delivered(seen), unsent: true }) as const

    const { cancelled, readAt, state, updatedAt } = lane
    const known = readAt !== null && (yield* isFresh(readAt)) ? { state, cancelled, readAt, updatedAt } : undefined
    if (config.onConflict === "force") {
      if (known?.state === delivery.body) return unsent(known)
      return yield* Effect.flatMap(write(context, set), answered)
    }
    let seen: SeenState = known ?? (yield* look)
    for (let again = false;; again = true) {
      if (seen.state === delivery.body) return unsent(seen)
      if (seen.cancelled && seen.state !== lane.asked) {
        return { _tag: "Left", reason: "a person has cancelled the work item, and that stands", seen } as const
      }
      // The budget may keep the PATCH waiting for longer than the look tells anything: then its slot is for another look.
      // Once only: where a slot is always as long in coming, it would never be sent.
      const slot = yield* budget.admit
      yield* stillLeading
      if (again || (yield* isFresh(seen.readAt))) {
        return yield* Effect.flatMap(budget.spend(slot, set), answered)
      }
      seen = yield* budget.spend(slot, look)
    }
  })

const addComment = (context: SendContext, { delivery, workItem }: SendJob) =>
  Effect.map(
    write(
      context,
      context.client.addComment(workItem, {
        html: delivery.body,
        externalId: delivery.externalId ?? "",
        createdAt: DateTime.unsafeMake(delivery.occurredAt)
      })
    ),
    (added) => added
  ).pipe(
    Effect.flatMap(({ adopted, id }): Effect.Effect<SendOutcome, PlaneError> => {
      // Its own echo, or one that cannot be read: Plane names the comment in every version that was seen.
      const isOwn = !adopted || id === null || (delivery.tried && delivery.part === null)
      return isOwn
        ? Effect.succeed({ _tag: "Delivered", commentId: id, seen: undefined })
        : Effect.map(context.client.readComment(workItem, id), (html) => takenBy(delivery, { id, html }))
    }),
    Effect.tap(context.destination.wrote)
  )

const takenBy = (delivery: Delivery, comment: { readonly id: string; readonly html: string }): SendOutcome => ({
  _tag: "Taken",
  commentId: comment.id,
  tells: tellsOwed(comment.html),
  nextExternalId: nextExternalId(delivery.externalId ?? "")
})

const recount = (context: SendContext, { delivery, workItem }: SendJob) =>
  write(context, context.client.editComment(workItem, delivery.commentId ?? "", delivery.body)).pipe(
    Effect.as({ _tag: "Delivered", commentId: null, seen: undefined } as const),
    Effect.tap(context.destination.wrote),
    Effect.catchIf(
      (error) => error.reason === "NotFound",
      (error) => Effect.succeed({ _tag: "CommentGone", reason: error.message } as const)
    )
  )

/**
 * A bug of ours while sending is the job's own trouble: it must neither end the worker nor keep the lane. As little is
 * known of what was sent as after a time-out.
 */
const survive = <Outcome>(
  outcome: Effect.Effect<Outcome>,
  { config }: SendContext,
  attempts: number,
  dead: (reason: string) => Outcome
): Effect.Effect<Outcome | Later> =>
  Effect.catchAllDefect(outcome, (defect) =>
    Effect.gen(function*() {
      const reason = `a bug in plane-sync: ${String(defect)}`
      yield* Effect.logError(reason, Cause.die(defect))
      if (attempts >= config.maxAttempts) return dead(reason)
      const pause = Duration.max(config.quiet, yield* backoff(attempts, { max: config.maxBackoff }))
      const now = yield* Clock.currentTimeMillis
      return { _tag: "Later" as const, dueAt: now + Duration.toMillis(pause), counted: true, reason }
    }))

/** Sends a delivery, once and not within its work item's quiet time, and tells what came of it. Never fails. */
export const send = (context: SendContext, job: SendJob): Effect.Effect<SendOutcome> =>
  Effect.flatMap(monotonicMillis, (now) => {
    const left = context.quietTimes.left(now, job.lane, job.delivery)
    return left > 0 ? tooEarly(left) : survive(
      sendOnce(context, job).pipe(
        Effect.tapDefect(() => Effect.flatMap(monotonicMillis, (now) => context.quietTimes.begin(job.workItem, now)))
      ),
      context,
      job.delivery.attempts,
      (reason): SendOutcome =>
        tellsSeveral(job.delivery)
          ? { _tag: "Split", reason, unanswered: true }
          : { _tag: "Dead", code: "attempts", reason }
    )
  })

const tooEarly = (left: number) =>
  Effect.map(Clock.currentTimeMillis, (now): Later => ({
    _tag: "Later",
    dueAt: now + left,
    counted: false,
    reason: "Plane may still be executing what was sent before"
  }))

const sendOnce = (context: SendContext, job: SendJob): Effect.Effect<SendOutcome> =>
  Effect.gen(function*() {
    const { client } = context
    const { delivery, workItem } = job
    const request: Effect.Effect<SendOutcome, PlaneError> = delivery.kind === "state"
      ? setState(context, job)
      : delivery.kind === "comment"
      ? (tellsSeveral(delivery) && delivery.attempts > mostAttempts(context, delivery)
        ? splitUnlessThere(context, job)
        : addComment(context, job))
      : recount(context, job)
    const noted = Effect.tapError(request, (error) =>
      error.sent === "unknown" || isPerhapsDone(delivery, error)
        ? Effect.flatMap(sentAtOf(error), (sentAt) => context.quietTimes.begin(workItem, sentAt))
        : Effect.void)
    return yield* Effect.catchAll(noted, (error): Effect.Effect<SendOutcome> => {
      if (error.reason === "NotFound") return goneUnlessDown(context, error, job.lane)
      if (delivery.kind === "state" && error.reason === "Refused") return stateRefused(context, job, error)
      if (delivery.kind === "comment" && mayMeanNoSuchItem(error)) {
        return Effect.matchEffect(client.read(workItem), {
          onSuccess: () => commentRefused(context, job, error),
          onFailure: (look) =>
            look.reason === "NotFound"
              ? goneUnlessDown(context, error, job.lane)
              : Effect.map(
                again(context, look, delivery.attempts),
                Option.getOrElse((): SendOutcome => dead(error))
              )
        })
      }
      if (isPerhapsDone(delivery, error)) return commentRefused(context, job, error)
      if (isAboutTheRequest(error)) return Effect.succeed(dead(error))
      return Effect.map(
        again(context, error, ownAttempts(context, delivery)),
        Option.match({
          onSome: (later): SendOutcome => ({ ...later, maybeDone: isMaybeDone(error) }),
          onNone: () => dead(error)
        })
      )
    })
  })

/** A write that was not answered, or by a word that says nothing of it. */
const isMaybeDone = (error: PlaneError) =>
  error.method !== "GET" && error.sent !== "no" && error.reason === "Unavailable"

const tellsSeveral = ({ events, kind }: Delivery) => kind === "comment" && events > 1

/** A part of what was split is not tried as often as all of it: each smaller part is tried anew. */
const mostAttempts = ({ config }: SendContext, delivery: Delivery) =>
  tellsSeveral(delivery) && delivery.part !== null ? 1 : config.maxAttempts

/** Of what tells several events the attempts do not end with the last: after it comes a look, and that has as many. */
const ownAttempts = (context: SendContext, delivery: Delivery) => {
  const most = mostAttempts(context, delivery)
  if (!tellsSeveral(delivery)) return delivery.attempts
  return delivery.attempts <= most
    ? Math.min(delivery.attempts, context.config.maxAttempts - 1)
    : delivery.attempts - most
}

/**
 * After the last attempt of a comment that tells several events, when its quiet time is over: it is split, unless Plane has
 * it after all. Its first half has the same external id, but the other has not.
 */
const splitUnlessThere = (
  { client }: SendContext,
  { delivery, workItem }: SendJob
): Effect.Effect<SendOutcome, PlaneError> =>
  Effect.map(
    client.findComment(workItem, delivery.externalId ?? ""),
    Option.match({
      onNone: (): SendOutcome => ({ _tag: "Split", reason: "no attempt of it went well", unanswered: true }),
      onSome: (comment) => takenBy(delivery, comment)
    })
  )

const dead = (error: PlaneError): SendOutcome => ({
  _tag: "Dead",
  code: codeOf(error),
  reason: error.message,
  answer: error.status
})

const splitFor = (error: PlaneError, unanswered: boolean): SendOutcome => ({
  _tag: "Split",
  reason: error.message,
  answer: error.status,
  unanswered
})

/** Plane has been seen to add a comment and answer 4xx all the same (Plane #7505): its external id tells, by a 409. */
const isPerhapsDone = ({ kind }: Delivery, error: PlaneError) => kind === "comment" && error.reason === "Refused"

/**
 * A comment is asked for once more before a refusal is believed, and not within its quiet time. One that tells several
 * events is split then; its parts are believed at once, for what they do not find told another part will.
 */
const commentRefused = (
  { config }: SendContext,
  { delivery }: SendJob,
  error: PlaneError
): Effect.Effect<SendOutcome> =>
  Effect.gen(function*() {
    if (delivery.refusals > 0 || delivery.part !== null) {
      return tellsSeveral(delivery) ? splitFor(error, false) : dead(error)
    }
    const now = yield* Clock.currentTimeMillis
    const quiet = (yield* sentAtOf(error)) + Duration.toMillis(config.quiet) - (yield* monotonicMillis)
    return {
      _tag: "Later",
      dueAt: now + Math.max(0, quiet),
      counted: true,
      maybeDone: true,
      refused: true,
      reason: error.message,
      answer: error.status
    }
  })

/** A state that the project does not have is a setting's fault, which a person can mend: it costs no event. */
const stateRefused = (
  { destination }: SendContext,
  { delivery }: SendJob,
  error: PlaneError
): Effect.Effect<SendOutcome> =>
  Effect.map(
    destination.lacks(delivery.body),
    (lacks): SendOutcome => lacks ? { _tag: "Withheld", reason: error.message } : dead(error)
  )

/** What an archived project hides is not gone; of what is known to be gone nothing else is expected. */
const goneUnlessDown = (
  { destination }: SendContext,
  error: PlaneError,
  lane: Lane
): Effect.Effect<LaneDead | Later> =>
  Effect.zipWith(
    lane.gone ? Effect.succeed(false) : destination.isDown(),
    Clock.currentTimeMillis,
    (isDown, now): LaneDead | Later =>
      isDown
        ? { _tag: "Later", dueAt: now, counted: false, reason: error.message, answer: error.status }
        : gone(error.status)
  )

/** Looks a work item up by its key, or looks whether one that was gone is back. Never fails. */
export const look = (context: SendContext, job: LookJob): Effect.Effect<LookOutcome> =>
  survive(
    lookOnce(context, job),
    context,
    job.lane.attempts + 1,
    (reason): LookOutcome => ({
      _tag: "LaneDead",
      code: "attempts",
      reason,
      gone: false,
      attempts: job.lane.attempts + 1
    })
  )

const lookOnce = (context: SendContext, job: LookJob): Effect.Effect<LookOutcome> =>
  Effect.gen(function*() {
    const { client, find, project } = context
    const { lane } = job
    const now = yield* monotonicMillis
    const dead = (error: LookError): LookOutcome => ({
      _tag: "LaneDead",
      code: codeOf(error),
      reason: error.message,
      gone: false,
      ...(error._tag === "PlaneError" ? { answer: error.status, attempts: lane.attempts + 1 } : {})
    })
    const request = lane.workItem === null
      ? Effect.flatMap(
        Effect.orDieWith(WorkItemKey.parse(job.key), (why) => new Error(why)),
        // After a miss anything may have come to be since a page was read.
        (key) => find(key, lane.misses === 0 ? job.since : Infinity)
      )
      : Effect.map(client.read(lane.workItem), (item) => ({ item, readAt: now }))
    return yield* Effect.matchEffect(request, {
      onSuccess: ({ item, readAt }) =>
        Effect.succeed<LookOutcome>({
          _tag: "Found",
          workItem: item.id,
          key: keyIn(project, item.number),
          seen: seenAs(item, readAt)
        }),
      onFailure: (error) => {
        if (error._tag === "WorkItemNotFound") return missed(context, lane, error, dead(error))
        if (error._tag !== "PlaneError") {
          return Effect.succeed(dead(error))
        }
        if (error.reason === "NotFound") return goneUnlessDown(context, error, lane)
        if (isAboutTheRequest(error)) {
          return Effect.succeed(dead(error))
        }
        return Effect.map(
          again(context, error, lane.attempts + 1),
          Option.getOrElse(() => dead(error))
        )
      }
    })
  })

/**
 * Nobody has the key: it is looked for again, until it has been long enough. An archived project shows nothing either, so
 * the first miss and the last are believed only after a probe.
 */
const missed = (
  { config, destination }: SendContext,
  lane: Lane,
  error: LookError,
  dead: LookOutcome
): Effect.Effect<LookOutcome> =>
  Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const pause = nextLookUp(lane.misses + 1, config.keyPatience)
    const decides = lane.misses === 0 || Option.isNone(pause)
    if (decides && (yield* destination.isDown())) {
      return { _tag: "Later", dueAt: now, counted: false, reason: error.message }
    }
    return Option.match(pause, {
      onNone: () => dead,
      onSome: (pause): LookOutcome => ({
        _tag: "Missed",
        dueAt: now + Duration.toMillis(pause),
        reason: error.message
      })
    })
  })
