import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import { orchestratorTables } from "../tasks/Tables.js"
import { webhookTables } from "../webhooks/Tables.js"
import { StorageError } from "./StorageError.js"

const table = "plane_sync_migrations"

// An event's two debts, its comment and its state, are settled apart; `status` is what both come to. Sums are kept by
// triggers, so that no code can forget them and nothing that is served has to count.
const outbox = Effect.gen(function*() {
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
  // One writer per work item: a lane has at most one request on its way.
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

  // Only the latest stage's state is owed. An older one is closed with its comment, or here if that is done: an UPDATE of
  // every row before would rewrite its index entries, as one of due_at would though it stays what it is. What is owed is
  // raised first: a lane that owed nothing for a moment would forget when it is due.
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

// What a comment that Plane refuses has come to: whether Plane may have executed it, how often it said no, and of what was
// split the sequence of the first event of each part.
const splitting = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE plane_sync_delivery ADD COLUMN tried INTEGER NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_delivery ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE plane_sync_delivery ADD COLUMN part INTEGER`
  yield* sql`ALTER TABLE plane_sync_event ADD COLUMN part INTEGER`
})

// The index (`-shm`) that the sender has open: device and inode. Null: of an older version, or in a host's database.
const indexFile = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => sql`ALTER TABLE plane_sync_sender ADD COLUMN index_file TEXT`
)

// What the triggers did, the leader and whoever settles an event do. All that is stored was counted by them.
const folding = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`DROP TRIGGER plane_sync_event_inserted`
  yield* sql`DROP TRIGGER plane_sync_event_updated`
  yield* sql`DROP TRIGGER plane_sync_event_deleted`
  yield* sql`CREATE TABLE plane_sync_folded (id INTEGER PRIMARY KEY CHECK (id = 1), sequence INTEGER NOT NULL)`
  yield* sql`INSERT INTO plane_sync_folded (id, sequence)
    SELECT 1, coalesce(max(sequence), 0) FROM plane_sync_event`
})

const migrations = {
  "0001_outbox": outbox,
  "0002_orchestrator": orchestratorTables,
  "0003_webhooks": webhookTables,
  "0004_index_file": indexFile,
  "0005_splitting": splitting,
  "0006_folding": folding
}

/**
 * Brings the tables to this version's shape; refuses those (`where` names their file) that a newer one has been at. `Busy`
 * while another process makes them.
 */
export const migrate = (
  where: string
): Effect.Effect<void, Migrator.MigrationError | SqlError | StorageError, SqlClient.SqlClient> =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    yield* Migrator.make({})({ loader: Migrator.fromRecord(migrations), table })
    const [latest] = yield* sql<{ id: number | null }>`SELECT max(migration_id) AS id FROM ${sql(table)}`
    const known = Object.keys(migrations).length
    // The migrator says nothing where another process is at it, and does not wait for it.
    if (latest === undefined || latest.id === null || latest.id < known) {
      return yield* new StorageError({ reason: "Busy", where, words: "another process is making its tables" })
    }
    if (latest.id > known) {
      return yield* new StorageError({
        reason: "NewerSchema",
        where,
        words: `its tables are of version ${latest.id}, this plane-sync knows ${known}`
      })
    }
  })
