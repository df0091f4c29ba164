import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import type { Migrations } from "../Migrations.js"
import { migrate, migrationTable } from "../Migrations.js"
import type { StorageError } from "../StorageError.js"
import { orStorageError } from "../StorageError.js"

/** Any number that no other program locks: "planesync" as a telephone has it. */
const lock = 752_637_962

/**
 * Brings the tables of a Postgres up to date, in one transaction. Processes that start at the same time come one after
 * the other. The migrator alone would not do: two of it that make its own table at the same time fail, and within a
 * transaction its look for that table would end the transaction.
 */
export const migratePostgres = (where: string): Effect.Effect<void, StorageError, SqlClient | Migrations> =>
  Effect.gen(function*() {
    const sql = yield* SqlClient
    const steps = Effect.gen(function*() {
      yield* sql`SELECT pg_advisory_xact_lock(${lock})`
      yield* sql`CREATE TABLE IF NOT EXISTS ${sql(migrationTable)} (migration_id integer PRIMARY KEY,
        created_at timestamp with time zone NOT NULL DEFAULT now(), name text NOT NULL)`
      yield* migrate(where)
    })
    yield* orStorageError(where)(sql.withTransaction(steps))
  })
