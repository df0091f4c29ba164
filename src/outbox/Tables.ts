import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import type { ItemId } from "../domain/Ids.js"
import type { NormalizedKey } from "../domain/WorkItemKey.js"
import type { Migration } from "../storage/Migrations.js"

/**
 * The tables of the outbox. An event owes two things, its comment and its state, which are settled apart; its `status`
 * sums up both. Here triggers keep the counts. They go with `foldedTable`: since then the code keeps them (`Tally`).
 */
export const outboxTables: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  yield* sql`CREATE TABLE plane_sync_lane (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    work_item TEXT,
    target INTEGER,
    owed INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER,
    urgency INTEGER NOT NULL DEFAULT 2,
    holder TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    misses INTEGER NOT NULL DEFAULT 0,
    gone INTEGER NOT NULL DEFAULT 0,
    state TEXT,
    cancelled INTEGER NOT NULL DEFAULT 0,
    read_at INTEGER,
    read_by TEXT,
    asked TEXT,
    respected INTEGER NOT NULL DEFAULT 0,
    unanswered INTEGER NOT NULL DEFAULT 0,
    state_event INTEGER,
    latest_stage INTEGER,
    patient INTEGER NOT NULL DEFAULT 0,
    problem TEXT
  )`
  yield* sql`CREATE INDEX plane_sync_lane_due ON plane_sync_lane (urgency, due_at) WHERE due_at IS NOT NULL`

  yield* sql`CREATE INDEX plane_sync_lane_unfound ON plane_sync_lane (due_at)
    WHERE work_item IS NULL AND due_at IS NOT NULL`

  yield* sql`CREATE INDEX plane_sync_lane_holder ON plane_sync_lane (holder) WHERE holder IS NOT NULL`

  yield* sql`CREATE TABLE plane_sync_event (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    work_item TEXT NOT NULL,
    body TEXT NOT NULL,
    stage TEXT,
    urgent INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    published_at INTEGER NOT NULL,
    lane INTEGER,
    comment TEXT NOT NULL CHECK (comment IN ('pending', 'retried', 'delivered', 'dead', 'discarded')),
    state TEXT NOT NULL CHECK (state IN ('none', 'pending', 'delivered', 'superseded', 'dead', 'discarded')),
    status TEXT NOT NULL GENERATED ALWAYS AS (CASE
      WHEN 'pending' IN (comment, state) OR comment = 'retried' THEN 'pending'
      WHEN 'dead' IN (comment, state) THEN 'dead'
      WHEN 'discarded' IN (comment, state) THEN 'discarded'
      ELSE 'delivered' END) STORED,
    delivery INTEGER,
    state_delivery INTEGER
  )`
  yield* sql`CREATE INDEX plane_sync_event_status ON plane_sync_event (status, sequence)`
  yield* sql`CREATE INDEX plane_sync_event_lane ON plane_sync_event (lane, status, sequence)`
  yield* sql`CREATE INDEX plane_sync_event_delivery ON plane_sync_event (delivery) WHERE delivery IS NOT NULL`
  yield* sql`CREATE INDEX plane_sync_event_urgent ON plane_sync_event (lane) WHERE urgent = 1 AND comment = 'pending'`

  yield* sql`CREATE TABLE plane_sync_delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    lane INTEGER,
    kind TEXT NOT NULL CHECK (kind IN ('comment', 'recount', 'state')),
    status TEXT NOT NULL CHECK (status IN ('pending', 'retried', 'delivered', 'dead', 'discarded')),
    first_event INTEGER NOT NULL,
    last_event INTEGER NOT NULL,
    external_id TEXT,
    body TEXT NOT NULL,
    gate TEXT,
    failures INTEGER NOT NULL DEFAULT 1,
    occurred_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    planned_at INTEGER NOT NULL,
    sent_at INTEGER,
    settled_at INTEGER,
    plane_id TEXT,
    answer INTEGER,
    code TEXT,
    reason TEXT,
    after_event INTEGER
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
    id INTEGER PRIMARY KEY CHECK (id = 1),
    holder TEXT NOT NULL,
    pid INTEGER NOT NULL,
    host TEXT NOT NULL,
    since INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
  )`

  yield* sql`CREATE TABLE plane_sync_count (status TEXT PRIMARY KEY, events INTEGER NOT NULL) WITHOUT ROWID`
  yield* sql`INSERT INTO plane_sync_count (status, events)
    VALUES ('pending', 0), ('delivered', 0), ('dead', 0), ('discarded', 0)`

  // Only the state of the latest stage is owed. An older state is closed together with its comment, or here when that
  // comment is already settled. The statements change as few rows as they can, because every UPDATE rewrites index
  // entries, even when due_at keeps its value. `owed` is raised first, because a lane that owes nothing loses its due
  // time.
  yield* sql`CREATE TRIGGER plane_sync_event_inserted AFTER INSERT ON plane_sync_event BEGIN
    UPDATE plane_sync_count SET events = events + 1 WHERE status = NEW.status;
    UPDATE plane_sync_lane SET owed = owed + 1 WHERE id = NEW.lane AND NEW.status = 'pending';
    UPDATE plane_sync_event SET state = 'superseded' WHERE NEW.state = 'pending' AND state = 'pending'
      AND comment NOT IN ('pending', 'retried')
      AND sequence = (SELECT state_event FROM plane_sync_lane WHERE id = NEW.lane);
    UPDATE plane_sync_lane SET state_event = NEW.sequence, latest_stage = NEW.sequence
      WHERE id = NEW.lane AND NEW.state = 'pending';
    UPDATE plane_sync_lane SET due_at = NEW.published_at
      WHERE id = NEW.lane AND NEW.status = 'pending' AND (due_at IS NULL OR patient = 1);
    UPDATE plane_sync_lane SET urgency = CASE WHEN NEW.urgent = 1 THEN 0 ELSE 1 END
      WHERE id = NEW.lane AND NEW.status = 'pending'
        AND urgency > CASE WHEN NEW.urgent = 1 THEN 0 WHEN NEW.state = 'pending' THEN 1 ELSE 2 END;
  END`
  yield* sql`CREATE TRIGGER plane_sync_event_updated AFTER UPDATE OF comment, state, lane ON plane_sync_event
    WHEN OLD.status <> NEW.status OR OLD.lane IS NOT NEW.lane BEGIN
    UPDATE plane_sync_count SET events = events - 1 WHERE status = OLD.status;
    UPDATE plane_sync_count SET events = events + 1 WHERE status = NEW.status;
    UPDATE plane_sync_lane SET owed = owed - 1, due_at = CASE owed WHEN 1 THEN NULL ELSE due_at END
      WHERE id = OLD.lane AND OLD.status = 'pending';
    UPDATE plane_sync_lane SET owed = owed + 1, due_at = coalesce(due_at, NEW.published_at)
      WHERE id = NEW.lane AND NEW.status = 'pending';
  END`
  yield* sql`CREATE TRIGGER plane_sync_event_deleted AFTER DELETE ON plane_sync_event BEGIN
    UPDATE plane_sync_count SET events = events - 1 WHERE status = OLD.status;
  END`
})

