import type { SqlError } from "@effect/sql/SqlError"
import type { DateTime } from "effect"
import { Effect, Option } from "effect"
import { cleanLine, textLimit } from "../base/Text.js"
import { EpochMillis, epochMillis, stored } from "../base/Time.js"
import { uuidV7 } from "../base/UuidV7.js"
import type { ItemId } from "../domain/Ids.js"
import type { PlaneMoment } from "../domain/PlaneMoment.js"
import type { WorkItemKey } from "../domain/WorkItemKey.js"
import { isKnownEnded } from "../outbox/Believed.js"
import type { Sql } from "../storage/Sql.js"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { WakeUps } from "../storage/WakeUps.js"
import type { MoveMeaning } from "./PersonMove.js"
import { moveWords } from "./PersonMove.js"
import type { Starting } from "./Starting.js"
import type { Task } from "./Task.js"
import type { TaskRow } from "./TaskRows.js"

/** Somebody has given a work item the label or the assignee that starts its task, or has taken a label or one away. */
export interface MarkChange {
  /** What was given, in words: `gave it the label "agent"`. None: the mark is not there any more. */
  readonly given: Option.Option<string>
  /** When Plane last changed the work item, by its clock; and not after now. */
  readonly updatedAt: PlaneMoment
  readonly at: DateTime.Utc
  /** Who has done it, as people read it. */
  readonly who: Option.Option<string>
  /** The work item was created with it. */
  readonly isNew: boolean
  /** By the state that was seen with it, the work is over: it is of the group completed or cancelled. */
  readonly isEnded: boolean
}

/**
 * What a mark means for a task. What a move means that starts or continues it; or nothing, because something newer was
 * heard (`old`), the work item is completed or cancelled in Plane (`ended`), the task is at work or was started by hand
 * before (`there`), the mark was taken away (`taken`), or no setting names the project (`unset`).
 */
export type MarkMeaning =
  | Extract<MoveMeaning, "start" | "startAnew" | "goOn">
  | "old"
  | "ended"
  | "there"
  | "taken"
  | "unset"

/** All that decides what a mark that was given means. */
export interface MarkFacts {
  readonly mark: Pick<MarkChange, "isNew" | "isEnded"> & { readonly at: EpochMillis }
  /** None: nobody has started a task for the work item. */
  readonly task: Pick<Task, "status" | "startedAt"> | undefined
}

/**
 * What a mark means that was given: what a move to a started state means, but it moves nothing. So where the work is
 * over by the work item's state, that stands.
 */
export const meaningOfMark = ({ mark: { at, isEnded, isNew }, task }: MarkFacts): MarkMeaning => {
  if (isEnded) return "ended"
  if (task === undefined) return "start"
  // The task was started by hand before the hook of the creation came.
  if (isNew || task.status === "active") return "there"
  if (task.status !== "done") return "goOn"
  return at > stored(task.startedAt) ? "startAnew" : "old"
}

/** What becomes of a task, as an explanation shows it. */
export const markWords: Readonly<Record<MarkMeaning, string>> = {
  start: `so its task ${moveWords.start}`,
  startAnew: `so its task ${moveWords.startAnew}`,
  goOn: `so its task ${moveWords.goOn}`,
  old: "which was heard before, or something newer was: this changes nothing",
  ended: "but it is completed or cancelled in Plane, so this changes nothing",
  there: "but it has a task already, so this changes nothing",
  taken: "so this changes nothing",
  unset: "but no setting names its project, so this changes nothing"
}

/** Who has given it what, as it is shown. */
export const givenWords = ({ given, who }: Pick<MarkChange, "given" | "who">): string =>
  Option.isNone(given)
    ? "a label or an assignee was taken away, and what starts a task is not there"
    : `${
      Option.match(who, { onNone: () => "a person", onSome: (name) => cleanLine(name, textLimit) })
    } ${given.value} in Plane`

/**
 * Notes what a person has said of a work item at a moment, and returns whether it is newer than what was noted before.
 * So one word counts once, whichever hooks tell it, and a late hook is overtaken by a newer word. Runs within a
 * transaction.
 */
export const noteWord = (sql: Sql, itemId: ItemId, at: EpochMillis): Effect.Effect<boolean, SqlError> =>
  Effect.map(
    sql`INSERT INTO plane_sync_task_mark (item, at) VALUES (${itemId}, ${at})
      ON CONFLICT (item) DO UPDATE SET at = excluded.at WHERE plane_sync_task_mark.at < excluded.at RETURNING 1`,
    (rows) => rows.length > 0
  )

interface Parts extends Pick<Storage["Type"], "sql" | "write">, Pick<WakeUps["Type"], "notify"> {
  readonly starting: Starting
}

/**
 * Makes what is done when a mark of a work item was changed: what it means for the task that `find` finds is decided
 * and stored in one transaction. `item` is the work item, which becomes a task if there is none yet.
 */
export const makeMarks = ({ notify, sql, starting, write }: Parts) =>
(
  find: Effect.Effect<TaskRow | undefined, SqlError>,
  mark: MarkChange,
  item: { readonly key: WorkItemKey; readonly itemId: ItemId }
): Effect.Effect<MarkMeaning, StorageError> =>
  Effect.gen(function*() {
    const entry = yield* uuidV7
    const now = yield* epochMillis
    const at = EpochMillis(Math.min(stored(mark.at), now))

    const decided = Effect.gen(function*() {
      yield* starting.beginWrite
      const row = yield* starting.locked(find)
      const ofProject = row === undefined ? yield* starting.pipelineOf(item.key, item.itemId) : row.pipeline
      // Nothing starts a task of a project that is not set.
      if (Option.isNone(ofProject)) return "unset"
      if (!(yield* noteWord(sql, item.itemId, at))) return "old"
      if (Option.isNone(mark.given)) return "taken"
      const isEnded = (yield* isKnownEnded(sql, item.itemId, mark.updatedAt)) ?? mark.isEnded
      const meaning = meaningOfMark({ mark: { at, isEnded, isNew: mark.isNew }, task: row?.task })
      if (row === undefined) {
        if (meaning === "start") yield* starting.insert(item.key, ofProject.value, item, entry, at, now)
        return meaning
      }
      if (meaning !== "startAnew" && meaning !== "goOn") return meaning
      yield* starting.know(row, item, now)
      yield* meaning === "startAnew"
        ? starting.startAnew(row, ofProject.value, entry, at, now)
        : starting.goOn(row, ofProject.value, entry, now)
      return meaning
    })

    const meaning: MarkMeaning = yield* write(decided)
    if (meaning === "start" || meaning === "startAnew" || meaning === "goOn") {
      yield* Effect.logInfo(`${item.key.written}: ${givenWords(mark)}, ${markWords[meaning]}`)
      yield* notify
    }
    return meaning
  })
