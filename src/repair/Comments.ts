import { Array as Arr, Duration, Effect, Option, Order } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { earlier, epochMillis, later, stored } from "../base/Time.js"
import type { CommentId, ItemId } from "../domain/Ids.js"
import type { PlaneMoment } from "../domain/PlaneMoment.js"
import { epochOf } from "../domain/PlaneMoment.js"
import { metrics } from "../metrics/Metrics.js"
import { knownComments } from "../people/Commanding.js"
import { commandIn } from "../people/Commands.js"
import { readWaiting } from "../people/Waiting.js"
import type { SignedComment } from "../plane/History.js"
import type { ChangedItem } from "../plane/ItemPages.js"
import { externalSource } from "../plane/PlaneClient.js"
import type { PlaneError } from "../plane/PlaneError.js"
import type { PlaneProject } from "../sending/PlaneProjects.js"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { isGoing, itemsOfGoingTasks } from "../tasks/GoingTasks.js"
import { human } from "../tasks/QualityGate.js"
import type { Task } from "../tasks/Task.js"
import type { TaskStore } from "../tasks/TaskStore.js"
import type { Inbox } from "../webhooks/Inbox.js"
import { signerOf } from "../webhooks/Secrets.js"
import { hookOfComment } from "./HookOf.js"
import type { WithSlot } from "./LowestSlot.js"
import type { Unread } from "./Unread.js"
import { forgetUnread, isAnyUnread, noteUnread, putLast, readUnread } from "./Unread.js"

/** Of how many work items the comments are read in a round: one request each. */
export const mostRead = 5

/** How many of those that wait longest are looked at for these. */
const mostConsidered = 100

/** How long the hook of a comment may take. */
const hookWithin = Duration.minutes(2)

/** A comment may be dated so much later than the change of its work item that it has made. */
const datedWithin = Duration.seconds(10)

/** Nobody is told of older ones: they may be of a time when nobody was named who may command. */
const newsWithin = Duration.days(1)

/** After so many failures the comments are left until the work item is changed again. */
const mostTries = 3

/** So many comments are remembered as handed on; a comment that is handed on twice is answered once all the same. */
const mostHanded = 1_000

interface Parts {
  readonly project: PlaneProject
  readonly storage: Pick<Storage["Type"], "read" | "sql" | "write">
  readonly tasks: Pick<TaskStore["Type"], "byItemId">
  readonly withSlot: WithSlot
  readonly store: Inbox["Type"]["store"]
}

/** Lost commands: comments that were read, and that no hook has told. */
export interface Comments {
  /** Notes the work items with a task that has not ended, of those that a list shows. */
  readonly note: (items: ReadonlyArray<ChangedItem>) => Effect.Effect<void, StorageError>
  /** Reads the comments of some that were noted. A failure of Plane is none of this: they are read later. */
  readonly readSome: Effect.Effect<void, StorageError>
  readonly areLeft: Effect.Effect<boolean, StorageError>
}

/** The task waits for a person, who may have written a command. */
const needsPerson = ({ verdicts }: Task) =>
  verdicts.some(({ gate, verdict }) => gate === human.name && verdict !== "passed")

/**
 * Makes what finds commands whose hook was lost. Each goes the way of a hook, but without a signature: so it brings the
 * reply that it is to be written again, and no more, because anybody with an API token can make and change comments.
 *
 * A comment counts once its work item was listed two minutes ago with a change that is not before it. Only Plane's
 * clock is compared with itself, and ours with itself.
 */
