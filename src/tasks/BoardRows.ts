import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { ItemId } from "../domain/Ids.js"
import type { Stage } from "../domain/Stage.js"
import type { NormalizedKey } from "../domain/WorkItemKey.js"
import { titleOfItem } from "../outbox/ItemNames.js"
import type { Fragment, Sql } from "../storage/Sql.js"
import type { ProjectPipeline } from "./Pipeline.js"
import { projectOfTask } from "./ProjectOfTask.js"
import type { TaskId, TaskStatus } from "./Task.js"
import { agentOf } from "./TaskRows.js"

/** What is asked of the tasks of a project. */
export interface BoardQuery {
  readonly project: string
  readonly pipeline: ProjectPipeline
  /** What a key, a name or an agent must contain, in any letter case of ASCII; empty: anything. */
  readonly find: string
  /** Tasks that have ended, or were stopped, before this moment are left out. */
  readonly since: EpochMillis
  /** The ids of those that come first, for an IN. */
  readonly first: Fragment
  /** Of each stage, so many are left out, and so many are given after them. */
  readonly after: number
  readonly limit: number
}

/** The place of a task among those of its stage, from 1 on, and how many there are. The first of a stage is always given. */
export interface Placed {
  readonly id: TaskId
  /** The last stage for a task that is done, wherever it was ended. */
  readonly stage: Stage
  readonly place: number
  readonly ofStage: number
  /** Of all stages: those that are active or paused, and those that are done. */
  readonly underWay: number
  readonly done: number
}

/** SQLite knows the cases of ASCII alone, so other letters are looked for as they are, too. */
const contains = (sql: Sql, text: Fragment, find: string) => {
  const inAnyCase = sql`${sql.position(sql`lower(${text})`, find.toLowerCase())} > 0`
  return /^[ -~]*$/.test(find) ? inAnyCase : sql`(${inAnyCase} OR ${sql.position(text, find)} > 0)`
}

/** The tasks whose key, name or agent contains what is looked for. */
const found = (sql: Sql, { find, pipeline }: BoardQuery) => {
  if (find === "") return sql`true`
  const launching = pipeline.stages.filter(({ agent }) => agent !== undefined)
  const isNamed = ({ agent }: (typeof launching)[number]) => agent?.toLowerCase().includes(find.toLowerCase()) === true
  return sql`(${contains(sql, sql.literal("t.work_item"), find)}
    OR ${contains(sql, titleOfItem(sql, sql.literal("t.plane_id"), sql.literal("t.key")), find)}
    OR t.agent IS NULL AND t.stage IN ${sql.texts(launching.filter(isNamed).map(({ stage }) => stage))}
    OR t.stage IN ${sql.texts(launching.map(({ stage }) => stage))} AND ${contains(sql, sql.literal("t.agent"), find)})`
}

/**
 * A page of each stage of a project: first those that are to come first, then the oldest; of those that are done, the
 * latest first.
 */
export const placedTasks = (sql: Sql, query: BoardQuery): Effect.Effect<ReadonlyArray<Placed>, SqlError> => {
  const { after, first, limit, pipeline, project, since } = query
  const last = pipeline.names.at(-1) ?? ""
  const matches = sql`${projectOfTask(sql)} = ${project} AND ${found(sql, query)}`
  // Not by the index of `status`: most tasks there are have ended long ago.
  const of = (which: Fragment) =>
    sql`SELECT t.id, CASE t.status WHEN 'done' THEN ${last} ELSE t.stage END AS stage, t.status, t.updated_at
      FROM plane_sync_task t WHERE ${which} AND ${matches}`
  return sql<Placed>`SELECT id, stage, place, "ofStage", "underWay", done FROM (
      SELECT id, stage, ROW_NUMBER() OVER (PARTITION BY stage
          ORDER BY CASE WHEN id IN ${first} THEN 0 ELSE 1 END, CASE status WHEN 'done' THEN -updated_at ELSE id END)
          AS place,
        count(*) OVER (PARTITION BY stage) AS "ofStage",
        count(CASE WHEN status IN ('active', 'paused') THEN 1 END) OVER () AS "underWay",
        count(CASE status WHEN 'done' THEN 1 END) OVER () AS done
      FROM (${of(sql`t.status = 'active'`)} UNION ALL ${of(sql`t.status = 'paused'`)}
        UNION ALL ${of(sql`coalesce(t.status, '') IN ('done', 'stopped') AND t.updated_at >= ${since}`)}) shown) placed
    WHERE place = 1 OR place > ${after} AND place <= ${after + limit}
    ORDER BY stage, place LIMIT ${(limit + 1) * 1_000}`
}

/** A task as it is shown among others. */
export interface CardRow {
  readonly id: TaskId
  readonly workItem: string
  readonly key: NormalizedKey
  readonly itemId: ItemId | null
  readonly status: TaskStatus
  readonly why: string | null
  readonly agent: string | undefined
  /** Since when it is at its stage, or done. */
  readonly since: EpochMillis
  /** The gate that keeps it there, of which the most failures were told. */
  readonly failedGate: { readonly gate: string; readonly times: number } | undefined
}

interface Row extends Omit<CardRow, "agent" | "failedGate"> {
  readonly stage: Stage
  readonly givenAgent: string | null
}

/** The cards of these tasks, in no order. */
export const cardsOf = (
  sql: Sql,
  pipeline: ProjectPipeline,
  ids: ReadonlyArray<TaskId>
): Effect.Effect<ReadonlyArray<CardRow>, SqlError> =>
  Effect.gen(function*() {
    const rows = yield* sql<Row>`SELECT id, work_item AS "workItem", key, plane_id AS "itemId", status, why, stage,
        agent AS "givenAgent",
        CASE status WHEN 'done' THEN updated_at ELSE coalesce(entered_at, updated_at) END AS since
      FROM plane_sync_task WHERE id IN ${sql.numbers(ids)}`
    const failed = yield* sql<{ task: TaskId; gate: string; times: number }>`SELECT v.task, v.gate, v.failed AS times
      FROM plane_sync_task t JOIN plane_sync_verdict v ON v.task = t.id AND v.stage = t.stage
      WHERE t.id IN ${sql.numbers(ids)} AND t.status <> 'done'
        AND (v.verdict = 'failed' OR v.verdict = 'pending' AND v.failed >= 3) ORDER BY v.failed DESC`
    return rows.map(({ givenAgent, stage, ...row }) => {
      const entered = pipeline.stages.find((one) => one.stage === stage)
      const worst = failed.find(({ task }) => task === row.id)
      return {
        ...row,
        agent: entered && agentOf(entered, givenAgent),
        failedGate: worst && { gate: worst.gate, times: Math.max(1, worst.times) }
      }
    })
  })
