import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Schema } from "effect"
import type { Stage } from "../domain/Stage.js"
import type { WorkItemKey } from "../domain/WorkItemKey.js"
import type { Fragment, Sql } from "../storage/Sql.js"
import type { Pipeline, PipelineStage } from "./Pipeline.js"
import type { Task, TaskStatus } from "./Task.js"
import { ReportOutcome } from "./Task.js"

interface Row {
  readonly id: number
  readonly workItem: string
  readonly itemId: string | null
  readonly stage: Stage
  readonly status: TaskStatus
  readonly givenAgent: string | null
  readonly repositoryId: number | null
  readonly repositoryName: string | null
  readonly pullRequest: number | null
  readonly headSha: string | null
  readonly linkedByName: number
  readonly entry: string
  readonly startedAt: number
  readonly updatedAt: number
  readonly revision: number
  readonly dueAt: number | null
  readonly verdicts: string
  readonly reports: string
}

/** A task, and what deciding about it goes by. */
export interface TaskRow {
  readonly task: Task
  /** Rises with every change of it. */
  readonly revision: number
  /** When its gates are to be asked; null: nothing was heard since they were. */
  readonly dueAt: number | null
  /** See `Start.agent`. */
  readonly givenAgent: string | null
}

const reason = Schema.optionalWith(Schema.String, { nullable: true })

const verdictsOf = Schema.decodeSync(Schema.parseJson(Schema.Array(Schema.Struct({
  gate: Schema.String,
  verdict: Schema.Literal("passed", "failed", "pending"),
  reason,
  at: Schema.Number
}))))

const reportsOf = Schema.decodeSync(Schema.parseJson(Schema.Array(Schema.Struct({
  stage: Schema.String,
  outcome: ReportOutcome,
  reason,
  at: Schema.Number
}))))

/** The agent that is launched for a task that enters a stage. */
export const agentOf = (stage: PipelineStage | undefined, given: string | null | undefined): string | undefined =>
  stage?.agent === undefined ? undefined : given ?? stage.agent

const toTask = (pipeline: Pipeline["Type"]) => (row: Row): TaskRow => ({
  task: {
    id: row.id,
    workItem: row.workItem,
    itemId: row.itemId ?? undefined,
    stage: row.stage,
    status: row.status,
    agent: agentOf(pipeline.byName(row.stage), row.givenAgent),
    repository: row.repositoryId === null ? undefined : { id: row.repositoryId, name: row.repositoryName ?? "" },
    pullRequest: row.pullRequest ?? undefined,
    headSha: row.headSha ?? undefined,
    linkedByName: row.linkedByName === 1,
    entry: row.entry,
    startedAt: row.startedAt,
    updatedAt: row.updatedAt,
    verdicts: verdictsOf(row.verdicts),
    reports: reportsOf(row.reports)
  },
  revision: row.revision,
  dueAt: row.dueAt,
  givenAgent: row.givenAgent
})

const columns = `t.id, t.work_item AS "workItem", t.plane_id AS "itemId", t.stage, t.status, t.agent AS "givenAgent",
  t.repository_id AS "repositoryId", t.repository_name AS "repositoryName", t.pull_request AS "pullRequest",
  t.head_sha AS "headSha", t.linked_by_name AS "linkedByName", t.entry, t.started_at AS "startedAt",
  t.updated_at AS "updatedAt", t.revision, t.due_at AS "dueAt",
  (SELECT json_group_array(json_object('gate', gate, 'verdict', verdict, 'reason', reason, 'at', at))
    FROM plane_sync_verdict WHERE task = t.id) AS verdicts,
  (SELECT json_group_array(json_object('stage', stage, 'outcome', outcome, 'reason', reason, 'at', at))
    FROM plane_sync_report WHERE task = t.id) AS reports`

