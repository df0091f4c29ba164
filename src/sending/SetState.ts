import { Duration, Effect, Option } from "effect"
import { monotonicMillis } from "../base/Time.js"
import { StateId } from "../domain/StageStates.js"
import type { Delivery } from "../outbox/Delivery.js"
import type { SendJob } from "../outbox/Job.js"
import type { Lane } from "../outbox/Lane.js"
import type { Assigned, OutcomeOf, SeenState } from "../outbox/Outcome.js"
import type { PlaneError } from "../plane/PlaneError.js"
import type { Slot } from "../plane/RateBudget.js"
import type { WorkItem } from "../plane/WorkItem.js"
import type { Reading } from "./Assign.js"
import { readAssigned, replaceAssignees, staleAfter } from "./Assign.js"
import { dead } from "./DeadOutcome.js"
import { askOnceMore, tooSoon } from "./Retry.js"
import { isFresh, seenAs } from "./SeenState.js"
import type { SendContext } from "./SendContext.js"
import { write } from "./SendContext.js"

const unsent = (seen: SeenState): OutcomeOf["state"] => ({ _tag: "Delivered", commentId: null, seen, unsent: true })

/**
 * What a person has done that a state must not undo. Completing a work item ends its task, and nobody has heard of that
 * yet: what was heard has ended the task already, so a state that is owed then is that of a task which started anew.
 * Where nothing was heard of the work item before, it was completed before its task was started by hand.
 */
const whatStands = (lane: Lane, { body, lastEvent }: Delivery, { cancelled, completed, state }: SeenState) => {
  const { asked, heardState, ofTask, placed, placedFor, replaced, restore } = lane
  // What is set again undoes only what was undone by chance, and not what somebody has done since.
  if (restore === body) return state === placed ? undefined : "moved"
  if (placedFor === lastEvent && placed === body) return state === replaced ? undefined : "moved"
  if (state === asked) return undefined
  if (cancelled) return "cancelled"
  return ofTask && completed && heardState !== null && state !== heardState ? "completed" : undefined
}

/**
 * Sets a state, after a look if what is known of the work item is older than 30 s: a person may have cancelled or
 * completed it, or set the state already. Plane checks no condition, so a move between the look and the PATCH is
 * overwritten. People who are to be assigned, or taken out, are so by the same PATCH.
 */
export const setState = (
  context: SendContext,
  { delivery, itemId, lane, people }: SendJob,
  slot: Slot
): Effect.Effect<OutcomeOf["state"], PlaneError> =>
  Effect.gen(function*() {
    const { budget, client, config, destination, leftAlone, stillLeading } = context
    // Without a look nobody knows who is assigned, and without knowing who they are nobody can be.
    const users = people.length === 0 || config.onConflict === "force"
      ? Option.none()
      : yield* Effect.option(context.usersOf(people.map(({ person }) => person)))
    let reading: Reading | undefined
    const look = (slot: Slot) =>
      Effect.gen(function*() {
        if (Option.isSome(users)) {
          // A Plane that does not tell them gets the state all the same.
          const found = yield* Effect.map(readAssigned(context, itemId, slot), Option.some).pipe(
            Effect.catchIf(({ reason }) => reason === "Ignored", () => Effect.succeedNone)
          )
          reading = Option.getOrUndefined(found)
          if (reading !== undefined) return seenAs(reading.item, reading.at)
          const now = yield* monotonicMillis
          return seenAs(yield* client.read(itemId), now)
        }
        const now = yield* monotonicMillis
        return seenAs(yield* client.read(itemId, slot), now)
      })
    const sent = (item: WorkItem, replaced: StateId | null, assigned?: Assigned) =>
      Effect.zipRight(
        destination.wrote,
        Effect.map(monotonicMillis, (now): OutcomeOf["state"] => ({
          _tag: "Delivered",
          commentId: null,
          seen: seenAs(item, now),
          replaced,
          assigned,
          by: Option.getOrUndefined(item.updatedBy)
        }))
      )
    const set = (slot: Slot, replaced: StateId | null): Effect.Effect<OutcomeOf["state"], PlaneError> =>
      Effect.gen(function*() {
        const left = yield* leftAlone(lane.id)
        if (!Duration.isZero(left)) return yield* tooSoon(left)
        const state = StateId(delivery.body)
        // An older list would take out whom a person has assigned since: then they have a request of their own.
        if (Option.isSome(users) && reading !== undefined && (yield* monotonicMillis) - reading.at <= staleAfter) {
          const given = { itemId, lane: lane.id, people, users: users.value, reading, state }
          const { assigned, item } = yield* replaceAssignees(context, given, slot)
          if (item !== undefined) return yield* sent(item, replaced, assigned)
        }
        return yield* sent(yield* client.setState(itemId, state, slot), replaced)
      })

    const { cancelled, completed, readAt, state, updatedAt } = lane
    const known = Option.isNone(users) && readAt !== null && (yield* isFresh(readAt))
      ? { state, cancelled, completed, readAt, updatedAt }
      : undefined
    if (config.onConflict === "force") {
      return known?.state === delivery.body
        ? unsent(known)
        : yield* write(context, slot, (mine) => set(mine, lane.state))
    }
    let seen: SeenState = known ?? (yield* look(slot))
    for (let hasLookedAgain = false;; hasLookedAgain = true) {
      if (seen.state === delivery.body) return unsent(seen)
      const stands = whatStands(lane, delivery, seen)
      if (stands !== undefined) {
        return { _tag: "Left", reason: `a person has ${stands} the work item, and that stands`, seen }
      }
      const { readAt, state } = seen
      // The budget may keep the PATCH waiting for longer than the look tells anything: then its slot is for another
      // look. Once only: where a slot is always as long in coming, it would never be sent.
      const next = yield* budget.withSlot(slot, (mine) =>
        Effect.gen(function*() {
          yield* stillLeading
          return hasLookedAgain || (yield* isFresh(readAt)) ? yield* set(mine, state) : yield* look(mine)
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
      if (Option.contains(isThere, false)) return Effect.succeed({ _tag: "Withheld", reason: error.message })
      return Option.isNone(isThere) || job.delivery.refusals === 0
        ? askOnceMore(context, error)
        : Effect.succeed(dead(error))
    }
  )