/**
 * What was heard of a work item, from hooks and from the answers to our own PATCHes. `state` and `updated_at` also come
 * from look-ups. A look-up must not make a move look old while its hook is still to come, so what was heard has
 * separate columns.
 */
export const heardColumns: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN updated_at TEXT`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN heard_state TEXT`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN heard_at TEXT`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN late_state TEXT`
  yield* sql`CREATE INDEX plane_sync_lane_target ON plane_sync_lane (target) WHERE target IS NOT NULL`
})

/**
 * The index file (`-shm`) that the leader has open, as device and inode. It is null when an older version wrote the
 * row, and in a host's database.
 */
export const indexFileColumn: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE plane_sync_sender ADD COLUMN index_file TEXT`
})

/**
 * What became of a comment that Plane refused: whether Plane may have executed it (`tried`), how often Plane refused
 * it, and, once it was split, the sequence of the first event of each part.
 */
export const splittingColumns: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE plane_sync_delivery ADD COLUMN tried INTEGER NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_delivery ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_delivery ADD COLUMN part INTEGER`
  yield* sql`ALTER TABLE plane_sync_event ADD COLUMN part INTEGER`
})

/**
 * How far Plane's clock was ahead when a work item was heard of, whether the work item is in a completed state, whether
 * a task publishes its stages, and up to which event a person who ended that task wants no state set.
 */
