import type { SqlError } from "@effect/sql/SqlError"
import { Duration, Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { later } from "../base/Time.js"
import type { Sql } from "../storage/Sql.js"
import type { Repository } from "./Facts.js"
import { idsIn } from "./Forges.js"

/**
 * Remembers repositories by the names that they have now: whatever tells of one tells its name. Until the transaction
 * ends it has them for itself, so it takes them in one order, and before anything else.
 */
export const rememberRepositories = (
  sql: Sql,
  repositories: ReadonlyArray<Repository>
): Effect.Effect<void, SqlError> => {
  // Postgres refuses a statement that would change a row twice.
  const names = new Map(repositories.map(({ id, name }) => [id, name]))
  const rows = Array.from(names).sort(([one], [other]) => one - other)
  return Effect.asVoid(sql`INSERT INTO plane_sync_repository AS held (id, name)
    SELECT CAST(value ->> 0 AS bigint), value ->> 1 FROM ${sql.each(rows)} WHERE true ORDER BY key
    ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE held.name <> excluded.name`)
}

/** Has a repository for itself until the transaction ends: see `rememberRepositories`. */
export const holdRepository = (sql: Sql, id: number): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`UPDATE plane_sync_repository SET name = name WHERE id = ${id}`)

/** How soon after it was asked about a repository Gitea is asked again. */
export const stirredAgainAfter = Duration.seconds(5)

/**
 * Something was delivered of these repositories that is no fact itself, like a push: it is a reason to ask Gitea about
 * them.
 */
export const stirRepositories = (
  sql: Sql,
  repositories: ReadonlyArray<Repository>,
  now: EpochMillis
): Effect.Effect<void, SqlError> => {
  const again = sql`asked_at + ${sql.literal(String(Duration.toMillis(stirredAgainAfter)))}`
  // Where the clock was set back, the moment of the last asking is of no use.
  const soon = sql`CASE WHEN asked_at > ${now} THEN CAST(${later(now, stirredAgainAfter)} AS bigint)
    WHEN ${again} < ${now} THEN CAST(${now} AS bigint) ELSE ${again} END`
  return Effect.zipRight(
    rememberRepositories(sql, repositories),
    sql`UPDATE plane_sync_repository SET stirs = stirs + 1,
        due_at = CASE WHEN due_at < ${soon} THEN due_at ELSE ${soon} END
      WHERE id IN ${sql.numbers(repositories.map(({ id }) => id))}`
  )
}

/** A repository about which Gitea is to be asked. */
export interface DueRepository extends Repository {
  readonly stirs: number
  readonly dueAt: EpochMillis
}

/** The first `limit` repositories: those that are due after `furthest`, then in the order of their due times. */
export const readDueRepositories = (
  sql: Sql,
  limit: number,
  furthest: EpochMillis
): Effect.Effect<ReadonlyArray<DueRepository>, SqlError> =>
  sql<DueRepository>`SELECT id, name, stirs, "dueAt" FROM (
      SELECT * FROM (SELECT id, name, stirs, due_at AS "dueAt", 0 AS turn FROM plane_sync_repository
        WHERE due_at > ${furthest} ORDER BY due_at LIMIT ${limit}) AS ahead
      UNION ALL SELECT * FROM (SELECT id, name, stirs, due_at AS "dueAt", 1 AS turn FROM plane_sync_repository
        WHERE due_at <= ${furthest} ORDER BY due_at LIMIT ${limit}) AS usual) AS due
    ORDER BY turn, "dueAt" LIMIT ${limit}`

/** Gitea was asked. A repository that was stirred meanwhile is due again soon, and every other one at `dueAt`. */
export const settleRepository = (
  sql: Sql,
  { id, stirs }: DueRepository,
  now: EpochMillis,
  dueAt: EpochMillis
): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`UPDATE plane_sync_repository SET asked_at = ${now}, stirs = stirs - ${stirs},
      due_at = CASE WHEN stirs > ${stirs} THEN CAST(${later(now, stirredAgainAfter)} AS bigint)
        ELSE CAST(${dueAt} AS bigint) END
    WHERE id = ${id}`)

/** All repositories are due, because what was delivered while nobody listened is lost. */
export const makeRepositoriesDue = (sql: Sql, now: EpochMillis): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`UPDATE plane_sync_repository SET due_at = ${now} WHERE due_at > ${now}`)

/** Which of these names, in lower case, were heard of in a Gitea. */
export const readKnownNames = (sql: Sql, forge: number, names: ReadonlyArray<string>) => {
  const [first, after] = idsIn(forge)
  return Effect.map(
    sql<{ name: string }>`SELECT lower(name) AS name FROM plane_sync_repository
      WHERE lower(name) IN ${sql.texts(names)}
        AND +id >= ${first} AND +id < ${after}`,
    (rows) => new Set(rows.map(({ name }) => name))
  )
}
