import { Effect, Either, Option } from "effect"
import { cleanLine, textLimit } from "../base/Text.js"
import { EpochMillis, epochMillis, later, monotonicMillis } from "../base/Time.js"
import { keyIn } from "../domain/Project.js"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import type { LookJob } from "../outbox/Job.js"
import type { Lane } from "../outbox/Lane.js"
import type { LookOutcome } from "../outbox/Outcome.js"
import type { FindError } from "../plane/FindByKey.js"
import type { ListUnread } from "../plane/PlaneError.js"
import type { Slot } from "../plane/RateBudget.js"
import { codeOf, goneUnlessDown } from "./DeadOutcome.js"
import { nextLookUp } from "./NextLookUp.js"
import { retry, survive } from "./Retry.js"
import { seenAs } from "./SeenState.js"
import type { SendContext } from "./SendContext.js"

/**
 * Looks a work item up by its key, or looks whether one that was gone is back. The first request uses the slot. Never
 * fails.
 */
export const look = (context: SendContext, job: LookJob, slot: Slot): Effect.Effect<LookOutcome> =>
  survive(
    lookOnce(context, job, slot),
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

/** The key of a lane. One that was published under a former identifier of its project is looked for under its own. */
const keyOf = ({ project: { identifier } }: SendContext, { key, lane }: LookJob) =>
  Effect.map(
    Effect.orDieWith(WorkItemKey.parse(key), (why) => new Error(why)),
    (parsed) => lane.project === identifier ? parsed.under(identifier) : parsed
  )

/** The work item, and when it was read. */
const request = (context: SendContext, job: LookJob, slot: Slot) => {
  const { client, find } = context
  const { lane, since } = job
  return lane.itemId === null
    ? Effect.flatMap(
      keyOf(context, job),
      // After a miss, anything may have been created since a page was read.
      (parsed) => find(parsed, EpochMillis(lane.misses === 0 ? since : Infinity), slot)
    )
    : Effect.zipWith(monotonicMillis, client.read(lane.itemId, slot), (readAt, item) => ({ item, readAt }))
}

const lookOnce = (context: SendContext, job: LookJob, slot: Slot): Effect.Effect<LookOutcome> => {
  const { lane } = job
  const dead = (error: FindError): LookOutcome => ({
    _tag: "LaneDead",
    code: codeOf(error),
    reason: error.message,
    gone: false,
    ...(error._tag === "PlaneError" ? { answer: Option.getOrUndefined(error.status), attempts: lane.attempts + 1 } : {})
  })
  return Effect.matchEffect(request(context, job, slot), {
    onSuccess: ({ item, readAt }) =>
      Effect.succeed<LookOutcome>({
        _tag: "Found",
        itemId: item.id,
        key: keyIn(context.project, item.number),
        title: cleanLine(item.name, textLimit),
        seen: seenAs(item, readAt)
      }),
    onFailure: (error) => {
      if (error._tag === "ListUnread") return again(error)
      if (error._tag === "WorkItemNotFound") return missed(context, lane, error, dead(error))
      if (error._tag === "UnknownProject") return wrongKey(context, job, error, dead(error))
      if (error._tag !== "PlaneError") return Effect.succeed(dead(error))
      if (error.reason === "NotFound") return goneUnlessDown(context, error, lane)
      // Repeated like any other trouble, also when it is refused: all that is owed to the work item hangs on it.
      return Effect.map(
        retry(context, error, lane.attempts + 1),
        Option.getOrElse(() => dead(error))
      )
    }
  })
}

/** The next page is read when the lane has its turn again, so that a long list does not keep others waiting. */
const again = ({ message }: ListUnread): Effect.Effect<LookOutcome> =>
  Effect.map(epochMillis, (dueAt) => ({ _tag: "Later", dueAt, counted: false, reason: message }))

/**
 * The key does not begin with an identifier that is set. If the probe says that a project has another one, it is the
 * setting that is wrong: then nothing dies, because a person can mend it.
 */
const wrongKey = (
  { unlessIdentifierHolds }: SendContext,
  { key, since }: LookJob,
  error: FindError,
  dead: LookOutcome
): Effect.Effect<LookOutcome> =>
  Effect.map(
    unlessIdentifierHolds(
      Either.match(WorkItemKey.parse(key), { onLeft: () => key, onRight: ({ identifier }) => identifier }),
      since
    ),
    Option.match({
      onNone: () => dead,
      onSome: (dueAt): LookOutcome => ({ _tag: "Later", dueAt, counted: false, reason: error.message })
    })
  )

/**
 * No work item has the key: it is looked for again, until `ORCH_PLANE_KEY_PATIENCE` is over. An archived project shows
 * no work items at all, so after the first miss and after the last a probe tells whether the project is archived.
 */
const missed = (
  { config, destination }: SendContext,
  lane: Lane,
  error: FindError,
  dead: LookOutcome
): Effect.Effect<LookOutcome> =>
  Effect.gen(function*() {
    const now = yield* epochMillis
    const pause = nextLookUp(lane.misses + 1, config.keyPatience)
    const decides = lane.misses === 0 || Option.isNone(pause)
    if (decides && (yield* destination.isDown())) {
      return { _tag: "Later", dueAt: now, counted: false, reason: error.message }
    }
    return Option.match(pause, {
      onNone: () => dead,
      onSome: (pause): LookOutcome => ({
        _tag: "Missed",
        dueAt: later(now, pause),
        reason: error.message
      })
    })
  })
