import { Duration, Effect, Option } from "effect"
import { epochMillis, later, monotonicMillis, stored } from "../base/Time.js"
import { UserId } from "../domain/Ids.js"
import type { LookBackJob } from "../outbox/Job.js"
import type { AssignOutcome, LookedBack } from "../outbox/Outcome.js"
import type { Assignment } from "../plane/History.js"
import type { PlaneError } from "../plane/PlaneError.js"
import type { Slot } from "../plane/RateBudget.js"
import { isAboutTheRequest } from "./DeadOutcome.js"
import { retry, survive, tooEarly } from "./Retry.js"
import type { SendContext } from "./SendContext.js"

const givenUp = (reason: string): AssignOutcome => ({ _tag: "AssignGivenUp", reason, isRefused: false })

/** How often Plane is asked who has assigned whom, if it does not tell. */
const mostChecks = 5

/** How long Plane's workers are left to write our own change, which must be there. */
const writtenWithin = Duration.seconds(2)

/** What was asked of Plane. */
interface Told {
  readonly by: UserId
  readonly left: ReadonlyArray<UserId>
  readonly all: ReadonlyArray<Assignment>
}

/**
 * What others have changed since the assignees were read for our PATCH, and is not so after it: their newest change of
 * each person counts, unless it was so before it. Undefined while Plane has not written our own change yet.
 */
export const changedByOthers = (
  { all, by, left }: Told,
  { patch: { before, isOpen, since }, people }: Pick<LookBackJob, "patch" | "people">,
  users: ReadonlyMap<string, UserId>
): LookedBack | undefined => {
  // They are told by the second.
  const recent = all.filter(({ at }) => stored(at) + 1_000 > since)
  if (isOpen !== true && !recent.some((each) => Option.contains(each.by, by))) return undefined
  const newest = new Map<UserId, boolean>()
  for (const each of recent) {
    if (Option.isSome(each.by) && each.by.value !== by && !newest.has(each.user)) newest.set(each.user, each.isAdded)
  }
  // Where it is not known to the second when they were read, that was perhaps before it.
  const changed = Array.from(newest).filter(([user, isAdded]) => before?.includes(user) !== isAdded)
  return {
    _tag: "LookedBack",
    restore: changed
      .filter(([user, isAdded]) => left.includes(user) !== isAdded)
      .map(([user, isWanted]) => ({ user, isWanted })),
    touched: people.flatMap(({ id, person, restore }) => {
      const user = users.get(person)
      return restore === 0 && changed.some(([other]) => other === user) ? [id] : []
    })
  }
}

/**
 * Asks who has changed the assignees meanwhile, by one request. A PATCH without an answer has told neither whom it has
 * left assigned nor whose it was: then that is asked for as well, after its quiet time. Never fails.
 */
export const lookBack = (context: SendContext, job: LookBackJob, slot: Slot): Effect.Effect<AssignOutcome> =>
  Effect.flatMap(monotonicMillis, (now) => {
    const { client, quietTimes, usersOf } = context
    const { itemId, lane, patch, people } = job
    const isOpen = patch.isOpen === true
    const quiet = quietTimes.left(now, isOpen ? { ...lane, unanswered: true } : lane)
    if (!Duration.isZero(quiet)) return tooEarly(quiet)
    return survive(
      Effect.gen(function*() {
        // Who is assigned is read first: what is changed after it is among the changes that are read then.
        const read = isOpen || patch.left === undefined ? yield* client.readAssigned(itemId, slot) : undefined
        const left = read?.assignees ?? patch.left ?? []
        const all = yield* client.assignments(itemId, read === undefined ? slot : undefined)
        const by = patch.by ?? lane.placedBy ?? (yield* client.account).id
        const users = yield* usersOf(people.map(({ person }) => person))
        return changedByOthers({ all, by: UserId(by.toLowerCase()), left }, job, users) ?? (yield* unwritten(job))
      }).pipe(Effect.catchAll((error) => unanswered(context, job, error))),
      context,
      patch.checks + 1,
      givenUp
    )
  })

const unwritten = ({ patch: { checks } }: LookBackJob): Effect.Effect<AssignOutcome> =>
  Effect.map(epochMillis, (now) => {
    const reason = "Plane has not written yet who has assigned whom"
    return checks + 1 >= mostChecks
      ? givenUp(reason)
      : { _tag: "Later", dueAt: later(now, writtenWithin), counted: true, reason }
  })

/** A Plane that does not have the activities, or does not show them, tells nothing. */
const unanswered = (
  context: SendContext,
  { patch: { checks } }: LookBackJob,
  error: PlaneError
): Effect.Effect<AssignOutcome> =>
  isAboutTheRequest(error) || Option.contains(error.status, 404) || checks + 1 >= mostChecks
    ? Effect.succeed(givenUp(error.message))
    : Effect.map(retry(context, error, checks + 1), Option.getOrElse(() => givenUp(error.message)))
