import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option } from "effect"
import { EpochMillis, epochMillis, stored } from "../base/Time.js"
import { uuidV7 } from "../base/UuidV7.js"
import type { ItemId } from "../domain/Ids.js"
import type { StageStates } from "../domain/StageStates.js"
import type { WorkItemKey } from "../domain/WorkItemKey.js"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { WakeUps } from "../storage/WakeUps.js"
import { leaveActive } from "./Leaving.js"
import { noteWord } from "./Marks.js"
import type { MoveMeaning, PersonMove } from "./PersonMove.js"
import { meaningOf, moveWords, whyOf } from "./PersonMove.js"
import type { ProjectPipeline } from "./Pipeline.js"
import type { Starting } from "./Starting.js"
import type { TaskRow } from "./TaskRows.js"

interface Parts extends Pick<Storage["Type"], "sql" | "write">, Pick<WakeUps["Type"], "notify"> {
  readonly starting: Starting
}

/** What a task becomes by a move that takes it out of work. */
const leftBy = { pause: "paused", stop: "stopped", end: "done" } as const

/**
 * Makes what is done when a person has moved a work item: what the move means for the task that `find` finds is decided
 * and stored in one transaction. `item` is the work item, which becomes a task if there is none yet.
 */
export const makePersonMoves = ({ notify, sql, starting, write }: Parts) =>
(
  find: Effect.Effect<TaskRow | undefined, SqlError>,
  move: PersonMove,
  states: StageStates,
  item?: { readonly key: WorkItemKey; readonly itemId: ItemId }
): Effect.Effect<MoveMeaning, StorageError> =>
  Effect.gen(function*() {
    const entry = yield* uuidV7
    const now = yield* epochMillis
    const at = EpochMillis(Math.min(stored(move.at), now))
    const why = whyOf(move)

    const change = (
      row: TaskRow,
      pipeline: ProjectPipeline,
      meaning: MoveMeaning
    ): Effect.Effect<unknown, SqlError> => {
      const task = { id: row.task.id, itemId: Option.orElse(row.task.itemId, () => Option.fromNullable(item?.itemId)) }
      switch (meaning) {
        case "startAnew":
          return Effect.zipRight(starting.know(row, item ?? {}, now), starting.startAnew(row, pipeline, entry, at, now))
        case "goOn":
          return Effect.zipRight(starting.know(row, item ?? {}, now), starting.goOn(row, pipeline, entry, now))
        case "pause":
        case "stop":
        case "end":
          return Effect.gen(function*() {
            // A label that was given before does not start it again, however late that is heard.
            if (Option.isSome(task.itemId)) yield* noteWord(sql, task.itemId.value, at)
            yield* leaveActive(sql, task, leftBy[meaning], why, now)
          })
        case "start":
        case "nothing":
          return Effect.void
      }
    }

    const { meaning, workItem } = yield* write(Effect.gen(function*() {
      yield* starting.beginWrite
      const row = yield* starting.locked(find)
      const ofProject = row === undefined
        ? item === undefined ? Option.none() : yield* starting.pipelineOf(item.key, item.itemId)
        : row.pipeline
      // Nothing moves a task of a project that is not set.
      if (Option.isNone(ofProject)) return { meaning: "nothing" as const, workItem: undefined }
      const pipeline = ofProject.value
      const meaning = meaningOf({ move: { ...move, at }, task: row?.task, stages: pipeline.names, states })
      if (row !== undefined) yield* change(row, pipeline, meaning)
      else if (meaning === "start" && item !== undefined) {
        yield* starting.insert(item.key, pipeline, item, entry, at, now)
      }
      return { meaning, workItem: row?.task.workItem ?? item?.key.written }
    }))
    if (meaning === "nothing") return meaning
    yield* Effect.logInfo(`${workItem}: ${why}, so its task ${moveWords[meaning]}`)
    yield* notify
    return meaning
  })