export const peopleColumns: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN heard_ahead INTEGER NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN completed INTEGER NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN of_task INTEGER NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN left_until INTEGER NOT NULL DEFAULT 0`
})

/**
 * Plane saves whole rows, so another change at the same moment can undo a state, or a state of ours a person's move.
 * What our last PATCH has set (`placed`), what it replaced, whose token that was, and for which event; what is doubted
 * of it, until when, and which state is set again; when a person has last changed the work item. And which comments are
 * looked for a second time, because Plane may have executed them twice.
 */
export const wholeRowColumns: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN placed TEXT`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN replaced TEXT`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN placed_at TEXT`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN placed_by TEXT`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN placed_for INTEGER`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN doubt TEXT CHECK (doubt IN ('lost', 'undone'))`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN doubted TEXT`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN check_at INTEGER`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN checks INTEGER NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN confirmed INTEGER NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN restore TEXT`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN touched_at INTEGER`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN touched_since INTEGER`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN twins_at INTEGER`
  yield* sql`ALTER TABLE plane_sync_delivery ADD COLUMN twins INTEGER NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_delivery ADD COLUMN made_by TEXT`
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
 * The triggers go: the leader folds new events, and the code that settles an event updates the counts. All events that
 * are stored by then count as folded. They are counted once more, so that the sums begin with the truth.
 */
export const foldedTable: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`DROP TRIGGER plane_sync_event_inserted`
  yield* sql`DROP TRIGGER plane_sync_event_updated`
  yield* sql`DROP TRIGGER plane_sync_event_deleted`
  yield* sql`UPDATE plane_sync_count SET events =
    (SELECT count(*) FROM plane_sync_event e WHERE e.status = plane_sync_count.status)`
  yield* sql`UPDATE plane_sync_lane SET owed =
    (SELECT count(*) FROM plane_sync_event e WHERE e.lane = plane_sync_lane.id AND e.status = 'pending')`
  yield* sql`UPDATE plane_sync_lane SET due_at = CASE owed WHEN 0 THEN NULL ELSE coalesce(due_at, 0) END`
  yield* sql`CREATE TABLE plane_sync_folded (id INTEGER PRIMARY KEY CHECK (id = 1), sequence INTEGER NOT NULL)`
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
  yield* sql`CREATE TABLE plane_sync_project (
    identifier TEXT PRIMARY KEY,
    plane_id TEXT NOT NULL,
    states TEXT NOT NULL
  ) WITHOUT ROWID`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN project TEXT NOT NULL DEFAULT ''`
  yield* sql`UPDATE plane_sync_lane SET project = substr(name, 1, instr(name, '-') - 1) WHERE work_item IS NULL`
  yield* sql`UPDATE plane_sync_lane SET project = coalesce((SELECT spelling.project FROM plane_sync_lane spelling
    WHERE spelling.target = plane_sync_lane.id ORDER BY spelling.id LIMIT 1), '') WHERE work_item IS NOT NULL`
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
  yield* sql`ALTER TABLE plane_sync_delivery ADD COLUMN tries TEXT`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN looks TEXT`
  yield* sql`ALTER TABLE plane_sync_sender ADD COLUMN probe_asked INTEGER`
  yield* sql`ALTER TABLE plane_sync_sender ADD COLUMN probe_seen TEXT`
})
