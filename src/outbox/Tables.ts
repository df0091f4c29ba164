import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import type { ItemId } from "../domain/Ids.js"
import type { NormalizedKey } from "../domain/WorkItemKey.js"
import { ddl } from "../storage/Ddl.js"
import type { Migration } from "../storage/Migrations.js"

/**
 * The tables of the outbox. An event owes two things, its comment and its state, which are settled apart; its `status`
 * sums up both. Older versions had triggers here, which keep the counts; see `foldedTable`.
 */
export const outboxTables: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { counted, number, text, withoutRowid } = yield* ddl

  yield* sql`CREATE TABLE plane_sync_lane (
    id ${counted},
    name ${text} NOT NULL UNIQUE,
    work_item ${text},
    target ${number},
    owed ${number} NOT NULL DEFAULT 0,
    due_at ${number},
    urgency ${number} NOT NULL DEFAULT 2,
    holder ${text},
    attempts ${number} NOT NULL DEFAULT 0,
    misses ${number} NOT NULL DEFAULT 0,
    gone ${number} NOT NULL DEFAULT 0,
    state ${text},
    cancelled ${number} NOT NULL DEFAULT 0,
    read_at ${number},
    read_by ${text},
    asked ${text},
    respected ${number} NOT NULL DEFAULT 0,
    unanswered ${number} NOT NULL DEFAULT 0,
    state_event ${number},
    latest_stage ${number},
    patient ${number} NOT NULL DEFAULT 0,
    problem ${text}
  )`
  yield* sql`CREATE INDEX plane_sync_lane_due ON plane_sync_lane (urgency, due_at) WHERE due_at IS NOT NULL`

  yield* sql`CREATE INDEX plane_sync_lane_unfound ON plane_sync_lane (due_at)
    WHERE work_item IS NULL AND due_at IS NOT NULL`

  yield* sql`CREATE INDEX plane_sync_lane_holder ON plane_sync_lane (holder) WHERE holder IS NOT NULL`

  yield* sql`CREATE TABLE plane_sync_event (
    sequence ${counted},
    id ${text} NOT NULL UNIQUE,
    work_item ${text} NOT NULL,
    body ${text} NOT NULL,
    stage ${text},
    urgent ${number} NOT NULL,
    occurred_at ${number} NOT NULL,
    published_at ${number} NOT NULL,
    lane ${number},
    comment ${text} NOT NULL CHECK (comment IN ('pending', 'retried', 'delivered', 'dead', 'discarded')),
    state ${text} NOT NULL CHECK (state IN ('none', 'pending', 'delivered', 'superseded', 'dead', 'discarded')),
    status ${text} NOT NULL GENERATED ALWAYS AS (CASE
      WHEN 'pending' IN (comment, state) OR comment = 'retried' THEN 'pending'
      WHEN 'dead' IN (comment, state) THEN 'dead'
      WHEN 'discarded' IN (comment, state) THEN 'discarded'
      ELSE 'delivered' END) STORED,
    delivery ${number},
    state_delivery ${number}
  )`
  yield* sql`CREATE INDEX plane_sync_event_status ON plane_sync_event (status, sequence)`
  yield* sql`CREATE INDEX plane_sync_event_lane ON plane_sync_event (lane, status, sequence)`
  yield* sql`CREATE INDEX plane_sync_event_delivery ON plane_sync_event (delivery) WHERE delivery IS NOT NULL`
  yield* sql`CREATE INDEX plane_sync_event_urgent ON plane_sync_event (lane) WHERE urgent = 1 AND comment = 'pending'`

  yield* sql`CREATE TABLE plane_sync_delivery (
    id ${counted},
    lane ${number},
    kind ${text} NOT NULL CHECK (kind IN ('comment', 'recount', 'state')),
    status ${text} NOT NULL CHECK (status IN ('pending', 'retried', 'delivered', 'dead', 'discarded')),
    first_event ${number} NOT NULL,
    last_event ${number} NOT NULL,
    external_id ${text},
    body ${text} NOT NULL,
    gate ${text},
    failures ${number} NOT NULL DEFAULT 1,
    occurred_at ${number} NOT NULL,
    attempts ${number} NOT NULL DEFAULT 0,
    planned_at ${number} NOT NULL,
    sent_at ${number},
    settled_at ${number},
    plane_id ${text},
    answer ${number},
    code ${text},
    reason ${text},
    after_event ${number}
  )`
  // There is one writer per work item: a lane has at most one delivery that is pending.
  yield* sql`CREATE UNIQUE INDEX plane_sync_delivery_pending ON plane_sync_delivery (lane) WHERE status = 'pending'`
  yield* sql`CREATE INDEX plane_sync_delivery_status ON plane_sync_delivery (status, id)`
  yield* sql`CREATE INDEX plane_sync_delivery_lane ON plane_sync_delivery (lane, id)`
  yield* sql`CREATE INDEX plane_sync_delivery_told ON plane_sync_delivery (lane, id)
    WHERE status = 'delivered' AND kind <> 'state'`
  yield* sql`CREATE INDEX plane_sync_delivery_dead ON plane_sync_delivery (code, id) WHERE status = 'dead'`
  yield* sql`CREATE INDEX plane_sync_delivery_retried ON plane_sync_delivery (lane, id) WHERE status = 'retried'`

  yield* sql`CREATE TABLE plane_sync_sender (
    id ${number} PRIMARY KEY CHECK (id = 1),
    holder ${text} NOT NULL,
    pid ${number} NOT NULL,
    host ${text} NOT NULL,
    since ${number} NOT NULL,
    seen_at ${number} NOT NULL
  )`

  yield* sql`CREATE TABLE plane_sync_count (status ${text} PRIMARY KEY, events ${number} NOT NULL) ${withoutRowid}`
  yield* sql`INSERT INTO plane_sync_count (status, events)
    VALUES ('pending', 0), ('delivered', 0), ('dead', 0), ('discarded', 0)`
})