/** The statements by which tasks are found; each by an index. */
export const taskReader = (sql: Sql, pipeline: Pipeline["Type"]) => {
  const select = (rest: Fragment) =>
    Effect.map(
      sql<Row>`SELECT ${sql.literal(columns)} FROM plane_sync_task t WHERE ${rest}`,
      (rows) => rows.map(toTask(pipeline))
    )
  const first = (rest: Fragment): Effect.Effect<TaskRow | undefined, SqlError> =>
    Effect.map(select(rest), ([row]) => row)

  /** Plane's uuid of the work item that the outbox has found a normalized key to be. */
  const found = (key: string | Fragment) =>
    sql`(SELECT item.work_item FROM plane_sync_lane spelling JOIN plane_sync_lane item ON item.id = spelling.target
      WHERE spelling.name = ${key})`

  /** The one that says so, or else one whose key the outbox has found to be that work item. */
  const byItemId = (itemId: string) =>
    first(sql`t.id = coalesce((SELECT id FROM plane_sync_task WHERE plane_id = ${itemId}),
      (SELECT known.id FROM plane_sync_lane item JOIN plane_sync_lane spelling ON spelling.target = item.id
        JOIN plane_sync_task known ON known.key = spelling.name AND known.plane_id IS NULL
        WHERE item.name = ${itemId} ORDER BY known.id DESC LIMIT 1))`)

  /** The one of this spelling, or else of another; but none that is known to be another work item. */
  const bySpelling = (
    { canonical, normalized, zeros }: WorkItemKey,
    { given, workItem }: { readonly given: string | undefined; readonly workItem: string | undefined }
  ) => {
    const isUnknown = sql`coalesce(t.plane_id, ${found(sql.literal("t.key"))}) IS NULL`
    const isSame = given === undefined ? sql`t.key = ${normalized}` : sql`false`
    // Until it is looked up, a key with zeros is taken for the number's: few work items carry one in their name.
    const mayBe = workItem === undefined && zeros ? sql`true` : isUnknown
    return first(sql`t.canonical = ${canonical} AND (${isSame} OR ${mayBe})
      ORDER BY t.key = ${normalized} DESC, t.id DESC LIMIT 1`)
  }

  return {
    byId: (id: number) => first(sql`t.id = ${id}`),
    /** The one of the work item `given`, or of the one that the outbox has found the key to be; or else by its spelling. */
    byKey: (key: WorkItemKey, given: string | undefined) =>
      Effect.gen(function*() {
        const [row] = yield* sql<{ workItem: string | null }>`SELECT ${found(key.normalized)} AS "workItem"`
        const workItem = given ?? row?.workItem ?? undefined
        const task = workItem === undefined ? undefined : yield* byItemId(workItem)
        return task ?? (yield* bySpelling(key, { given, workItem }))
      }),
    byItemId,
    byPullRequest: (repositoryId: number, number: number) =>
      first(sql`t.repository_id = ${repositoryId} AND t.pull_request = ${number} ORDER BY t.id DESC LIMIT 1`),
    byHeadSha: (repositoryId: number, sha: string) =>
      first(sql`t.repository_id = ${repositoryId} AND t.head_sha = ${sha} ORDER BY t.id DESC LIMIT 1`),
    list: (status: TaskStatus | undefined, before: number, limit: number) =>
      select(
        sql`${
          sql.join(" AND ", [sql`t.id < ${before}`, ...(status === undefined ? [] : [sql`t.status = ${status}`])])
        } ORDER BY t.id DESC LIMIT ${limit}`
      )
  }
}

/** A transaction's first statement must write, or it could not wait for another process's. This one changes nothing. */
export const beginWrite = (sql: Sql): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`UPDATE plane_sync_task SET due_at = due_at WHERE id = 0`)

/** Something was heard of a task: its gates are to be asked, and what they said before counts for nothing. */
export const touch = (sql: Sql, taskId: number, now: number): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`UPDATE plane_sync_task SET due_at = ${now}, revision = revision + 1 WHERE id = ${taskId}`)

/** A task has entered a stage: its agent, if it has one, is to be launched. */
export const oweLaunch = (
  sql: Sql,
  launch: {
    readonly entry: string
    readonly taskId: number
    readonly stage: Stage
    readonly agent: string | undefined
  },
  now: number
): Effect.Effect<void, SqlError> =>
  launch.agent === undefined
    ? Effect.void
    : Effect.asVoid(sql`INSERT INTO plane_sync_launch (entry, task, stage, agent, due_at)
      VALUES (${launch.entry}, ${launch.taskId}, ${launch.stage}, ${launch.agent}, ${now})`)
