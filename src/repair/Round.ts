import { Effect, Option } from "effect"
import { epochMillis } from "../base/Time.js"
import type { ItemId } from "../domain/Ids.js"
import type { PlaneMoment } from "../domain/PlaneMoment.js"
import { keyIn } from "../domain/Project.js"
import type { Believed } from "../outbox/Believed.js"
import { readBelieved } from "../outbox/Believed.js"
import { observe } from "../outbox/Observation.js"
import type { Move } from "../plane/History.js"
import type { ChangedItem } from "../plane/ItemPages.js"
import type { PlaneError } from "../plane/PlaneError.js"
import type { PlaneProject } from "../sending/PlaneProjects.js"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { TaskStore } from "../tasks/TaskStore.js"
import type { NewHook } from "../webhooks/Inbox.js"
import { signerOf } from "../webhooks/Secrets.js"
import { hookOf } from "./HookOf.js"
import type { WithSlot } from "./LowestSlot.js"
import type { Suspect, Told } from "./Suspect.js"
import { toldBy } from "./Suspect.js"
import type { Watermark } from "./Watermark.js"
import { beforeAll, keepWatermark, readFrom, readWatermark } from "./Watermark.js"

/** A work item of which something is told that no hook has told. */
export interface Found {
  readonly key: string
  readonly told: Told["_tag"]
  readonly stateName: string
}

/** What a round has found, and whether there is more for the next one. */
export interface RoundOutcome {
  readonly found: ReadonlyArray<Found>
  readonly left: number
}

/** Of how many work items the activities are read in a round. */
const mostSuspects = 10

/** How many pages are read where none was read before: what was changed long ago waits for the look before a launch. */
const pagesAtFirst = 2

/** A list without an end would take the whole budget. */
const mostPages = 1_000

interface Parts {
  readonly project: PlaneProject
  readonly storage: Pick<Storage["Type"], "read" | "sql" | "write">
  readonly tasks: Pick<TaskStore["Type"], "byKey">
  readonly withSlot: WithSlot
  /** Takes what was read as a hook. None: it is only looked what there is, and nothing is stored. */
  readonly store: ((hook: NewHook) => Effect.Effect<void, StorageError>) | undefined
  /** Is told which work items the list shows. */
  readonly listed?: ((items: ReadonlyArray<ChangedItem>) => Effect.Effect<void, StorageError>) | undefined
}

/**
 * A round of reading what was changed in a project. It reads the list of work items, those that were changed last
 * first, down to the watermark. Of those that are not in the state that they are believed to be in, it reads who has
 * moved them, at most of ten; what a person has done goes the way of a hook. The watermark is kept once none is left.
 */