export const makeComments = ({ project: at, storage, store, tasks, withSlot }: Parts): Comments => {
  const { client, place, project } = at
  const { read, sql, write } = storage
  const { identifier } = project
  /** Up to which change comments were read, of what a list shows again. */
  const looked = new Map<ItemId, PlaneMoment>()
  const handed = new Set<CommentId>()
  const failures = new Map<ItemId, number>()

  const done = (unread: Unread) =>
    Effect.zipRight(
      write(forgetUnread(sql, [unread])),
      Effect.sync(() => {
        failures.delete(unread.itemId)
        looked.set(unread.itemId, unread.changed)
      })
    )

  /** What a comment says that may be a command of this task, and whose hook can be expected no more. */
  const commandOf = (comment: SignedComment, { changed, itemId }: Unread, task: Task) => {
    const { html, id, isEdited, source } = comment
    const [createdAt, madeBy] = [Option.getOrUndefined(comment.createdAt), Option.getOrUndefined(comment.madeBy)]
    if (Option.contains(source, externalSource) || isEdited || createdAt === undefined || madeBy === undefined) {
      return []
    }
    const isSettled = epochOf(createdAt) <= later(epochOf(changed), datedWithin)
    const isNews = epochOf(createdAt) >= earlier(epochOf(changed), newsWithin)
    return isSettled && isNews && epochOf(createdAt) >= stored(task.startedAt) && commandIn(html) !== undefined
      ? [{ id, itemId, html, madeBy, createdAt }]
      : []
  }

  const readOne = (unread: Unread, task: Task): Effect.Effect<void, PlaneError | StorageError> =>
    Effect.gen(function*() {
      const comments = yield* withSlot((slot) => client.signedComments(unread.itemId, slot))
      const commands = comments.flatMap((comment) => commandOf(comment, unread, task))
      const known = yield* read(knownComments(sql, commands.map(({ id }) => id)))
      // The oldest first, as their hooks would have come.
      for (const command of commands.toReversed()) {
        if (known.has(command.id) || handed.has(command.id)) continue
        yield* store(hookOfComment(command, { id: place.current()?.id ?? "", signer: signerOf(project) }))
        metrics.recovered.add({ project: project.identifier, what: "command" })
        if (handed.size >= mostHanded) handed.clear()
        handed.add(command.id)
      }
      yield* done(unread)
    })

  /** Says whether Plane has told. If not, the others come first, and are read in the next round. */
  const tryOne = (unread: Unread, task: Task, now: EpochMillis) =>
    readOne(unread, task).pipe(
      Effect.as(true),
      Effect.catchTag("PlaneError", (error) =>
        Effect.gen(function*() {
          yield* Effect.logDebug(`The comments of ${task.workItem} were not read: ${error.message}`)
          const tries = (failures.get(unread.itemId) ?? 0) + 1
          failures.set(unread.itemId, tries)
          if (error.reason === "NotFound" || tries >= mostTries) yield* done(unread)
          else yield* write(putLast(sql, unread.itemId, now))
          return error.reason === "NotFound"
        }))
    )

  return {
    note: (items) =>
      Effect.gen(function*() {
        const shown = new Set(items.map(({ id }) => id))
        for (const id of looked.keys()) if (!shown.has(id)) looked.delete(id)
        const changed = items.filter(({ id, updatedAt }) => looked.get(id) !== updatedAt)
        if (changed.length === 0) return
        const going = yield* read(itemsOfGoingTasks(sql, changed.map(({ id }) => id)))
        const unread = changed.filter(({ id }) => going.has(id)).map(({ id, updatedAt }): Unread => ({
          itemId: id,
          changed: updatedAt
        }))
        // One that was changed while pages were read is on two of them.
        const once = Arr.dedupeWith(unread, (one, other) => one.itemId === other.itemId)
        if (once.length > 0) yield* write(noteUnread(sql, identifier, once, yield* epochMillis))
      }),
    readSome: Effect.gen(function*() {
      const now = yield* epochMillis
      const noted = yield* read(
        readUnread(sql, identifier, { before: earlier(now, hookWithin), now, limit: mostConsidered })
      )
      const rows = yield* Effect.forEach(noted, (unread) =>
        Effect.map(tasks.byItemId(unread.itemId), (task) => ({
          unread,
          task: Option.getOrUndefined(Option.filter(task, isGoing))
        })))
      const going = rows.flatMap(({ task, unread }) => task === undefined ? [] : [{ task, unread }])
      const ended = rows.filter(({ task }) => task === undefined).map(({ unread }) => unread)
      if (ended.length > 0) yield* write(forgetUnread(sql, ended))
      const waiting = yield* readWaiting(storage, going.map(({ task }) => task))
      const byNeed = Order.mapInput(
        Order.boolean,
        ({ task }: (typeof going)[number]) => !(waiting.has(task.id) || needsPerson(task))
      )
      for (const { task, unread } of Arr.sort(going, byNeed).slice(0, mostRead)) {
        if (!(yield* tryOne(unread, task, now))) return
      }
    }),
    areLeft: read(isAnyUnread(sql, identifier))
  }
}
