import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import type { ItemId } from "../domain/Ids.js"
import type { NormalizedKey } from "../domain/WorkItemKey.js"
import { lanesOfTasks } from "../outbox/Tables.js"
import { ddl } from "../storage/Ddl.js"
import type { Migration } from "../storage/Migrations.js"

/** Why a task is paused, stopped or done, if not because it has gone through its pipeline. */
export const whyColumn: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { text } = yield* ddl
  yield* sql`ALTER TABLE plane_sync_task ADD COLUMN why ${text}`
})

/** The lanes of the tasks of an older version are those of tasks. */
export const followedTasks: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { isSqlite } = yield* ddl
  if (!isSqlite) return
  const tasks = yield* sql<{ key: NormalizedKey; itemId: ItemId | null }>`SELECT key, plane_id AS "itemId"
    FROM plane_sync_task WHERE status <> 'done'`
  yield* lanesOfTasks(tasks)
})

/** The tables of tasks: the tasks, what their gates said, what was reported of them, and the launches that are owed. */
export const taskTables: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { counted, number, text, withoutRowid } = yield* ddl

  // `revision` rises with every change, so that a gate's verdict is not applied to a task that has changed since.
  // `due_at` is when the gates are asked next. A new fact sets it to now. Asking the gates sets it to when they want to
  // be asked again, or clears it.
  yield* sql`CREATE TABLE plane_sync_task (
    id ${counted},
    work_item ${text} NOT NULL,
    key ${text} NOT NULL,
    canonical ${text} NOT NULL,
    plane_id ${text},
    stage ${text} NOT NULL,
    status ${text} NOT NULL CHECK (status IN ('active', 'paused', 'stopped', 'done')),
    agent ${text},
    repository_id ${number},
    repository_name ${text},
    pull_request ${number},
    head_sha ${text},
    linked_by_name ${number} NOT NULL DEFAULT 0,
    entry ${text} NOT NULL,
    started_at ${number} NOT NULL,
    updated_at ${number} NOT NULL,
    revision ${number} NOT NULL DEFAULT 0,
    due_at ${number}
  )`
  yield* sql`CREATE INDEX plane_sync_task_canonical ON plane_sync_task (canonical, id)`
  yield* sql`CREATE UNIQUE INDEX plane_sync_task_plane ON plane_sync_task (plane_id) WHERE plane_id IS NOT NULL`
  yield* sql`CREATE INDEX plane_sync_task_key ON plane_sync_task (key, id)`
  yield* sql`CREATE INDEX plane_sync_task_status ON plane_sync_task (status, id)`
  yield* sql`CREATE INDEX plane_sync_task_pull_request ON plane_sync_task (repository_id, pull_request, id)
    WHERE pull_request IS NOT NULL`
  yield* sql`CREATE INDEX plane_sync_task_head ON plane_sync_task (repository_id, head_sha, id)
    WHERE head_sha IS NOT NULL`
  yield* sql`CREATE INDEX plane_sync_task_due ON plane_sync_task (due_at) WHERE due_at IS NOT NULL`

  yield* sql`CREATE TABLE plane_sync_verdict (
    task ${number} NOT NULL,
    gate ${text} NOT NULL,
    verdict ${text} NOT NULL CHECK (verdict IN ('passed', 'failed', 'pending')),
    reason ${text},
    at ${number} NOT NULL,
    PRIMARY KEY (task, gate)
  ) ${withoutRowid}`

  yield* sql`CREATE TABLE plane_sync_report (
    task ${number} NOT NULL,
    stage ${text} NOT NULL,
    outcome ${text} NOT NULL CHECK (outcome IN ('passed', 'failed')),
    reason ${text},
    at ${number} NOT NULL,
    PRIMARY KEY (task, stage)
  ) ${withoutRowid}`

  // A launch that is owed. Its row is deleted once the launch is done.
  yield* sql`CREATE TABLE plane_sync_launch (
    entry ${text} PRIMARY KEY,
    task ${number} NOT NULL,
    stage ${text} NOT NULL,
    agent ${text} NOT NULL,
    due_at ${number} NOT NULL
  ) ${withoutRowid}`
  yield* sql`CREATE INDEX plane_sync_launch_due ON plane_sync_launch (due_at)`
  yield* sql`CREATE INDEX plane_sync_launch_task ON plane_sync_launch (task)`
})

/** What is remembered of each verdict, so that a change of it is told once; and each task's story. */
export const gateTables: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { counted, isSqlite, number, text } = yield* ddl

  // See `KnownVerdict`. Rows of an older version do not say whether the gate held when its stage was left.
  yield* sql`ALTER TABLE plane_sync_verdict ADD COLUMN stage ${text}`
  yield* sql`ALTER TABLE plane_sync_verdict ADD COLUMN since ${number}`
  yield* sql`ALTER TABLE plane_sync_verdict ADD COLUMN told ${text}`
  yield* sql`ALTER TABLE plane_sync_verdict ADD COLUMN held ${number} NOT NULL DEFAULT 0`
  if (isSqlite) {
    yield* sql`UPDATE plane_sync_verdict SET since = at, told = CASE verdict WHEN 'failed' THEN reason END`
  }

  yield* sql`CREATE TABLE plane_sync_task_story (
    id ${counted},
    task ${number} NOT NULL,
    at ${number} NOT NULL,
    line ${text} NOT NULL
  )`
  yield* sql`CREATE INDEX plane_sync_task_story_task ON plane_sync_task_story (task, id)`
})

