import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Statement from "@effect/sql/Statement"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { makeSharedSql } from "../../src/storage/Sql.js"

const withTable = Effect.gen(function*() {
  const client = yield* SqlClient.SqlClient
  const sql = makeSharedSql(client)
  yield* sql`CREATE TABLE word (id INTEGER PRIMARY KEY, name TEXT)`
  const names = Effect.map(
    sql<{ name: string }>`SELECT name FROM word ORDER BY id`,
    (rows) => rows.map(({ name }) => name)
  )
  return { client, sql, names }
})

const inMemory = Effect.provide(SqliteClient.layer({ filename: ":memory:" }))

describe("a statement", () => {
  it.effect("has a parameter for each value, those of its fragments included, in the order of its text", () =>
    Effect.gen(function*() {
      const { client, sql } = yield* withTable
      const both = sql.join(" AND ", [sql`id > ${1}`, sql`name <> ${"x"}`])
      const statement = sql`SELECT ${"first"}, ${sql.literal("id")} FROM word WHERE ${both} LIMIT ${5}`
      const [text, parameters] = client`${statement}`.compile()
      assert.strictEqual(text, "SELECT ?, id FROM word WHERE id > ? AND name <> ? LIMIT ?")
      assert.deepStrictEqual(parameters, ["first", 1, "x", 5])
    }).pipe(inMemory))

  it.effect("never makes a value a part of the text", () =>
    Effect.gen(function*() {
      const { names, sql } = yield* withTable
      const evil = `'); DROP TABLE word; --`
      yield* sql`INSERT INTO word (name) VALUES (${evil})`
      assert.deepStrictEqual(yield* names, [evil])
    }).pipe(inMemory))

  it.effect("belongs to the transaction that is open, and vanishes with it", () =>
    Effect.gen(function*() {
      const { client, names, sql } = yield* withTable
      yield* sql`INSERT INTO word (name) VALUES ('kept')`
      const failed = yield* Effect.either(client.withTransaction(
        Effect.zipRight(sql`INSERT INTO word (name) VALUES ('lost')`, Effect.fail("no"))
      ))
      assert.strictEqual(failed._tag, "Left")
      assert.deepStrictEqual(yield* names, ["kept"])
    }).pipe(inMemory))

  it.effect("outside of a transaction waits for another fiber's open transaction", () =>
    Effect.gen(function*() {
      const { client, names, sql } = yield* withTable
      const began = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const other = yield* sql`INSERT INTO word (name) VALUES ('half')`.pipe(
        Effect.zipRight(Deferred.succeed(began, undefined)),
        Effect.zipRight(Deferred.await(go)),
        Effect.zipRight(Effect.fail("rolled back")),
        client.withTransaction,
        Effect.either,
        Effect.fork
      )
      yield* Deferred.await(began)
      const reading = yield* Effect.fork(names)
      yield* Effect.yieldNow()
      yield* Deferred.succeed(go, undefined)
      yield* Fiber.join(other)
      assert.deepStrictEqual(yield* Fiber.join(reading), [])
    }).pipe(inMemory))

  it.effect("fails as the client's do", () =>
    Effect.gen(function*() {
      const { sql } = yield* withTable
      const ours = yield* Effect.flip(sql`SELECT nothing FROM nowhere`)
      assert.strictEqual(ours._tag, "SqlError")
    }).pipe(inMemory))

  it.effect("gives numbers, also where a host wants big integers of its own", () =>
    Effect.gen(function*() {
      const { sql } = yield* withTable
      const one = sql<{ n: number }>`SELECT 1 AS n`
      assert.deepStrictEqual(yield* Effect.provideService(one, SqlClient.SafeIntegers, true), [{ n: 1 }])
      assert.deepStrictEqual(yield* one, [{ n: 1 }])
    }).pipe(inMemory))

  it.effect("is handed to a transformer that a host has set for its database", () =>
    Effect.gen(function*() {
      const { names, sql } = yield* withTable
      const seen: Array<readonly [string, ReadonlyArray<unknown>]> = []
      yield* sql`INSERT INTO word (name) VALUES (${"one"})`.pipe(
        Statement.withTransformer((statement) =>
          Effect.sync(() => {
            seen.push(statement.compile())
            return statement
          })
        )
      )
      assert.deepStrictEqual(seen.map(([text, parameters]) => [text, [...parameters]]), [
        ["INSERT INTO word (name) VALUES (?)", ["one"]]
      ])
      assert.deepStrictEqual(yield* names, ["one"])
    }).pipe(inMemory))
})
