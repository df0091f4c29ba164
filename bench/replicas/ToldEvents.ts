import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import type * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { epochMillis } from "../../src/base/Time.js"
import { onDatabase } from "../../test/support/PostgresCluster.js"
import { begun } from "./Destinations.js"

/** How many events each work item has. */
const eventsOfEach = 20

/**
 * Writes events of a project that were told long ago, each by a comment of its own, to a database that has its tables
 * and nothing else. The statements are the same on SQLite and on Postgres.
 */
const fill = (sql: SqlClient.SqlClient, project: number, events: number) =>
  Effect.gen(function*() {
    const now = yield* epochMillis
    const items = Math.ceil(events / eventsOfEach)
    const numbers = (count: number) =>
      `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})`
    const name = (n: string) => `'D${project}-' || (${n})`
    const item = (n: string) => `'item-' || (${n})`
    const at = `${now} - ${events} + n`
    // The work items are the lanes 1, 2, …; the lanes of their keys lead to them.
    yield* sql.unsafe(`${numbers(items)} INSERT INTO plane_sync_lane (name, work_item, project)
      SELECT ${item("n")}, ${item("n")}, 'D${project}' FROM numbers`)
    yield* sql.unsafe(`${numbers(items)} INSERT INTO plane_sync_lane (name, target, project)
      SELECT ${name("n")}, n, 'D${project}' FROM numbers`)
    yield* sql.unsafe(`${numbers(events)} INSERT INTO plane_sync_event (id, work_item, body, stage, urgent, occurred_at,
        published_at, lane, comment, state, delivery, folded, project)
      SELECT 'told-' || n, ${name(`n % ${items} + 1`)}, '${begun(project, 1)}', 'analysis', 0, ${at}, ${at},
        n % ${items} + 1, 'delivered', 'superseded', n, 1, 'D${project}' FROM numbers`)
    yield* sql.unsafe(`${numbers(events)} INSERT INTO plane_sync_delivery (lane, kind, status, first_event, last_event,
        external_id, body, occurred_at, attempts, planned_at, sent_at, settled_at, plane_id, answer)
      SELECT n % ${items} + 1, 'comment', 'delivered', n, n, 'told-' || n, '<p>The task is begun by developer.</p>',
        ${at}, 1, ${at}, ${at}, ${at}, 'comment-' || n, 201 FROM numbers`)
    yield* sql.unsafe(`UPDATE plane_sync_count SET events = ${events} WHERE status = 'delivered'`)
    return items
  })

/** Fills a Postgres, or a file. No process may use it meanwhile. Returns how many work items it has then. */
export const fillWithTold = (database: string, project: number, events: number): Effect.Effect<number, unknown> =>
  database.startsWith("postgres:")
    ? onDatabase(
      database,
      // Otherwise Postgres would do this in the middle of what is measured.
      (sql) => Effect.zipLeft(fill(sql, project, events), sql.unsafe("VACUUM ANALYZE"))
    )
    : SqliteClient.make({ filename: database }).pipe(
      Effect.flatMap((sql) => sql.withTransaction(fill(sql, project, events))),
      Effect.provide(Reactivity.layer),
      Effect.scoped
    )
