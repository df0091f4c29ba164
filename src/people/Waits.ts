import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option, Schema } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { utc } from "../base/Time.js"
import type { Stage } from "../domain/Stage.js"
import type { Fragment, Sql } from "../storage/Sql.js"
import type { TaskId } from "../tasks/Task.js"
import type { Wait, WaitId, WaitReason, WaitState } from "./Wait.js"

interface Row {
  readonly id: WaitId
  readonly taskId: TaskId
  readonly workItem: string
  readonly entry: string
  readonly stage: Stage
  readonly reason: WaitReason
  readonly same: string
  readonly question: string
  readonly agent: string | null
  readonly told: string | null
  readonly openedAt: EpochMillis
  readonly state: WaitState
  readonly why: string | null
  readonly closedBy: string | null
  readonly closedAt: EpochMillis | null
  readonly reached: string
  readonly step: number
  readonly escalateAt: EpochMillis | null
}

/** A wait, with what is needed to act on it. */
export interface WaitRow extends Wait {
  /** Which question, gate or ceiling it is. */
  readonly same: string
  /** It was said by a comment. */
  readonly isTold: boolean
  /** How many of the attention list were asked. */
  readonly step: number
}

const reachedOf = Schema.decodeSync(Schema.parseJson(Schema.Array(Schema.String)))

const toWait = (
  { agent, closedAt, closedBy, escalateAt, openedAt, reached, told, why, ...row }: Row
): WaitRow => ({
  ...row,
  agent: Option.fromNullable(agent),
  openedAt: utc(openedAt),
  why: Option.fromNullable(why),
  closedBy: Option.fromNullable(closedBy),
  closedAt: Option.map(Option.fromNullable(closedAt), utc),
  reached: reachedOf(reached),
  escalateAt: Option.map(Option.fromNullable(escalateAt), utc),
  isTold: told !== null
})

const columns = `id, task AS "taskId", work_item AS "workItem", entry, stage, reason, same, question, agent, told,
  opened_at AS "openedAt", state, why, closed_by AS "closedBy", closed_at AS "closedAt", reached, step,
  escalate_at AS "escalateAt"`

const select = (sql: Sql, rest: Fragment): Effect.Effect<ReadonlyArray<WaitRow>, SqlError> =>
  Effect.map(
    sql<Row>`SELECT ${sql.literal(columns)} FROM plane_sync_wait WHERE ${rest}`,
    (rows) => rows.map(toWait)
  )

/** How many waits are open for a reason, and since when the first of them is. */
export interface WaitCount {
  readonly reason: WaitReason
  readonly waits: number
  readonly firstAt: EpochMillis
}

/** No more are counted: this is read often. */
const mostCounted = "10000"

/** The open waits by their reasons. Of more than 10,000 the oldest. */
export const countOpenWaits = (sql: Sql): Effect.Effect<ReadonlyArray<WaitCount>, SqlError> =>
  sql<WaitCount>`SELECT reason, count(*) AS waits, min(opened_at) AS "firstAt"
    FROM (SELECT reason, opened_at FROM plane_sync_wait WHERE state = 'open' ORDER BY id
      LIMIT ${sql.literal(mostCounted)}) open GROUP BY reason`

/** What makes a wait the same one. */
export interface WaitKey {
  readonly taskId: TaskId
  readonly entry: string
  readonly reason: WaitReason
  readonly same: string
}

/** A wait that is to be opened. Its texts are cleaned. */
export interface NewWait extends WaitKey {
  readonly workItem: string
  readonly stage: Stage
  readonly question: string
  readonly agent: string | null
  /** The id of the event that says it. Null: nobody is told in Plane. */
  readonly told: string | null
  /** The first of the attention list, if there is one. */
  readonly first: string | undefined
  /** When the next one is asked. Null: there is none. */
  readonly escalateAt: EpochMillis | null
}

