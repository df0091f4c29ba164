import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { PipelineStage } from "../domain/PipelineStage.js"
import { StageEvent } from "../domain/StageEvent.js"
import type { Sql } from "../storage/Sql.js"
import { oweLaunch } from "./Launches.js"
import type { ProjectPipeline } from "./Pipeline.js"
import type { TaskRow } from "./TaskRows.js"
import { agentOf } from "./TaskRows.js"

/** A stage that is entered, and the id of the transition. */
export interface Entry {
  readonly id: string
  readonly stage: PipelineStage
}

const isEnd = (pipeline: Option.Option<ProjectPipeline>, { stage }: PipelineStage) =>
  Option.exists(pipeline, ({ after }) => Option.isNone(after(stage)))

/**
 * A task enters a stage, and its agent is owed a launch, if the task is still as it was read. Says whether it was.
 * Writes first, as a transaction must. `areGatesAsked`: the gates of the stage were asked, and do not all hold.
 */
export const enterStage = (
  sql: Sql,
  { givenAgent, pipeline, revision, task }: TaskRow,
  { id, stage }: Entry,
  { areGatesAsked, dueAt, now }: {
    readonly areGatesAsked: boolean
    readonly dueAt: EpochMillis | null
    readonly now: EpochMillis
  }
): Effect.Effect<boolean, SqlError> =>
  Effect.gen(function*() {
    const isLast = isEnd(pipeline, stage)
    const [unchanged] = yield* sql`UPDATE plane_sync_task SET stage = ${stage.stage},
      status = ${isLast ? "done" : "active"}, entry = ${id}, updated_at = ${now},
      due_at = ${isLast ? null : dueAt}, revision = revision + 1
      WHERE id = ${task.id} AND revision = ${revision} RETURNING id`
    if (unchanged === undefined) return false
    const agent = agentOf(stage, givenAgent)
    yield* oweLaunch(sql, { entry: id, taskId: task.id, stage: stage.stage, agent, areGatesAsked }, now)
    return true
  })

/** What is said when a task has entered the last stage; nothing of any other. */
export const completion = (
  { pipeline, task: { workItem } }: TaskRow,
  { id, stage }: Entry
): ReadonlyArray<StageEvent> => isEnd(pipeline, stage) ? [StageEvent.TaskCompleted({ workItem, id: `${id}:done` })] : []
