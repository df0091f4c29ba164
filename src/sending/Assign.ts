import { Duration, Effect, Option } from "effect"
import type { MonotonicMillis } from "../base/Time.js"
import { EpochMillis, monotonicMillis } from "../base/Time.js"
import type { ItemId, UserId } from "../domain/Ids.js"
import { UserId as User } from "../domain/Ids.js"
import { epochOf } from "../domain/PlaneMoment.js"
import type { StateId } from "../domain/StageStates.js"
import type { AssignJob, DueAssignee } from "../outbox/Job.js"
import type { Assigned, AssignedPerson, AssignOutcome } from "../outbox/Outcome.js"
import type { PlaneError } from "../plane/PlaneError.js"
import type { Slot } from "../plane/RateBudget.js"
import type { WorkItem } from "../plane/WorkItem.js"
import { goneUnlessDown, isAboutTheRequest } from "./DeadOutcome.js"
import { askOnceMore, retry, sentAtOf, survive, tooEarly, tooSoon } from "./Retry.js"
import { seenAs } from "./SeenState.js"
import type { SendContext } from "./SendContext.js"

/** What was read of a work item before its assignees are replaced. */
export interface Reading {
  readonly item: WorkItem
  readonly assignees: ReadonlyArray<UserId>
  readonly at: MonotonicMillis
}

interface Named {
  readonly row: DueAssignee
  readonly user: UserId
}

/** Whom to put there and to take out, and what is right already. */
export interface AssignStep {
  readonly add: ReadonlyArray<Named>
  readonly remove: ReadonlyArray<Named>
  readonly settled: ReadonlyArray<AssignedPerson>
}

/**
 * What a PATCH has to change. Who is there already is ours only if a PATCH of ours may have put them there, and only
 * ours are taken out, unless they are wanted under another name.
 */
export const assignStep = (
  people: ReadonlyArray<DueAssignee>,
  users: ReadonlyMap<string, UserId>,
  there: ReadonlyArray<UserId>
): AssignStep => {
  const add: Array<Named> = []
  const remove: Array<Named> = []
  const settled: Array<AssignedPerson> = []
  const wanted = new Set(
    people.filter(({ restore, wanted }) => wanted === 1 && restore === 0).flatMap(
      ({ person }) => users.get(person) ?? []
    )
  )
  for (const row of people.filter(({ settled }) => settled === 0)) {
    const user = users.get(row.person)
    const isOurs = row.ours === 1 || row.asked === 1
    if (user === undefined) {
      settled.push({ _tag: "Refused", id: row.id, reason: `${row.person} is no member of the project in Plane` })
    } else if (row.wanted === 1) {
      if (there.includes(user)) settled.push({ _tag: "There", id: row.id, isOurs })
      else add.push({ row, user })
    } else if (isOurs && there.includes(user) && (row.restore === 1 || !wanted.has(user))) remove.push({ row, user })
    else settled.push({ _tag: "Out", id: row.id })
  }
  return { add, remove, settled }
}

/** Reads a work item with who is assigned. */
export const readAssigned = (
  { client }: Pick<SendContext, "client">,
  itemId: ItemId,
  slot: Slot
): Effect.Effect<Reading, PlaneError> =>
  Effect.flatMap(monotonicMillis, (at) => Effect.map(client.readAssigned(itemId, slot), (read) => ({ ...read, at })))

/** What came of a PATCH. */
interface Replaced {
  /** As Plane has answered it. Undefined: there was nothing to send. */
  readonly item: WorkItem | undefined
  readonly assigned: Assigned
}

/**
 * Sends what was read with ours, because Plane replaces all, and sets a state with it if one is given. Nothing is sent
 * that would change nothing. What it asks for is written down before it is sent.
 */
