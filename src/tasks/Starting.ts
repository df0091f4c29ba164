import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { ItemId } from "../domain/Ids.js"
import type { Projects } from "../domain/Projects.js"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import { readProject } from "../outbox/ItemKeys.js"
import type { NamedItem } from "../outbox/LeftStates.js"
import { followTask } from "../outbox/LeftStates.js"
import type { Sql } from "../storage/Sql.js"
import { forgetAnswers } from "./Answers.js"
import { forgetDecisions } from "./Decisions.js"
import { touch } from "./DueTasks.js"
import { oweLaunch } from "./Launches.js"
import { lockTask, waitForTurn } from "./Locks.js"
import type { Pipeline, ProjectPipeline } from "./Pipeline.js"
import { beginTime, goOnTime } from "./StageTimes.js"
import { tell } from "./Story.js"
import type { TaskId } from "./Task.js"
import { leavePages } from "./TaskLinks.js"
import type { TaskReader, TaskRow } from "./TaskRows.js"
import { agentOf } from "./TaskRows.js"

export interface Start {
  /** The work item's key. */
  readonly workItem: string
  readonly itemId?: ItemId | undefined
  /** The agent for this task instead of each stage's own. A stage without an agent still launches none. */
  readonly agent?: string | undefined
}

/** What makes tasks active. All of it runs within a transaction. */
export const makeStarting = (
  sql: Sql,
  reader: TaskReader,
  pipeline: Pipeline["Type"],
  projects: Projects["Type"]
) => {
  const follow = (item: NamedItem, now: EpochMillis) =>
    followTask(sql, { ...item, project: projects.ofKey(item.key)?.identifier ?? "" }, now)

  /** The pipeline that a work item's task goes through; none if no setting names its project. */
  const pipelineOf = (key: WorkItemKey, itemId: ItemId | undefined) =>
    Effect.map(readProject(sql, { itemId, key }), pipeline.of)

  // A transaction's first statement must write, or it could not wait for another process's. This one changes nothing.
  const beginWrite = Effect.zipRight(
    waitForTurn(sql, "plane_sync_task_start"),
    sql`UPDATE plane_sync_task SET due_at = due_at WHERE id = 0`
  )

  /** What `find` finds, as it is once no other transaction has it: that one may have changed it since it was found. */
  const locked = (find: Effect.Effect<TaskRow | undefined, SqlError>) =>
    Effect.gen(function*() {
      const found = yield* find
      if (found === undefined) return found
      yield* lockTask(sql, found.task.id)
      return yield* reader.byId(found.task.id)
    })

  /** Makes a work item a task, at the first stage. What was merged before `startedAt` does not count for it. */
  const insert = (
    key: WorkItemKey,
    { stages: [first] }: ProjectPipeline,
    { agent, itemId }: Pick<Start, "agent" | "itemId">,
    entry: string,
    startedAt: EpochMillis,
    now: EpochMillis
  ): Effect.Effect<TaskId, SqlError> =>
    Effect.gen(function*() {
      const { stage } = first
      const [row] = yield* sql<{ id: TaskId }>`INSERT INTO plane_sync_task
        (work_item, key, canonical, plane_id, stage, status, agent, entry, entered_at, started_at, updated_at,
          due_at)
        VALUES (${key.written}, ${key.normalized}, ${key.canonical}, ${itemId ?? null}, ${stage}, 'active',
          ${agent ?? null}, ${entry}, ${now}, ${startedAt}, ${now}, ${now}) RETURNING id`
      if (row === undefined) return yield* Effect.dieMessage("an INSERT returns its row")
      yield* beginTime(sql, row.id, stage, now)
      yield* follow({ key: key.normalized, itemId }, now)
      yield* oweLaunch(sql, { entry, taskId: row.id, stage, agent: agentOf(first, agent) }, now)
      return row.id
    })

  /** A task that is done begins once more, at the first stage: nothing of before counts but what it has taken. */
  const startAnew = (
    { givenAgent, task }: TaskRow,
    { stages: [first] }: ProjectPipeline,
    entry: string,
    startedAt: EpochMillis,
    now: EpochMillis
  ) =>
    Effect.gen(function*() {
      const { stage } = first
      yield* sql`UPDATE plane_sync_task SET status = 'active', why = NULL, stage = ${stage}, entry = ${entry},
        entered_at = ${now}, started_at = ${startedAt}, updated_at = ${now}, due_at = ${now}, revision = revision + 1,
        repository_id = NULL, repository_name = NULL, pull_request = NULL, head_sha = NULL, linked_by_name = 0,
        launches_paused_by = NULL, launches_paused_at = NULL, past_pull_requests = ${
        JSON.stringify(task.receipt.pullRequests)
      }
        WHERE id = ${task.id}`
      yield* leavePages(sql, task)
      yield* forgetAnswers(sql, task.id)
      yield* sql`DELETE FROM plane_sync_verdict WHERE task = ${task.id}`
      yield* sql`DELETE FROM plane_sync_report WHERE task = ${task.id}`
      yield* forgetDecisions(sql, task.id)
      yield* beginTime(sql, task.id, stage, now)
      yield* tell(sql, task.id, now, `starts anew at ${stage}`)
      yield* oweLaunch(sql, { entry, taskId: task.id, stage, agent: agentOf(first, givenAgent) }, now)
    })

  /**
   * A task that is not done is active. One that was stopped enters its stage once more, for its agent was stopped. What
   * was held while it was paused is launched once its gates were asked: they may hold by now.
   */
  const goOn = ({ givenAgent, task }: TaskRow, { byName }: ProjectPipeline, entry: string, now: EpochMillis) =>
    Effect.gen(function*() {
      yield* touch(sql, task.id, now)
      if (task.status === "active") return
      yield* sql`UPDATE plane_sync_task SET status = 'active', why = NULL, updated_at = ${now} WHERE id = ${task.id}`
      yield* goOnTime(sql, task.id, { stage: task.stage, attempts: task.status === "paused" ? 0 : 1 }, now)
      yield* tell(sql, task.id, now, `goes on at ${task.stage}`)
      if (task.status === "paused") return
      yield* sql`UPDATE plane_sync_task SET entry = ${entry}, entered_at = ${now}, launches_paused_by = NULL,
        launches_paused_at = NULL WHERE id = ${task.id}`
      yield* forgetDecisions(sql, task.id, task.stage)
      const agent = Option.getOrUndefined(
        Option.flatMapNullable(byName(task.stage), (stage) => agentOf(stage, givenAgent))
      )
      yield* oweLaunch(sql, { entry, taskId: task.id, stage: task.stage, agent }, now)
    })

  /** Stores what a start tells of a task that is there already. */
  const know = ({ task }: TaskRow, { agent, itemId }: Pick<Start, "agent" | "itemId">, now: EpochMillis) =>
    Effect.zipRight(
      sql`UPDATE plane_sync_task SET plane_id = coalesce(plane_id, ${itemId ?? null}),
        agent = coalesce(${agent ?? null}, agent) WHERE id = ${task.id}`,
      follow({ key: WorkItemKey.normalize(task.workItem), itemId: Option.getOrElse(task.itemId, () => itemId) }, now)
    )

  return { beginWrite, locked, pipelineOf, insert, startAnew, goOn, know }
}

export type Starting = ReturnType<typeof makeStarting>