/**
 * Opens a wait; undefined if there is one for this entry already, whatever became of it. Within the transaction that has
 * locked the task.
 */
export const openWait = (sql: Sql, given: NewWait, now: EpochMillis): Effect.Effect<WaitRow | undefined, SqlError> =>
  Effect.gen(function*() {
    const { agent, entry, escalateAt, first, question, reason, same, stage, taskId, told, workItem } = given
    const reached = first === undefined ? [] : [first]
    const [row] = yield* sql<Row>`INSERT INTO plane_sync_wait
      (task, work_item, entry, stage, reason, same, question, agent, told, opened_at, reached, step, escalate_at)
      VALUES (${taskId}, ${workItem}, ${entry}, ${stage}, ${reason}, ${same}, ${question}, ${agent}, ${told}, ${now},
        ${JSON.stringify(reached)}, ${reached.length}, ${escalateAt})
      ON CONFLICT (task, entry, reason, same) DO NOTHING RETURNING ${sql.literal(columns)}`
    return row && toWait(row)
  })

/** Closes a wait that is open. Undefined if it was not any more. */
export const closeWait = (
  sql: Sql,
  id: WaitId,
  { by, state, why }: { readonly state: Exclude<WaitState, "open">; readonly why: string; readonly by: string | null },
  now: EpochMillis
): Effect.Effect<WaitRow | undefined, SqlError> =>
  Effect.map(
    sql<Row>`UPDATE plane_sync_wait SET state = ${state}, why = ${why}, closed_by = ${by}, closed_at = ${now},
      escalate_at = NULL WHERE id = ${id} AND state = 'open' RETURNING ${sql.literal(columns)}`,
    ([row]) => row && toWait(row)
  )

/** The next of the attention list is asked: `person`. Undefined if it is not its turn any more. */
export const escalateWait = (
  sql: Sql,
  { id, reached, step }: WaitRow,
  person: string,
  escalateAt: EpochMillis | null
): Effect.Effect<WaitRow | undefined, SqlError> =>
  Effect.map(
    sql<Row>`UPDATE plane_sync_wait SET reached = ${JSON.stringify([...reached, person])}, step = ${step + 1},
      escalate_at = ${escalateAt} WHERE id = ${id} AND state = 'open' AND step = ${step}
      RETURNING ${sql.literal(columns)}`,
    ([row]) => row && toWait(row)
  )

/** Nobody is left whom it could ask. */
export const endEscalation = (sql: Sql, { id, step }: WaitRow): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`UPDATE plane_sync_wait SET escalate_at = NULL WHERE id = ${id} AND step = ${step}`)

/** The task's agent was launched again, under another transition, within the same entry of its stage. */
export const renameEntry = (
  sql: Sql,
  taskId: TaskId,
  { from, to }: { readonly from: string; readonly to: string }
): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`UPDATE plane_sync_wait SET entry = ${to} WHERE task = ${taskId} AND entry = ${from}`)

/**
 * The same where a person wanted it by /retry: a ceiling stays where it is, and an approval that is open is still
 * waited for. One that was given or refused was about the attempt before.
 */
export const renameRetried = (
  sql: Sql,
  taskId: TaskId,
  { from, to }: { readonly from: string; readonly to: string }
): Effect.Effect<void, SqlError> =>
  Effect.asVoid(
    sql`UPDATE plane_sync_wait SET entry = ${to} WHERE task = ${taskId} AND entry = ${from}
      AND (reason = 'ceiling' OR (reason = 'approval' AND state = 'open'))`
  )

/** The wait of this key, whatever became of it. */
export const waitOf = (
  sql: Sql,
  { entry, reason, same, taskId }: WaitKey
): Effect.Effect<WaitRow | undefined, SqlError> =>
  Effect.map(
    select(sql, sql`task = ${taskId} AND entry = ${entry} AND reason = ${reason} AND same = ${same}`),
    ([row]) => row
  )

