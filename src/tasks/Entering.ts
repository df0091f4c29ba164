import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { PipelineStage } from "../domain/PipelineStage.js"
import type { Projects } from "../domain/Projects.js"
import { receiptLines } from "../domain/ReceiptLines.js"
import { Noted, StageEvent } from "../domain/StageEvent.js"
import type { Sql } from "../storage/Sql.js"
import { forgetDecisions } from "./Decisions.js"
import { oweLaunch } from "./Launches.js"
import type { ProjectPipeline } from "./Pipeline.js"
import { human } from "./QualityGate.js"
import { goOnTime, stopTime } from "./StageTimes.js"
import type { TaskReader, TaskRow } from "./TaskRows.js"
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
      status = ${isLast ? "done" : "active"}, entry = ${id}, entered_at = ${now},
      updated_at = ${now}, due_at = ${isLast ? null : dueAt}, revision = revision + 1
      WHERE id = ${task.id} AND revision = ${revision} RETURNING id`
    if (unchanged === undefined) return false
    yield* forgetDecisions(sql, task.id, stage.stage)
    yield* stopTime(sql, task.id, now)
    if (!isLast) yield* goOnTime(sql, task.id, { stage: stage.stage, attempts: 1 }, now)
    const agent = agentOf(stage, givenAgent)
    yield* oweLaunch(sql, { entry: id, taskId: task.id, stage: stage.stage, agent, areGatesAsked }, now)
    return true
  })

/** Whether a task waits at a stage until a person approves it. */
export const waitsForPerson = (pipeline: Option.Option<ProjectPipeline>, stage: PipelineStage): boolean =>
  stage.gates.includes(human.name) && !isEnd(pipeline, stage)

/** What is said when a task comes to rest at a stage that a person has to approve; nothing at any other. */
export const askedApproval = (
  { pipeline, task: { project, workItem } }: TaskRow,
  { id, stage }: Entry,
  { named }: Projects["Type"]
): ReadonlyArray<Noted> => {
  if (!waitsForPerson(pipeline, stage)) return []
  const text = named(project)?.commands.length === 0
    ? `🙋 ${stage.stage} waits for a person, and no setting says who may answer here (ORCH_COMMANDS). ` +
      "Who runs plane-sync can overrule the stage."
    : `🙋 ${stage.stage} waits for a person: write /approve, or /reject with the reason, as a comment.`
  return [new Noted({ workItem, text, id: `${id}:${human.name}` })]
}

/**
 * What is said when a task has entered the last stage, with what it has taken as far as that is known; nothing of any
 * other stage. Within the transaction, after all that is counted.
 */
export const completion = (
  reader: TaskReader,
  { pipeline, task: { id, workItem } }: TaskRow,
  entry: Entry
): Effect.Effect<ReadonlyArray<StageEvent>, SqlError> =>
  isEnd(pipeline, entry.stage)
    ? Effect.map(reader.byId(id), (row) => {
      const receipt = row?.ownReceipt
      const isKnown = receipt !== undefined && receiptLines(receipt).length > 0
      return [StageEvent.TaskCompleted({ workItem, id: `${entry.id}:done`, ...isKnown ? { receipt } : {} })]
    })
    : Effect.succeed([])
