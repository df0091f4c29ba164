import { Duration, Effect, Option } from "effect"
import type { MonotonicMillis } from "../base/Time.js"
import { EpochMillis, monotonicMillis } from "../base/Time.js"
import type { ItemId, LaneId, UserId } from "../domain/Ids.js"
import { UserId as User } from "../domain/Ids.js"
import { epochOf } from "../domain/PlaneMoment.js"
import type { StateId } from "../domain/StageStates.js"
import type { AssignJob, DueAssignee } from "../outbox/Job.js"
import type { Assigned, AssignedPerson, AssignOutcome } from "../outbox/Outcome.js"
import type { AssignedItem } from "../plane/Changes.js"
import type { PlaneError } from "../plane/PlaneError.js"
import type { Slot } from "../plane/RateBudget.js"
import type { WorkItem } from "../plane/WorkItem.js"
import { goneUnlessDown, isAboutTheRequest } from "./DeadOutcome.js"
import { askOnceMore, retry, sentAtOf, survive, tooEarly, tooSoon } from "./Retry.js"
import { seenAs } from "./SeenState.js"
import type { SendContext } from "./SendContext.js"
import { write } from "./SendContext.js"

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

/** Whose id Plane does not know at all, by its words; undefined if it refuses for another reason. */
const unknownUser = ({ reason, words }: PlaneError): UserId | undefined => {
  const [, id] = reason === "Refused" ? /^assignees: .*Invalid pk "([^"]+)"/.exec(words) ?? [] : []
  return id === undefined ? undefined : User(id.toLowerCase())
}

/** What was sent: the assignees with any state, the state alone, or nothing. */
interface Sent {
  readonly add: ReadonlyArray<Named>
  readonly answer?: AssignedItem
  readonly item?: WorkItem
}

/**
 * Sends what was read with ours, because Plane replaces all, and sets a state with it if one is given. Nothing is sent
 * that would change nothing. What it asks for is written down before it is sent. For one id that it does not know Plane
 * refuses the whole request: then that one is left out, and the request sent again.
 */
export const replaceAssignees = (
  context: SendContext,
  { itemId, lane, people, reading, state, users }: {
    readonly itemId: ItemId
    readonly lane: LaneId
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
    const settled = [...step.settled]
    const refuse = ({ id, person }: DueAssignee, why: string) => {
      const reason = `Plane does not assign ${person}: ${why}`
      settled.push({ _tag: "Refused", id, reason })
      return sayOnce(reason)
    }
    // The slot that was brought is good for one request.
    const send = (
      add: ReadonlyArray<Named>,
      mine?: Slot
    ): Effect.Effect<Sent, PlaneError> => {
      if (add.length + step.remove.length === 0) {
        return state === undefined
          ? Effect.succeed({ add })
          : Effect.map(client.setState(itemId, state, mine), (item) => ({ add, item }))
      }
      const assignees = Array.from(new Set([...kept, ...add.map(({ user }) => user)]))
      return client.assign(itemId, { assignees, state }, mine).pipe(
        Effect.map((answer) => ({ add, answer })),
        Effect.catchAll((error) => {
          const unknown = add.filter(({ user }) => user === unknownUser(error))
          return unknown.length === 0 ? Effect.fail(error) : Effect.zipRight(
            Effect.forEach(unknown, ({ row }) => refuse(row, "it knows no such user")),
            write(context, undefined, (next) => send(add.filter((one) => !unknown.includes(one)), next))
          )
        })
      )
    }
    const removed = step.remove.map(({ user }) => user)
    const kept = reading.assignees.filter((user) => !removed.includes(user))
    const noted = step.add.length + step.remove.length === 0 ? undefined : yield* noteAsked(lane, {
      ids: step.add.map(({ row }) => row.id),
      before: reading.assignees,
      // What Plane had changed last is in what was read.
      since: epochOf(reading.item.updatedAt)
    })
    yield* stillLeading
    const { add, answer, item: changed } = yield* send(
      step.add.filter(({ row }) => noted?.wanted.includes(row.id)),
      slot
    )
    if (answer === undefined) {
      const item = changed
      if (item !== undefined) yield* destination.wrote
      return { item, assigned: { people: settled, patch: undefined } }
    }
    yield* destination.wrote
    const now = yield* monotonicMillis
    const { assignees: left, item } = answer
    for (const user of kept.filter((user) => !left.includes(user))) {
      yield* Effect.logWarning(
        `Plane has taken the user ${user} off the work item ${itemId}: it keeps only active members when assignees change`
      )
    }
    for (const { row, user } of add) {
      if (left.includes(user)) settled.push({ _tag: "There", id: row.id, isOurs: row.restore === 0 })
      else yield* refuse(row, "only active members of the project who are no guests can be")
    }
    return {
      item,
      assigned: {
        people: [...settled, ...step.remove.map(({ row: { id } }) => ({ _tag: "Out" as const, id }))],
        patch: {
          // Both clocks may differ, so it is counted back from Plane's own.
          since: EpochMillis(epochOf(item.updatedAt) - (now - reading.at)),
          by: Option.getOrUndefined(Option.map(item.updatedBy, (id) => User(id.toLowerCase()))),
          left,
          isLast: [...add, ...step.remove].every(({ row }) => row.restore === 1),
          isAlone: noted?.isAlone === true,
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
    const { isOpen, lane, people } = job
    const isAsked = isOpen || people.some(({ asked }) => asked === 1)
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
          const { assigned } = yield* replaceAssignees(context, { itemId, lane: lane.id, people, users, reading }, mine)
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
