import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Either, Schema } from "effect"
import type { Place } from "../domain/Place.js"
import { PlaneStateId } from "../domain/StageStates.js"
import type { Sql } from "../storage/Sql.js"
import { keepTurnsAway } from "./Turns.js"

const Listed = Schema.parseJson(Schema.NullOr(Schema.Array(Schema.Struct({
  id: PlaneStateId,
  name: Schema.String,
  group: Schema.String,
  sequence: Schema.Number
}))))

const listedOf = (states: string) => Either.getOrNull(Schema.decodeEither(Listed)(states)) ?? undefined

/** Where the projects are in Plane, by their identifiers, as it was kept. */
export const readPlaces = (sql: Sql): Effect.Effect<ReadonlyMap<string, Place>, SqlError> =>
  Effect.map(
    sql<{ identifier: string; id: string; states: string }>`SELECT identifier, plane_id AS id, states
      FROM plane_sync_project`,
    (rows) => new Map(rows.map(({ id, identifier, states }) => [identifier, { id, listed: listedOf(states) }]))
  )

/**
 * Keeps where a project is. If it was there under another identifier, that is its former one: then what its work items
 * are owed goes on under this one. If another project was here before, it was made anew, and its numbers have begun
 * anew: then no key is the work item that it was. Runs within a transaction.
 */
export const keepPlace = (sql: Sql, identifier: string, { id, listed }: Place) =>
  Effect.gen(function*() {
    yield* keepTurnsAway(sql)
    const former = yield* sql<{ identifier: string }>`DELETE FROM plane_sync_project
      WHERE plane_id = ${id} AND identifier <> ${identifier} RETURNING identifier`
    for (const { identifier: before } of former) {
      yield* sql`UPDATE plane_sync_lane SET project = ${identifier} WHERE project = ${before}`
      yield* sql`UPDATE plane_sync_event SET project = ${identifier} WHERE folded = 0 AND project = ${before}`
    }
    const [was] = yield* sql<{ id: string }>`SELECT plane_id AS id FROM plane_sync_project
      WHERE identifier = ${identifier}`
    if (was !== undefined && was.id !== id) {
      yield* sql`UPDATE plane_sync_lane SET target = NULL WHERE project = ${identifier} AND target IS NOT NULL`
    }
    yield* sql`INSERT INTO plane_sync_project (identifier, plane_id, states)
      VALUES (${identifier}, ${id}, ${Schema.encodeSync(Listed)(listed ?? null)})
      ON CONFLICT (identifier) DO UPDATE SET plane_id = excluded.plane_id, states = excluded.states`
  })

/**
 * Sorts what is due by the projects that are set now. A key whose identifier is set by now goes to its project. A lane
 * of an identifier that was never seen in Plane goes to those of no project, where it is said what is wrong. What a
 * project is owed that is not set any more waits until it is set again: see `readLeft`. A lane that somebody holds stays
 * with its leader. Runs within a transaction.
 */
export const sortLanes = (sql: Sql, identifiers: ReadonlyArray<string>): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    yield* keepTurnsAway(sql)
    const set = sql.texts(identifiers)
    const dash = sql.position(sql`name`, "-")
    const identifier = sql`CASE WHEN ${dash} > 0 THEN substr(name, 1, ${dash} - 1) END`
    yield* sql`UPDATE plane_sync_lane SET project = ${identifier}
      WHERE project = '' AND due_at IS NOT NULL AND work_item IS NULL AND holder IS NULL AND ${identifier} IN ${set}`
    yield* sql`UPDATE plane_sync_lane SET project = '' WHERE due_at IS NOT NULL AND project <> '' AND holder IS NULL
      AND project NOT IN ${set}
      AND project NOT IN (SELECT identifier FROM plane_sync_project)`
  })

/** A project that was written to, and is not set any more. */
export interface LeftProject {
  readonly identifier: string
  /** How many of its work items are owed something, as far as that is folded. */
  readonly workItems: number
}

/** The projects that were written to, and are none of those that are set now. */
export const readLeft = (
  sql: Sql,
  identifiers: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<LeftProject>, SqlError> =>
  sql<LeftProject>`SELECT identifier, (SELECT count(*) FROM plane_sync_lane
      WHERE project = identifier AND due_at IS NOT NULL) AS "workItems"
    FROM plane_sync_project WHERE identifier NOT IN ${sql.texts(identifiers)}`