/**
 * What was heard of a work item, from hooks and from the answers to our own PATCHes. `state` and `updated_at` also come
 * from look-ups. A look-up must not make a move look old while its hook is still to come, so what was heard has
 * separate columns.
 */
export const heardColumns: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { text } = yield* ddl
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN updated_at ${text}`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN heard_state ${text}`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN heard_at ${text}`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN late_state ${text}`
  yield* sql`CREATE INDEX plane_sync_lane_target ON plane_sync_lane (target) WHERE target IS NOT NULL`
})

/**
 * The index file (`-shm`) that the leader has open, as device and inode. It is null when an older version wrote the
 * row, and in a host's database.
 */
export const indexFileColumn: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { text } = yield* ddl
  yield* sql`ALTER TABLE plane_sync_sender ADD COLUMN index_file ${text}`
})

/**
 * What became of a comment that Plane refused: whether Plane may have executed it (`tried`), how often Plane refused
 * it, and, once it was split, the sequence of the first event of each part.
 */
export const splittingColumns: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { number } = yield* ddl
  yield* sql`ALTER TABLE plane_sync_delivery ADD COLUMN tried ${number} NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_delivery ADD COLUMN refusals ${number} NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_delivery ADD COLUMN part ${number}`
  yield* sql`ALTER TABLE plane_sync_event ADD COLUMN part ${number}`
})

/**
 * How far Plane's clock was ahead when a work item was heard of, whether the work item is in a completed state, whether
 * a task publishes its stages, and up to which event a person who ended that task wants no state set.
 */