export const replaceAssignees = (
  context: SendContext,
  { itemId, people, reading, state, users }: {
    readonly itemId: ItemId
    readonly people: ReadonlyArray<DueAssignee>
    readonly users: ReadonlyMap<string, UserId>
    readonly reading: Reading
    readonly state?: StateId
  },
  slot: Slot
): Effect.Effect<Replaced, PlaneError> =>
  Effect.gen(function*() {
    const { client, destination, noteAsked, sayOnce, stillLeading } = context
    const step = assignStep(people, users, reading.assignees)
    const asked = step.add.length === 0 ? [] : yield* noteAsked(step.add.map(({ row }) => row.id))
    const add = step.add.filter(({ row }) => asked.includes(row.id))
    if (add.length + step.remove.length === 0) {
      const item = state === undefined ? undefined : yield* client.setState(itemId, state, slot)
      if (item !== undefined) yield* destination.wrote
      return { item, assigned: { people: step.settled, patch: undefined } }
    }
    yield* stillLeading
    const removed = step.remove.map(({ user }) => user)
    const kept = reading.assignees.filter((user) => !removed.includes(user))
    const assignees = Array.from(new Set([...kept, ...add.map(({ user }) => user)]))
    const answer = yield* client.assign(itemId, { assignees, state }, slot)
    yield* destination.wrote
    const now = yield* monotonicMillis
    const { assignees: left, item } = answer
    for (const user of kept.filter((user) => !left.includes(user))) {
      yield* Effect.logWarning(
        `Plane has taken the user ${user} off the work item ${itemId}: it keeps only active members when assignees change`
      )
    }
    const put = yield* Effect.forEach(add, ({ row: { id, person, restore }, user }) => {
      if (left.includes(user)) return Effect.succeed<AssignedPerson>({ _tag: "There", id, isOurs: restore === 0 })
      const reason = `Plane does not assign ${person}: only active members of the project who are no guests can be`
      return Effect.as(sayOnce(reason), { _tag: "Refused", id, reason } satisfies AssignedPerson)
    })
    return {
      item,
      assigned: {
        people: [...step.settled, ...put, ...step.remove.map(({ row: { id } }) => ({ _tag: "Out" as const, id }))],
        patch: {
          // Both clocks may differ, so it is counted back from Plane's own.
          since: EpochMillis(epochOf(item.updatedAt) - (now - reading.at)),
          by: Option.getOrUndefined(Option.map(item.updatedBy, (id) => User(id.toLowerCase()))),
          left,
          isLast: [...add, ...step.remove].every(({ row }) => row.restore === 1),
          saved: state === undefined
            ? {
              before: seenAs(reading.item, reading.at),
              state: Option.getOrNull(item.stateId),
              updatedAt: item.updatedAt
            }
            : undefined
        }
      }
    }
  })

const givenUp = (reason: string, isRefused = false): AssignOutcome => ({ _tag: "AssignGivenUp", reason, isRefused })

/** What is read longer ago is read again before it is sent back: a person may have changed it. */
export const staleAfter = Duration.toMillis("2 seconds")

/** Assigns people, or takes them out: by a look and, if something is to be changed, one PATCH. Never fails. */
export const assign = (context: SendContext, job: AssignJob, slot: Slot): Effect.Effect<AssignOutcome> =>
  Effect.flatMap(monotonicMillis, (now) => {
    const { lane, people } = job
    const isAsked = people.some(({ asked }) => asked === 1)
    const left = context.quietTimes.left(now, isAsked ? { ...lane, unanswered: true } : lane)
    if (!Duration.isZero(left)) return tooEarly(left)
    return survive(
      Effect.catchAll(assignOnce(context, job, slot), (error) => failed(context, job, error)),
      context,
      job.attempts,
      (reason) => givenUp(reason)
    )
  })

const assignOnce = (
  context: SendContext,
  { itemId, lane, people }: AssignJob,
  slot: Slot
): Effect.Effect<AssignOutcome, PlaneError> =>
  Effect.gen(function*() {
    const users = yield* context.usersOf(people.map(({ person }) => person))
    let reading = yield* readAssigned(context, itemId, slot)
    for (let hasLookedAgain = false;; hasLookedAgain = true) {
      const { add, remove, settled } = assignStep(people, users, reading.assignees)
      if (add.length + remove.length === 0) return { _tag: "Assigned", assigned: { people: settled, patch: undefined } }
      const { at } = reading
      // The budget may keep the PATCH waiting: then its slot is for another look, once.
      const next = yield* context.budget.withSlot(slot, (mine) =>
        Effect.gen(function*() {
          yield* context.stillLeading
          if (!hasLookedAgain && (yield* monotonicMillis) - at > staleAfter) {
            return { _tag: "Read" as const, reading: yield* readAssigned(context, itemId, mine) }
          }
          const left = yield* context.leftAlone(lane.id)
          if (!Duration.isZero(left)) return yield* tooSoon(left)
          const { assigned } = yield* replaceAssignees(context, { itemId, people, users, reading }, mine)
          return { _tag: "Assigned" as const, assigned }
        }))
      if (next._tag !== "Read") return next
      reading = next.reading
    }
  })

/** Whether a write may have been executed: it was not answered, or by words that say nothing of it. */
const isMaybeDone = (error: PlaneError) =>
  error.method !== "GET" && error.sent !== "no" && error.reason === "Unavailable"

const failed = (context: SendContext, job: AssignJob, error: PlaneError): Effect.Effect<AssignOutcome> =>
  Effect.gen(function*() {
    if (error.method !== "GET" && error.sent === "unknown") {
      yield* context.quietTimes.begin(job.itemId, yield* sentAtOf(error))
    }
    if (error.reason === "NotFound") {
      const outcome = yield* goneUnlessDown(context, error, job.lane)
      return outcome._tag === "Later" ? outcome : { _tag: "ItemGone", reason: outcome.reason }
    }
    if (error.reason === "Refused" && job.attempts === 1) return yield* askOnceMore(context, error)
    if (isAboutTheRequest(error)) return givenUp(error.message, true)
    return Option.match(yield* retry(context, error, job.attempts), {
      onNone: () => givenUp(error.message),
      onSome: (later): AssignOutcome => ({ ...later, maybeDone: isMaybeDone(error) })
    })
  })
