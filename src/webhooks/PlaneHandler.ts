import type { Scope } from "effect"
import { Clock, Effect, Either, FiberHandle } from "effect"
import { makeUnreadable } from "../base/DebouncedWarning.js"
import { keyIn } from "../domain/Project.js"
import { Projects } from "../domain/Projects.js"
import { observe } from "../outbox/Observation.js"
import { PlaneClient } from "../plane/PlaneClient.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { WakeUps } from "../storage/WakeUps.js"
import { TaskStore } from "../tasks/TaskStore.js"
import type { Handler } from "./HookWorker.js"
import type { Outcome, StoredHook } from "./Inbox.js"
import { duplicate, Inbox } from "./Inbox.js"
import type { WorkItemSeen } from "./PlaneHook.js"
import { decodePlane } from "./PlaneHook.js"

/** How long a delivery that does not tell its state's group waits for Plane to tell it. */
const groupWait = 5_000

/** How long Plane is not asked again for its states after it was. */
const statesWait = 60_000

/**
 * Plane's deliveries. Each says what state a work item is in since when, however it came to that: what is not newer than
 * what is known, or what this program asked for itself, is no move, so an echo of ours changes nothing however late it
 * comes. Anything else is a person's move: to a started state it makes the work item a task that goes on, to a cancelled
 * one it stops the task.
 */
export const planeHandler: Effect.Effect<
  Handler,
  never,
  Inbox | PlaneClient | Projects | Scope.Scope | WakeUps | Storage | TaskStore
> = Effect.gen(function*() {
  const { project } = yield* Projects
  const client = yield* PlaneClient
  const inbox = yield* Inbox
  const { sql, write } = yield* Storage
  const wakeUps = yield* WakeUps
  const tasks = yield* TaskStore
  const groupOf = yield* makeGroups(client)
  const unreadable = yield* makeUnreadable

  /** One that was started by hand has only a key, until that is looked up. */
  const taskOf = (workItem: string, itemId: string) =>
    Effect.gen(function*() {
      const task = (yield* tasks.byItemId(itemId)) ?? (yield* tasks.byKey(workItem))
      return task?.itemId === undefined || task.itemId === itemId ? task : undefined
    })

  const act = Effect.fnUntraced(function*(seen: WorkItemSeen, group: string) {
    const workItem = keyIn(project, seen.number)
    if (group === "started") {
      const { status } = yield* Effect.catchTag(
        tasks.start({ workItem, itemId: seen.id }),
        "InvalidKey",
        (error) => Effect.dieMessage(error.message)
      )
      const goesOn = status === "done" ? "its task is done, and stays so" : "its task goes on"
      return yield* Effect.logInfo(`${workItem} was moved to a started state: ${goesOn}`)
    }
    const task = group === "cancelled" ? yield* taskOf(workItem, seen.id) : undefined
    if (task !== undefined) yield* tasks.stop(task.id, "the work item was cancelled in Plane")
  })

  /** In the commit that makes it known, so that a crash before it is acted upon does not make it old. */
  const noteMove = (delivery: StoredHook, seen: WorkItemSeen, group: string) =>
    write(Effect.gen(function*() {
      yield* sql`UPDATE plane_sync_webhook SET moved = ${group} WHERE id = ${delivery.id}`
      const observed = yield* observe(sql, {
        itemId: seen.id,
        key: keyIn(project, seen.number),
        state: seen.stateId,
        cancelled: group === "cancelled",
        updatedAt: seen.updatedAt,
        isAside: seen.isAside
      })
      if (observed !== "moved") yield* sql`UPDATE plane_sync_webhook SET moved = NULL WHERE id = ${delivery.id}`
      return observed
    }))

  const handle = (delivery: StoredHook): Effect.Effect<Outcome, StorageError> =>
    Effect.gen(function*() {
      const decoded = decodePlane(delivery.body)
      if (Either.isLeft(decoded)) {
        yield* unreadable(delivery, decoded.left)
        return { _tag: "Skipped", reason: decoded.left }
      }
      const seen = decoded.right
      if (seen._tag === "Nothing") return { _tag: "Skipped", reason: seen.reason }
      if (seen.project !== project.id) return { _tag: "Skipped", reason: `it is of the project ${seen.project}` }
      if (delivery.moved === null) {
        if ((yield* inbox.known([delivery])).size > 0) return duplicate
        const group = seen.stateGroup ?? (yield* groupOf(seen.stateId))
        if (group === undefined) {
          const now = yield* Clock.currentTimeMillis
          return { _tag: "Later", dueAt: now + groupWait, reason: "Plane has not told its states yet" }
        }
        if ((yield* noteMove(delivery, seen, group)) !== "moved") return { _tag: "Done" }
        yield* act(seen, group)
      } else {
        yield* act(seen, delivery.moved)
      }
      yield* wakeUps.notify
      return { _tag: "Done" }
    })

  return (deliveries) =>
    Effect.forEach(
      deliveries,
      (delivery) => Effect.flatMap(handle(delivery), (outcome) => inbox.settle(new Map([[delivery.id, outcome]]))),
      { discard: true }
    )
})

/**
 * The group of a state that a delivery only names; none while Plane has not told. It is asked beside the worker, which
 * waits for nobody, and at most once a minute.
 */
const makeGroups = (client: PlaneClient["Type"]) =>
  Effect.gen(function*() {
    const groups = new Map<string, string>()
    const asking = yield* FiberHandle.make()
    let askedAt = -Infinity
    let told = false
    const ask = Effect.matchEffect(client.states, {
      onFailure: (error) => Effect.logWarning(`The groups of Plane's states are not known: ${error.message}`),
      onSuccess: (states) =>
        Effect.sync(() => {
          for (const { group, id } of states) groups.set(id, group)
          told = true
        })
    })
    return (stateId: string) =>
      Effect.gen(function*() {
        const group = groups.get(stateId)
        if (group !== undefined) return group
        const now = yield* Clock.currentTimeMillis
        if (Math.abs(now - askedAt) >= statesWait) {
          askedAt = now
          told = false
          yield* FiberHandle.run(asking, ask, { onlyIfMissing: true })
        }
        return told ? "unknown" : undefined
      })
  })