export const peopleColumns: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { number } = yield* ddl
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN heard_ahead ${number} NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN completed ${number} NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN of_task ${number} NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN left_until ${number} NOT NULL DEFAULT 0`
})

/**
 * Plane saves whole rows, so another change at the same moment can undo a state, or a state of ours a person's move.
 * What our last PATCH has set (`placed`), what it replaced, whose token that was, and for which event; what is doubted
 * of it, until when, and which state is set again; when a person has last changed the work item. And which comments are
 * looked for a second time, because Plane may have executed them twice.
 */
export const wholeRowColumns: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { number, text } = yield* ddl
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN placed ${text}`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN replaced ${text}`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN placed_at ${text}`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN placed_by ${text}`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN placed_for ${number}`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN doubt ${text} CHECK (doubt IN ('lost', 'undone'))`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN doubted ${text}`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN check_at ${number}`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN checks ${number} NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN confirmed ${number} NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN restore ${text}`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN touched_at ${number}`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN touched_since ${number}`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN twins_at ${number}`
  yield* sql`ALTER TABLE plane_sync_delivery ADD COLUMN twins ${number} NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_delivery ADD COLUMN made_by ${text}`
  yield* sql`CREATE INDEX plane_sync_delivery_twins ON plane_sync_delivery (lane, id) WHERE twins = 1`
})

/** Marks the lanes of tasks of an older version. See `followTask`. */
export const lanesOfTasks = (
  tasks: ReadonlyArray<{ readonly key: NormalizedKey; readonly itemId: ItemId | null }>
): Migration =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    for (const { itemId, key } of tasks) {
      yield* sql`INSERT INTO plane_sync_lane (name, work_item) VALUES (${itemId ?? key}, ${itemId})
        ON CONFLICT (name) DO NOTHING`
      yield* sql`UPDATE plane_sync_lane SET of_task = 1 WHERE name IN (${itemId ?? key}, ${key})
        OR id = (SELECT target FROM plane_sync_lane WHERE name = ${key})`
    }
  })

/**
 * The triggers of older versions go: the leader folds new events, and the code that settles an event updates the counts
 * (`Tally`). All events that are stored by then count as folded. They are counted once more, so that the sums begin with
 * the truth.
 */
export const foldedTable: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { isSqlite, number } = yield* ddl
  if (isSqlite) {
    yield* sql`DROP TRIGGER IF EXISTS plane_sync_event_inserted`
    yield* sql`DROP TRIGGER IF EXISTS plane_sync_event_updated`
    yield* sql`DROP TRIGGER IF EXISTS plane_sync_event_deleted`
    yield* sql`UPDATE plane_sync_count SET events =
      (SELECT count(*) FROM plane_sync_event e WHERE e.status = plane_sync_count.status)`
    yield* sql`UPDATE plane_sync_lane SET owed =
      (SELECT count(*) FROM plane_sync_event e WHERE e.lane = plane_sync_lane.id AND e.status = 'pending')`
    yield* sql`UPDATE plane_sync_lane SET due_at = CASE owed WHEN 0 THEN NULL ELSE coalesce(due_at, 0) END`
  }
  yield* sql`CREATE TABLE plane_sync_folded (id ${number} PRIMARY KEY CHECK (id = 1), sequence ${number} NOT NULL)`
  yield* sql`INSERT INTO plane_sync_folded (id, sequence)
    SELECT 1, coalesce(max(sequence), 0) FROM plane_sync_event`
})

/**
 * Which project a lane is of, by the identifier that its key begins with, and what Plane has told of each project. ''
 * is a key that begins with no project's identifier. What older versions have stored is of one project, whose name the
 * keys tell.
 */
export const projectColumns: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { isSqlite, text, withoutRowid } = yield* ddl
  yield* sql`CREATE TABLE plane_sync_project (
    identifier ${text} PRIMARY KEY,
    plane_id ${text} NOT NULL,
    states ${text} NOT NULL
  ) ${withoutRowid}`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN project ${text} NOT NULL DEFAULT ''`
  if (isSqlite) {
    yield* sql`UPDATE plane_sync_lane SET project = substr(name, 1, instr(name, '-') - 1) WHERE work_item IS NULL`
    yield* sql`UPDATE plane_sync_lane SET project = coalesce((SELECT spelling.project FROM plane_sync_lane spelling
      WHERE spelling.target = plane_sync_lane.id ORDER BY spelling.id LIMIT 1), '') WHERE work_item IS NOT NULL`
  }
  yield* sql`DROP INDEX plane_sync_lane_due`
  yield* sql`CREATE INDEX plane_sync_lane_due ON plane_sync_lane (project, urgency, due_at) WHERE due_at IS NOT NULL`
  yield* sql`DROP INDEX plane_sync_lane_unfound`
  yield* sql`CREATE INDEX plane_sync_lane_unfound ON plane_sync_lane (project, due_at)
    WHERE work_item IS NULL AND due_at IS NOT NULL`
})

/**
 * What a work item's story tells of requests: those that did not end their delivery (`tries`), the look-ups that found
 * nothing (`looks`), both as JSON (`Tries.ts`); and who wants the leader to
 * look at Plane now, and what it saw.
 */
export const storyColumns: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { number, text } = yield* ddl
  yield* sql`ALTER TABLE plane_sync_delivery ADD COLUMN tries ${text}`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN looks ${text}`
  yield* sql`ALTER TABLE plane_sync_sender ADD COLUMN probe_asked ${number}`
  yield* sql`ALTER TABLE plane_sync_sender ADD COLUMN probe_seen ${text}`
})

/**
 * Which events are folded, and the lane of those that are not by its name, with its project: a publish only inserts, so
 * it waits for nobody who has a lane. That an event is new is told by itself and not by its sequence, because on
 * Postgres sequences are taken in another order than commits are made.
 */
export const newEventColumns: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { isSqlite, number, text } = yield* ddl
  yield* sql`ALTER TABLE plane_sync_event ADD COLUMN folded ${number} NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_event ADD COLUMN lane_name ${text}`
  yield* sql`ALTER TABLE plane_sync_event ADD COLUMN project ${text}`
  if (isSqlite) {
    yield* sql`UPDATE plane_sync_event SET folded = 1 WHERE sequence <= (SELECT sequence FROM plane_sync_folded)`
    yield* sql`UPDATE plane_sync_event SET lane = NULL, lane_name = l.name, project = l.project
      FROM plane_sync_lane l WHERE l.id = plane_sync_event.lane
        AND plane_sync_event.sequence > (SELECT sequence FROM plane_sync_folded)`
  }
  yield* sql`CREATE INDEX plane_sync_event_new ON plane_sync_event (folded, sequence, status) WHERE folded = 0`
  yield* sql`CREATE INDEX plane_sync_event_named ON plane_sync_event (lane_name, sequence) WHERE folded = 0`
  yield* sql`DROP TABLE plane_sync_folded`
})
