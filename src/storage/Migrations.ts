import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Context, Effect } from "effect"
import { StorageError } from "./StorageError.js"

/** One step from one version of the tables to the next. */
export type Migration = Effect.Effect<void, SqlError, SqlClient.SqlClient>

/**
 * All steps, by number and name (`0001_outbox`), numbered without a gap. A step that has been released is never
 * changed: existing databases have run it.
 *
 * Storage does not know the tables. Each room owns its own, in its `Tables.ts`, and `src/Schema.ts` lists the steps.
 */
export class Migrations extends Context.Tag("plane-sync/Migrations")<
  Migrations,
  Readonly<Record<string, Migration>>
>() {}

/** The table that says which steps a database has run. */
export const migrationTable = "plane_sync_migrations"

/**
 * Runs the steps that a database does not have yet. Fails with `NewerSchema` when a newer plane-sync has changed the
 * tables, and with `Busy` while another process creates them. `where` names the database in errors.
 */
export const migrate = (
  where: string
): Effect.Effect<void, Migrator.MigrationError | SqlError | StorageError, SqlClient.SqlClient | Migrations> =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const migrations = yield* Migrations
    yield* Migrator.make({})({ loader: Migrator.fromRecord(migrations), table: migrationTable })
    const [latest] = yield* sql<{ id: number | null }>`SELECT max(migration_id) AS id FROM ${sql(migrationTable)}`
    const known = Math.max(0, ...Object.keys(migrations).map((name) => Number(name.slice(0, 4))))
    // When another process is migrating, the migrator neither waits nor fails.
    if (latest === undefined || latest.id === null || latest.id < known) {
      return yield* new StorageError({ reason: "Busy", where, words: "another process is creating its tables" })
    }
    if (latest.id > known) {
      return yield* new StorageError({
        reason: "NewerSchema",
        where,
        words: `its tables are of version ${latest.id}, this plane-sync knows ${known}`
      })
    }
  })
