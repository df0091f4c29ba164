import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Statement from "@effect/sql/Statement"
import { Effect } from "effect"
import type { Migration } from "../../src/storage/Migrations.js"

type Steps = Readonly<Record<string, Migration>>

/** The statements that make a database of SQLite like this one, apart from the table of its steps. */
export const statementsOf: Effect.Effect<ReadonlyArray<string>, SqlError, SqlClient.SqlClient> = Effect.gen(
  function*() {
    const sql = yield* SqlClient.SqlClient
    // A host has tables of its own.
    const ours = sql.literal("tbl_name GLOB 'plane_sync_*' AND tbl_name <> 'plane_sync_migrations'")
    const made = yield* sql<{ text: string }>`SELECT sql AS text FROM sqlite_schema WHERE ${ours} AND sql IS NOT NULL
    ORDER BY rowid`
    const columns = yield* sql<{ name: string; row: string }>`SELECT tbl_name AS name,
      group_concat('quote(' || c.name || ')', ' || '', '' || ') AS row
    FROM sqlite_schema s, pragma_table_info(s.tbl_name) c WHERE ${ours} AND s.type = 'table' GROUP BY 1`
    const rows = yield* Effect.forEach(
      columns,
      ({ name, row }) =>
        sql<{ text: string }>`SELECT 'INSERT INTO ' || ${name} || ' VALUES (' || ${sql.literal(row)} || ')' AS text
      FROM ${sql(name)}`
    )
    const counted = yield* sql<{ text: string }>`SELECT 'INSERT INTO sqlite_sequence VALUES (' || quote(name) || ', ' ||
      seq || ')' AS text FROM (SELECT name, name AS tbl_name, seq FROM sqlite_sequence) WHERE ${ours}`
    // A row that is inserted leaves its number, which would be there twice.
    const forget = counted.length === 0 ? [] : [{ text: "DELETE FROM sqlite_sequence WHERE name GLOB 'plane_sync_*'" }]
    return [...made, ...rows.flat(), ...forget, ...counted].map(({ text }) => text)
    // Tests look at the plans of all statements, but these are none of the program.
  }
).pipe(Statement.withTransformerDisabled)

/**
 * The same steps, but a new database of SQLite gets its tables as the last step leaves them, from the second one in this
 * process on. The steps alter tables again and again, each of which has SQLite read them all, and that was half of what
 * a test with a database took. A database of an older version runs the steps that it does not have, and so does one
 * of Postgres, which tests copy.
 */
export const createdAtOnce = (steps: Steps): Steps => {
  const all = Object.entries(steps)
  const last = all.length - 1
  let known: ReadonlyArray<string> | undefined
  const isComplete = new WeakSet<SqlClient.SqlClient>()
  const isNew = new WeakSet<SqlClient.SqlClient>()

  return Object.fromEntries(all.map(([name, step], index): [string, Migration] => [
    name,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      if (sql.onDialectOrElse({ sqlite: () => false, orElse: () => true })) return yield* step
      if (index === 0) {
        isNew.add(sql)
        isComplete.delete(sql)
        if (known !== undefined) {
          yield* Statement.withTransformerDisabled(Effect.forEach(known, (text) => sql.unsafe(text), { discard: true }))
          isComplete.add(sql)
        }
      }
      if (isComplete.has(sql)) return
      yield* step
      if (index === last && isNew.has(sql)) known ??= yield* statementsOf
    })
  ]))
}
