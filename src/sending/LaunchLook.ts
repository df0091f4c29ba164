import { Duration, Effect, Either, Fiber, Layer, Option } from "effect"
import { EpochMillis, epochMillis, MonotonicMillis, monotonicMillis } from "../base/Time.js"
import type { ItemId } from "../domain/Ids.js"
import { keyIn } from "../domain/Project.js"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import type { MovedItem } from "../domain/WorkItemLook.js"
import { Looked, WorkItemLook } from "../domain/WorkItemLook.js"
import { readItemOfKey, readProject } from "../outbox/ItemKeys.js"
import { noteGone } from "../outbox/LaneDeath.js"
import { observe } from "../outbox/Observation.js"
import type { PlaneError } from "../plane/PlaneError.js"
import type { WorkItem } from "../plane/WorkItem.js"
import { Storage } from "../storage/Storage.js"
import type { PlaneProject } from "./PlaneProjects.js"
import { PlaneProjects } from "./PlaneProjects.js"

/** The longest time that a launch waits for a look: for the first probe, the budget, Plane, and storage together. */
const patience = Duration.seconds(10)

/** After a look without an answer in time, no other waits for so long. */
const silentFor = Duration.toMillis("30 seconds")

const unknown = (why: string) => Looked.Unknown({ why })

/**
 * The look before a launch. One request, before all others that wait for the budget. While the destination is closed,
 * or Plane was silent just now, it answers at once that nothing is known.
 */
const make = Effect.gen(function*() {
  const { all } = yield* PlaneProjects
  const { read, sql, write } = yield* Storage
  const scope = yield* Effect.scope
  let silentAt = MonotonicMillis(-Infinity)

  /** The project of a work item. Its key may begin with a former identifier, and names a project only at first. */
  const projectOf = (itemId: ItemId, key: WorkItemKey) =>
    Effect.map(
      read(readProject(sql, { itemId, key })),
      (identifier) => all.find(({ project }) => project.identifier === identifier)
    )

  /** Where nothing was heard of the work item before, its state is no move: it may be as old as the work item. */
  const observation = ({ group, itemId, key, receivedAt, stateId, updatedAt }: MovedItem) => ({
    itemId,
    key,
    state: stateId,
    cancelled: group === "cancelled",
    completed: group === "completed",
    updatedAt,
    receivedAt,
    isAside: true,
    isLook: true
  })

  const judged = ({ place, project }: PlaneProject, { id, number, stateGroup, stateId, updatedAt }: WorkItem) =>
    Effect.gen(function*() {
      if (Option.isNone(stateId) || Option.isNone(stateGroup)) {
        return unknown("Plane did not tell the group of its state")
      }
      const now = yield* epochMillis
      const shown: MovedItem = {
        itemId: id,
        key: keyIn(project, number),
        stateId: stateId.value,
        group: stateGroup.value,
        updatedAt,
        receivedAt: now,
        at: EpochMillis(Math.min(now, Date.parse(updatedAt))),
        states: place.states()
      }
      const observed = yield* write(observe(sql, { ...observation(shown), isTrial: true }))
      return observed === "moved" ? Looked.Moved(shown) : Looked.Expected()
    })

  const notRead = ({ destination }: PlaneProject, itemId: ItemId, error: PlaneError) =>
    error.reason !== "NotFound"
      ? Effect.succeed(unknown(error.message))
      // It probes, and may close the destination, which must not be left half done: so no time-out interrupts it.
      : Effect.forkIn(destination.isDown(), scope).pipe(
        Effect.flatMap(Fiber.join),
        // An archived project hides its work items, and these are not gone.
        Effect.tap((isDown) => isDown ? Effect.void : Effect.ignore(write(noteGone(sql, itemId)))),
        Effect.map((isDown) => isDown ? unknown(error.message) : Looked.Gone())
      )

  const ask = (project: PlaneProject, itemId: ItemId) =>
    Effect.matchEffect(project.budget.withFirstSlot((slot) => project.client.read(itemId, slot)), {
      onSuccess: (item) => judged(project, item),
      onFailure: (error) => notRead(project, itemId, error)
    })

  const lookAt: WorkItemLook["Type"]["look"] = ({ itemId, workItem }) =>
    Effect.gen(function*() {
      if ((yield* monotonicMillis) - silentAt < silentFor) return unknown("Plane was silent just now")
      const wait = { isForPlane: false }
      const looked = yield* Effect.gen(function*() {
        const key = yield* Either.mapLeft(WorkItemKey.parse(workItem), (message) => ({ message }))
        // A task that was started by hand has only a key until that is looked up.
        const known = Option.getOrUndefined(itemId) ?? (yield* read(readItemOfKey(sql, key.normalized)))
        if (known === undefined) return unknown("its key has not been looked up yet")
        const project = yield* projectOf(known, key)
        if (project === undefined) return unknown("no setting names its project")
        yield* project.destination.asked
        wait.isForPlane = true
        const status = yield* project.destination.status
        return status.open ? yield* ask(project, known) : unknown(status.reason)
      }).pipe(
        Effect.catchAll((error) => Effect.succeed(unknown(error.message))),
        Effect.timeoutOption(patience)
      )
      if (Option.isSome(looked)) return looked.value
      // Before that, it may be another replica's turn to ask for the project.
      if (wait.isForPlane) silentAt = yield* monotonicMillis
      return unknown(`Plane gave no answer within ${Duration.format(patience)}`)
    })

  return WorkItemLook.of({
    look: (item) =>
      Effect.tap(
        lookAt(item),
        (looked) =>
          looked._tag === "Unknown"
            ? Effect.logDebug(`${item.workItem} was not looked at before its launch: ${looked.why}`)
            : Effect.void
      ),
    note: (moved) =>
      write(observe(sql, observation(moved))).pipe(
        // What is not noted is found again, and acting twice changes nothing.
        Effect.catchAll((error) => Effect.logWarning(`A move of ${moved.key} was not noted: ${error.message}`)),
        Effect.asVoid
      )
  })
})

/** See `WorkItemLook`. */
export const launchLookLayer: Layer.Layer<
  WorkItemLook,
  never,
  PlaneProjects | Storage
> = Layer.scoped(WorkItemLook, make)
