import type { SqlError } from "@effect/sql/SqlError"
import { Duration, Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { earlier } from "../base/Time.js"
import type { EventSequence } from "../domain/Ids.js"
import type { Fragment, Sql } from "../storage/Sql.js"

/** How long a task counts as new. Of many that begin within that time one goes first, and the others wait in line. */
export const newFor = Duration.seconds(10)

/** More than so many are many. */
const most = 2

interface Row {
  readonly firstWord: EventSequence
  readonly publishedAt: EpochMillis
}

/**
 * Lanes of a project that owe their first word, and are due. Not those whose key Plane did not have: there may be many,
 * which are looked up again and again.
 */
const owing = (sql: Sql, project: string, now: EpochMillis) =>
  sql`plane_sync_lane WHERE project = ${project} AND first_word > 0 AND due_at IS NOT NULL AND misses = 0
    AND due_at <= ${now} AND holder IS NULL`

/** The lane that owes this first word. Its key's lane hands it on to that of its work item. */
export const laneOfFirstWord = (
  sql: Sql,
  projects: ReadonlyArray<string>,
  firstWord: EventSequence,
  now: EpochMillis
): Fragment => {
  const lanes = projects.map((project) => sql`SELECT id FROM ${owing(sql, project, now)} AND first_word = ${firstWord}`)
  return sql`SELECT id FROM (${sql.join(" UNION ALL ", lanes)}) one LIMIT 1`
}

/** The first word of a new task: of the oldest one, or of the newest of many. */
export interface NewFirstWord {
  readonly event: EventSequence
  readonly isOfMany: boolean
}

/** Undefined if no task has just begun, or all that have were told of. */
export const newFirstWord = (
  sql: Sql,
  projects: ReadonlyArray<string>,
  now: EpochMillis
): Effect.Effect<NewFirstWord | undefined, SqlError> => {
  const newest = projects.map((project) =>
    sql`SELECT * FROM (SELECT first_word FROM ${owing(sql, project, now)}
      ORDER BY first_word DESC LIMIT ${sql.literal(String(most + 1))}) latest`
  )
  return Effect.map(
    sql<Row>`SELECT first_word AS "firstWord", published_at AS "publishedAt"
      FROM (${sql.join(" UNION ALL ", newest)}) newest JOIN plane_sync_event ON sequence = first_word
      ORDER BY first_word`,
    (rows) => {
      const recent = rows.filter(({ publishedAt }) => publishedAt > earlier(now, newFor))
      const isOfMany = recent.length > most
      const row = recent.at(isOfMany ? -1 : 0)
      return row && { event: row.firstWord, isOfMany }
    }
  )
}