/** Those of the attention list who were asked about what a task waits for now. */
export const reachedNow = (sql: Sql, taskId: TaskId): Effect.Effect<ReadonlyArray<string>, SqlError> =>
  Effect.map(
    sql<{ reached: string }>`SELECT reached FROM plane_sync_wait WHERE task = ${taskId} AND state = 'open' ORDER BY id`,
    (rows) => Array.from(new Set(rows.flatMap(({ reached }) => reachedOf(reached))))
  )

/** All waits of an entry of a stage, the oldest first. */
export const waitsOfEntry = (
  sql: Sql,
  taskId: TaskId,
  entry: string
): Effect.Effect<ReadonlyArray<WaitRow>, SqlError> =>
  select(sql, sql`task = ${taskId} AND entry = ${entry} ORDER BY id`)

/** Of these entries of tasks, what was opened for each, whatever became of it. */
export const waitsOfEntries = (
  sql: Sql,
  entries: ReadonlyArray<{ readonly taskId: TaskId; readonly entry: string }>
): Effect.Effect<ReadonlyArray<WaitRow>, SqlError> =>
  select(
    sql,
    sql`(task, entry) IN (SELECT CAST(value ->> 0 AS bigint), value ->> 1 FROM ${
      sql.each(entries.map(({ entry, taskId }) => [taskId, entry]))
    }) ORDER BY id`
  )

/** A page of the open waits, the oldest first. `after`: the last one of the page before. */
export const openWaits = (
  sql: Sql,
  { after, limit }: { readonly after: number; readonly limit: number }
): Effect.Effect<ReadonlyArray<WaitRow>, SqlError> =>
  select(sql, sql`state = 'open' AND id > ${after} ORDER BY id LIMIT ${limit}`)

/** A subquery: the tasks that wait for somebody, for an IN. */
export const waitingTasks = (sql: Sql): Fragment => sql`(SELECT task FROM plane_sync_wait WHERE state = 'open')`

/** How many waits are open, and the newest of them: another one when a wait was opened or closed. */
export const openWaitsMark = (
  sql: Sql
): Effect.Effect<{ readonly waits: number; readonly newest: number | null } | undefined, SqlError> =>
  Effect.map(
    sql<{ waits: number; newest: number | null }>`SELECT count(*) AS waits, max(id) AS newest FROM plane_sync_wait
      WHERE state = 'open'`,
    ([row]) => row
  )

/** What these tasks wait for, the oldest first. */
export const openWaitsOf = (sql: Sql, tasks: ReadonlyArray<TaskId>): Effect.Effect<ReadonlyArray<WaitRow>, SqlError> =>
  select(sql, sql`state = 'open' AND task IN ${sql.numbers(tasks)} ORDER BY id`)

/**
 * A page of the waits whose next person is due to be asked. Those due after `furthest` were put off before the clock was
 * set back.
 */
export const dueEscalations = (
  sql: Sql,
  { after, furthest, limit, now }: {
    readonly after: number
    readonly now: EpochMillis
    readonly furthest: EpochMillis
    readonly limit: number
  }
): Effect.Effect<ReadonlyArray<WaitRow>, SqlError> =>
  select(
    sql,
    sql`escalate_at IS NOT NULL AND (escalate_at <= ${now} OR escalate_at > ${furthest}) AND id > ${after}
      ORDER BY id LIMIT ${limit}`
  )

const pruneBatch = 500

/** Deletes a batch of the waits that were closed before a moment. Says whether there may be more. */
export const pruneWaits = (sql: Sql, before: EpochMillis): Effect.Effect<boolean, SqlError> =>
  Effect.map(
    sql`DELETE FROM plane_sync_wait WHERE id IN (SELECT id FROM plane_sync_wait WHERE closed_at < ${before}
      ORDER BY closed_at LIMIT ${sql.literal(String(pruneBatch))}) RETURNING 1`,
    (deleted) => deleted.length === pruneBatch
  )
