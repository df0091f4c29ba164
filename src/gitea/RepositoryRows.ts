import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { Sql } from "../storage/Sql.js"
import type { Repository } from "./Facts.js"

/** Remembers repositories by the names that they have now: whatever tells of one tells its name. */
export const rememberRepositories = (
  sql: Sql,
  repositories: ReadonlyArray<Repository>
): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`INSERT INTO plane_sync_repository AS held (id, name)
    SELECT value ->> 0, value ->> 1 FROM json_each(${JSON.stringify(repositories.map(({ id, name }) => [id, name]))})
    WHERE true ORDER BY key
    ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE held.name <> excluded.name`)

/** All repositories that were heard of. */
export const readRepositories = (sql: Sql): Effect.Effect<ReadonlyArray<Repository>, SqlError> =>
  sql<Repository>`SELECT id, name FROM plane_sync_repository ORDER BY id`
