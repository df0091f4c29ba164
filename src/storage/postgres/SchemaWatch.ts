import { SqlClient } from "@effect/sql/SqlClient"
import type { Scope } from "effect"
import { Effect, Schedule } from "effect"
import { Migrations, migrationTable } from "../Migrations.js"
import { StorageError } from "../StorageError.js"

const lookEvery = "5 seconds"

/**
 * Looks whether a newer plane-sync has changed the tables, as it does when replicas are replaced one by one. From then
 * on the effect that this gives fails, because the statements of this version may mean something else to those tables.
 */
export const watchSchema = (
  where: string
): Effect.Effect<Effect.Effect<void, StorageError>, never, SqlClient | Migrations | Scope.Scope> =>
  Effect.gen(function*() {
    const sql = yield* SqlClient
    const known = Object.keys(yield* Migrations).length
    let newer: StorageError | undefined
    const look = Effect.map(
      sql<{ version: number | null }>`SELECT max(migration_id) AS version FROM ${sql(migrationTable)}`,
      ([row]) => {
        const version = row?.version ?? 0
        if (version <= known) return
        newer = new StorageError({
          reason: "NewerSchema",
          where,
          words: `its tables are of version ${version} now, this plane-sync knows ${known} and does nothing more`
        })
      }
    )
    yield* look.pipe(
      // Whether the database answers is noticed, and told, by everybody else.
      Effect.catchAllCause(() => Effect.void),
      Effect.uninterruptible,
      Effect.disconnect,
      Effect.schedule(Schedule.spaced(lookEvery)),
      Effect.forkScoped
    )
    return Effect.suspend(() => newer ?? Effect.void)
  })
