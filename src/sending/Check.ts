import { Array as Arr, Duration, Effect, Option } from "effect"
import { epochMillis, later, monotonicMillis, stored } from "../base/Time.js"
import { epochOf } from "../domain/PlaneMoment.js"
import type { StateId } from "../domain/StageStates.js"
import type { CheckJob } from "../outbox/Job.js"
import type { CheckOutcome } from "../outbox/Outcome.js"
import type { Move } from "../plane/History.js"
import type { PlaneError } from "../plane/PlaneError.js"
import type { Slot } from "../plane/RateBudget.js"
import { isAboutTheRequest } from "./DeadOutcome.js"
import { retry, survive } from "./Retry.js"
import type { SendContext } from "./SendContext.js"

const stands = (reason: string): CheckOutcome => ({ _tag: "Stands", reason })

/** How often Plane is asked who has moved a work item, if it does not tell. */
const mostChecks = 5

/**
 * How long Plane's workers are left to write an activity that must be there. Until it is, a later one may be missing as
 * well.
 */
const writtenWithin = Duration.seconds(2)

/** What activities tell. Undefined while the one that must be among them is not written yet. */
type Told = boolean | undefined

const isTo = ({ to }: Move, state: StateId | null) => Option.getOrNull(to) === state

/**
 * Whether the activities of a work item, the newest first, tell that nobody has moved it since our last PATCH: then the
 * newest move is that PATCH.
 */
export const isUnmoved = (
  [newest]: ReadonlyArray<Move>,
  { placed, placedAt, placedBy }: Pick<CheckJob["lane"], "placed" | "placedAt" | "placedBy">
): Told => {
  if (newest === undefined) return undefined
  if (isTo(newest, placed) && (placedBy === null || Option.contains(newest.by, placedBy))) return true
  // Moves are told by the second.
  return placedAt !== null && stored(newest.at) + 1_000 <= epochOf(placedAt) ? undefined : false
}

/** Whether the last move that somebody else has made is this one. Who we are is told by our last PATCH. */
export const isTheirLast = (
  moves: ReadonlyArray<Move>,
  { doubted, lane: { placed, placedBy } }: Pick<CheckJob, "doubted"> & {
    readonly lane: Pick<CheckJob["lane"], "placed" | "placedBy">
  }
): Told => {
  if (!moves.some((move) => isTo(move, doubted))) return undefined
  const ours = Option.orElse(
    Option.fromNullable(placedBy),
    () => Option.flatMap(Arr.findFirst(moves, (move) => isTo(move, placed)), ({ by }) => by)
  )
  if (Option.isNone(ours)) return undefined
  return Option.exists(
    Arr.findFirst(moves, ({ by }) => !Option.contains(by, ours.value)),
    (theirs) => isTo(theirs, doubted)
  )
}

/**
 * Asks who has moved a work item, by one request: whether another change has undone our last PATCH, or that PATCH a
 * person's move. Never fails. A person's move is not set again with `force`.
 */
export const check = (context: SendContext, job: CheckJob, slot: Slot): Effect.Effect<CheckOutcome> => {
  const { doubt, doubted, itemId, lane } = job
  if (lane.gone) return Effect.succeed(stands("the work item is gone"))
  if (doubt === "undone" && context.config.onConflict === "force") {
    return Effect.succeed(stands("ORCH_PLANE_ON_CONFLICT is force"))
  }
  // Something newer is known of it.
  if (doubt === "lost" && lane.state !== doubted) return Effect.succeed(stands("the work item is in another state"))
  return survive(
    Effect.matchEffect(Effect.zip(monotonicMillis, context.client.moves(itemId, slot)), {
      onSuccess: ([readAt, moves]) => {
        const told = doubt === "lost" ? isUnmoved(moves, lane) : isTheirLast(moves, job)
        if (told === undefined) return unwritten(job)
        return Effect.succeed<CheckOutcome>(
          told ? { _tag: "SetAgain", readAt } : stands("somebody has moved the work item since")
        )
      },
      onFailure: (error) => unanswered(context, job, error)
    }),
    context,
    lane.checks + 1,
    stands
  )
}

const unwritten = ({ lane }: CheckJob): Effect.Effect<CheckOutcome> =>
  Effect.map(epochMillis, (now) => {
    const reason = "Plane has not written yet who has moved it last"
    return lane.checks + 1 >= mostChecks
      ? stands(reason)
      : { _tag: "Later", dueAt: later(now, writtenWithin), counted: true, reason }
  })

/** A Plane that does not have the activities, or does not show them, tells nothing. */
const unanswered = (context: SendContext, { lane }: CheckJob, error: PlaneError): Effect.Effect<CheckOutcome> =>
  isAboutTheRequest(error) || Option.contains(error.status, 404) || lane.checks + 1 >= mostChecks
    ? Effect.succeed(stands(error.message))
    : Effect.map(retry(context, error, lane.checks + 1), Option.getOrElse(() => stands(error.message)))