/**
 * The launches of agents, from the commit that enters a stage until the agent's work is over. Those of an older program
 * are all owed.
 *
 * `number` gives the order of entries. `state`: `owed` waits for its turn; `held` waits until its paused task goes on,
 * or until the gates of its stage have been asked; `calling` has its turn, and its launcher is called, or was when the
 * program ended; `working` has been launched, also if nothing was heard of it for so long that it does not count;
 * `stopping` is to be stopped. `at_work`: it counts against `ORCH_LAUNCHES`. `since` is when its state began.
 * `tried_at` is when its launcher was first called: from then on an agent may be at work. `due_at` is when there is
 * something to do for it; 0 where there is nothing, or it only waits for its turn.
 */
export const launchTable: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { counted, isSqlite, number, text } = yield* ddl
  const owed = !isSqlite ? [] : yield* sql`SELECT entry, task, stage, agent, due_at AS "dueAt" FROM plane_sync_launch
    WHERE due_at >= 0 ORDER BY due_at, entry`
  yield* sql`DROP TABLE plane_sync_launch`
  yield* sql`CREATE TABLE plane_sync_launch (
    number ${isSqlite ? sql.literal("INTEGER PRIMARY KEY") : counted},
    entry ${text} NOT NULL UNIQUE,
    task ${number} NOT NULL,
    stage ${text} NOT NULL,
    agent ${text} NOT NULL,
    state ${text} NOT NULL DEFAULT 'owed' CHECK (state IN ('owed', 'held', 'calling', 'working', 'stopping')),
    at_work ${number} NOT NULL DEFAULT 0,
    since ${number} NOT NULL,
    tried_at ${number},
    due_at ${number} NOT NULL DEFAULT 0
  )`
  // Within one due time in the order of numbers, with which an index of SQLite ends anyway.
  yield* sql`CREATE INDEX plane_sync_launch_due ON plane_sync_launch (state, due_at${
    sql.literal(isSqlite ? "" : ", number")
  })`
  yield* sql`CREATE INDEX plane_sync_launch_task ON plane_sync_launch (task)`
  yield* sql`CREATE INDEX plane_sync_launch_at_work ON plane_sync_launch (at_work) WHERE at_work = 1`
  if (!isSqlite) return
  yield* sql`INSERT INTO plane_sync_launch (entry, task, stage, agent, since)
    SELECT value ->> 'entry', value ->> 'task', value ->> 'stage', value ->> 'agent', value ->> 'dueAt'
    FROM json_each(${JSON.stringify(owed)}) ORDER BY key`
})

/** The page that a failed gate has named, as JSON: its title and its address. */
export const pageColumn: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { text } = yield* ddl
  yield* sql`ALTER TABLE plane_sync_verdict ADD COLUMN page ${text}`
})

/**
 * What a task has taken, summed over all of its attempts and restarts. A task that an older version has started has no
 * rows in `plane_sync_task_stage`, because what came before is not known; it gets them when it starts anew.
 *
 * `millis` has passed at the stage up to `since`, from which on it is there and active; null while it is not.
 * `plane_sync_task_usage`: `model` is empty where none was named, a number is null until one was reported, and `micros`
 * are millionths of a dollar. `plane_sync_counted_report` has what was counted, so that a repetition counts nothing.
 * `past_pull_requests` is a JSON array of the names of those that the task was linked to before it started anew.
 */
export const receiptTables: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { number, text, withoutRowid } = yield* ddl
  yield* sql`CREATE TABLE plane_sync_task_stage (
    task ${number} NOT NULL,
    stage ${text} NOT NULL,
    millis ${number} NOT NULL DEFAULT 0,
    attempts ${number} NOT NULL DEFAULT 0,
    failures ${number} NOT NULL DEFAULT 0,
    since ${number},
    PRIMARY KEY (task, stage)
  ) ${withoutRowid}`
  yield* sql`CREATE TABLE plane_sync_task_usage (
    task ${number} NOT NULL,
    model ${text} NOT NULL,
    input_tokens ${number},
    output_tokens ${number},
    micros ${number},
    PRIMARY KEY (task, model)
  ) ${withoutRowid}`
  yield* sql`CREATE TABLE plane_sync_counted_report (
    task ${number} NOT NULL,
    report ${text} NOT NULL,
    PRIMARY KEY (task, report)
  ) ${withoutRowid}`
  yield* sql`ALTER TABLE plane_sync_task ADD COLUMN past_pull_requests ${text}`
  yield* sql`CREATE INDEX plane_sync_task_updated ON plane_sync_task (updated_at, id)`
})
