import { Effect } from "effect"
import { monotonicMillis } from "../base/Time.js"
import { StateId } from "../domain/StageStates.js"
import type { SendJob } from "../outbox/Job.js"
import type { Lane } from "../outbox/Lane.js"
import type { OutcomeOf, SeenState } from "../outbox/Outcome.js"
import type { PlaneError } from "../plane/PlaneError.js"
import type { Slot } from "../plane/RateBudget.js"
import type { WorkItem } from "../plane/WorkItem.js"
import { dead } from "./DeadOutcome.js"
import { askOnceMore } from "./Retry.js"
import { isFresh, seenAs } from "./SeenState.js"
import type { SendContext } from "./SendContext.js"
import { write } from "./SendContext.js"

const delivered = (seen: SeenState): OutcomeOf["state"] => ({ _tag: "Delivered", commentId: null, seen })

const unsent = (seen: SeenState): OutcomeOf["state"] => ({ _tag: "Delivered", commentId: null, seen, unsent: true })

/**
 * What a person has done that a state must not undo. Completing a work item ends its task, and nobody has heard of that
 * yet: what was heard has ended the task already, so a state that is owed then is that of a task which started anew.
 * Where nothing was heard of the work item before, it was completed before its task was started by hand.
 */
const whatStands = ({ heardState, ofTask }: Lane, { cancelled, completed, state }: SeenState) => {
  if (cancelled) return "cancelled"
  return ofTask && completed && heardState !== null && state !== heardState ? "completed" : undefined
}

/**
 * Sets a state, after a look if what is known of the work item is older than 30 s: a person may have cancelled or
 * completed it, or set the state already. Plane checks no condition, so a move between the look and the PATCH is
 * overwritten.
 */
export const setState = (
  context: SendContext,
  { delivery, itemId, lane }: SendJob,
  slot: Slot
): Effect.Effect<OutcomeOf["state"], PlaneError> =>
  Effect.gen(function*() {
    const { budget, client, config, destination, stillLeading } = context
    const look = (slot: Slot) =>
      Effect.flatMap(monotonicMillis, (now) => Effect.map(client.read(itemId, slot), (item) => seenAs(item, now)))
    const answered = (item: WorkItem) =>
      Effect.zipRight(destination.wrote, Effect.map(monotonicMillis, (now) => delivered(seenAs(item, now))))
    const set = (slot: Slot) => Effect.flatMap(client.setState(itemId, StateId(delivery.body), slot), answered)

    const { cancelled, completed, readAt, state, updatedAt } = lane
    const known = readAt !== null && (yield* isFresh(readAt))
      ? { state, cancelled, completed, readAt, updatedAt }
      : undefined
    if (config.onConflict === "force") {
      return known?.state === delivery.body ? unsent(known) : yield* write(context, slot, set)
    }
    let seen: SeenState = known ?? (yield* look(slot))
    for (let hasLookedAgain = false;; hasLookedAgain = true) {
      if (seen.state === delivery.body) return unsent(seen)
      const stands = seen.state === lane.asked ? undefined : whatStands(lane, seen)
      if (stands !== undefined) {
        return { _tag: "Left", reason: `a person has ${stands} the work item, and that stands`, seen }
      }
      const { readAt } = seen
      // The budget may keep the PATCH waiting for longer than the look tells anything: then its slot is for another
      // look. Once only: where a slot is always as long in coming, it would never be sent.
      const next = yield* budget.withSlot(slot, (mine) =>
        Effect.gen(function*() {
          yield* stillLeading
          return hasLookedAgain || (yield* isFresh(readAt)) ? yield* set(mine) : yield* look(mine)
        }))
      if ("_tag" in next) return next
      seen = next
    }
  })

/**
 * A state that the project does not have is a setting's fault, which a person can mend: it costs no event. So while
 * Plane does not tell its states, the refusal is not believed.
 */
export const stateRefused = (
  context: SendContext,
  job: SendJob,
  error: PlaneError
): Effect.Effect<OutcomeOf["state"]> =>
  Effect.flatMap(
    context.destination.hasState(StateId(job.delivery.body)),
    (isThere): Effect.Effect<OutcomeOf["state"]> => {
      if (isThere === false) return Effect.succeed({ _tag: "Withheld", reason: error.message })
      return isThere === undefined || job.delivery.refusals === 0
        ? askOnceMore(context, error)
        : Effect.succeed(dead(error))
    }
  )