export const makeRound = ({ listed: note, project: at, storage, store, tasks, withSlot }: Parts) => {
  const { client, destination, place, project } = at
  const { read, sql, write } = storage
  const { identifier } = project
  /** How far the list was read by this process, and whether its overlap was read, too. */
  let listed: Watermark | undefined
  let isOverlapRead = false
  /** What is left, oldest first. */
  const suspects = new Map<ItemId, Suspect>()
  /** What was looked at already of what the overlap shows again. */
  const looked = new Map<ItemId, PlaneMoment>()

  const isExpected = ({ stateId, updatedAt }: Suspect["item"], believed: Believed | undefined) =>
    believed !== undefined &&
    (believed.states.includes(stateId) || (believed.heardAt !== null && updatedAt <= believed.heardAt))

  /** Whether it matters who has moved a work item that was never heard of: a move may start a task, or concern one. */
  const matters = ({ number, stateGroup }: Suspect["item"]) =>
    stateGroup === "started"
      ? Effect.succeed(true)
      : Effect.map(tasks.byKey(keyIn(project, number)), Option.isSome)

  const suspect = (changed: ChangedItem, believed: Believed | undefined, since: PlaneMoment | undefined) =>
    Effect.gen(function*() {
      const { id, stateGroup, stateId, updatedAt } = changed
      if (Option.isNone(stateId) || Option.isNone(stateGroup) || looked.get(id) === updatedAt) return
      const item = { ...changed, stateId: stateId.value, stateGroup: stateGroup.value }
      if (isExpected(item, believed)) return
      const isHeard = believed !== undefined && believed.heardAt !== null
      // At first a state that was never heard of may be as old as the work item.
      if (!isHeard && (since === undefined || updatedAt <= since || !(yield* matters(item)))) return
      const before = suspects.get(id)
      const tries = before?.item.updatedAt === updatedAt ? before.tries : 0
      suspects.set(id, { item, believed, since: since ?? beforeAll, tries })
    })

  /**
   * Reads the list down to a moment, and returns the newest that it shows; none where it is empty. Nothing is known yet
   * of the project without a watermark.
   */
  const list = (watermark: Watermark | undefined) =>
    Effect.gen(function*() {
      const from = watermark && (isOverlapRead ? watermark.moment : readFrom(watermark.moment))
      const found: Array<ChangedItem> = []
      let cursor: string | undefined
      for (let pages = 1; pages <= (from === undefined ? pagesAtFirst : mostPages); pages++) {
        const page: Effect.Effect.Success<ReturnType<typeof client.changed>> = yield* withSlot((slot) =>
          client.changed(cursor, slot)
        )
        found.push(...page.items.filter(({ updatedAt }) => from === undefined || updatedAt >= from))
        const isDone = from !== undefined && page.items.some(({ updatedAt }) => updatedAt < from)
        const next = Option.filter(page.next, (next) => next !== cursor)
        if (isDone || Option.isNone(next)) break
        cursor = next.value
      }
      yield* note?.(found) ?? Effect.void
      const believed = yield* read(readBelieved(sql, found.map(({ id }) => id)))
      const since = watermark && from && (watermark.began > from ? watermark.began : from)
      for (const item of found.toReversed()) yield* suspect(item, believed.get(item.id), since)
      return found.map(({ updatedAt }) => updatedAt).sort().at(-1)
    })

  const readOn = Effect.gen(function*() {
    const before = listed ?? (yield* read(readWatermark(sql, identifier)))
    const newest = yield* list(before)
    if (before !== undefined) {
      const isNew = newest !== undefined && newest > before.moment
      isOverlapRead = !isNew
      listed = isNew ? { ...before, moment: newest } : before
    } else if (newest !== undefined) listed = { moment: newest, began: newest }
    // An archived project shows no work items either, and then it is closed.
    else if (!(yield* destination.isDown())) listed = { moment: beforeAll, began: beforeAll }
  })

  /** No activities: a Plane that has none, or does not show them, tells nothing. */
  const movesOf = (id: ItemId): Effect.Effect<ReadonlyArray<Move> | "gone", PlaneError> =>
    withSlot((slot) => client.moves(id, slot)).pipe(
      Effect.catchIf(({ reason }) => reason === "NotFound", () => Effect.succeed("gone" as const)),
      Effect.catchIf(({ status }) => Option.contains(status, 404), () => Effect.succeed([]))
    )

  /** Another change of it may have undone our last state: then that is checked, as after a hook. */
  const doubt = ({ item: { id, number, stateGroup, stateId, updatedAt } }: Suspect) =>
    Effect.flatMap(epochMillis, (now) =>
      write(observe(sql, {
        itemId: id,
        key: keyIn(project, number),
        state: stateId,
        cancelled: stateGroup === "cancelled",
        completed: stateGroup === "completed",
        updatedAt,
        receivedAt: now,
        isAside: true,
        isLook: true,
        isTrial: true
      })))

  const ask = (before: Suspect) =>
    Effect.gen(function*() {
      const { item } = before
      const believed = (yield* read(readBelieved(sql, [item.id]))).get(item.id)
      const done = Effect.sync(() => {
        suspects.delete(item.id)
        looked.set(item.id, item.updatedAt)
      })
      // A hook has told it meanwhile.
      if (isExpected(item, believed)) return yield* Effect.as(done, undefined)
      const now = { ...before, believed }
      const moves = yield* movesOf(item.id)
      if (moves === "gone") return yield* Effect.as(done, undefined)
      const told = toldBy(moves, now)
      if (told._tag === "NotYet") {
        suspects.set(item.id, { ...now, tries: before.tries + 1 })
        return undefined
      }
      if (told._tag !== "Nothing") {
        yield* store?.(hookOf(now, told, { id: place.current()?.id ?? "", signer: signerOf(project) })) ?? Effect.void
      } else if (believed !== undefined && store !== undefined) yield* doubt(now)
      yield* done
      return told._tag === "Nothing"
        ? undefined
        : {
          key: keyIn(project, item.number),
          told: told._tag,
          stateName: Option.getOrElse(item.stateName, () => item.stateGroup)
        }
    })

  /** Plane does not tell of this one, and that ends the round. The others come first in the next one. */
  const putLast = ({ item: { id } }: Suspect) =>
    Effect.sync(() => {
      const before = suspects.get(id)
      if (before !== undefined && suspects.delete(id)) suspects.set(id, before)
    })

  const forget = (to: PlaneMoment) =>
    Effect.sync(() => {
      const from = readFrom(to)
      for (const [id, updatedAt] of looked) if (updatedAt < from) looked.delete(id)
    })

  return Effect.gen(function*() {
    yield* readOn
    const found: Array<Found> = []
    for (const each of [...suspects.values()].slice(0, mostSuspects)) {
      const one = yield* Effect.tapError(ask(each), () => putLast(each))
      if (one !== undefined) found.push(one)
    }
    if (listed !== undefined) {
      yield* forget(listed.moment)
      if (suspects.size === 0 && store !== undefined) yield* write(keepWatermark(sql, identifier, listed))
    }
    return { found, left: suspects.size } satisfies RoundOutcome
  })
}
