import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { describePostgres, postgresUrl, serverUrl } from "./Postgres.js"
import { choose } from "./PostgresBinaries.js"
import { onDatabase } from "./PostgresCluster.js"
import { skippedLine } from "./PostgresRun.js"

describe("the choice of a Postgres for tests", () => {
  const found = (...releases: ReadonlyArray<number>) => () =>
    releases.map((release) => ({ release, folder: `/pg/${release}` }))

  it("is the server that is given, or else the newest of the machine", () => {
    assert.deepStrictEqual(choose("postgres://elsewhere/x", found(15)), {
      _tag: "Given",
      url: "postgres://elsewhere/x"
    })
    assert.deepStrictEqual(choose(undefined, found(14, 17, 16)), { _tag: "Own", folder: "/pg/17" })
    assert.deepStrictEqual(choose("", found(15)), { _tag: "Own", folder: "/pg/15" })
  })

  it("is none where there is none, or too old a one, or where none is wanted, and a line says so", () => {
    const why = (given: string | undefined, ...releases: ReadonlyArray<number>) =>
      skippedLine(7, JSON.stringify(choose(given, found(...releases))))
    assert.strictEqual(
      why(undefined),
      "NOT TESTED ON POSTGRES: 7 tests are skipped, because this machine has no Postgres: install 15 or newer, or set " +
        "ORCH_TEST_DATABASE_URL"
    )
    assert.include(why(undefined, 13), "because this machine has only Postgres 13: install 15")
    assert.include(why("none", 15), "because ORCH_TEST_DATABASE_URL is none")
  })
})

describePostgres("a database for a test", () => {
  const names = Effect.flatMap(serverUrl, (url) =>
    onDatabase(url, (sql) =>
      Effect.map(
        sql<{ name: string }>`SELECT datname AS name FROM pg_database`,
        (rows) => rows.map(({ name }) => name)
      )))

  it.effect("is empty, of its own, and dropped at the end", () =>
    Effect.gen(function*() {
      const made = yield* Effect.scoped(Effect.gen(function*() {
        const [one, other] = yield* Effect.all([postgresUrl, postgresUrl])
        yield* onDatabase(Redacted.value(one), (sql) => sql`CREATE TABLE a (b bigint)`)
        yield* onDatabase(Redacted.value(other), (sql) => sql`CREATE TABLE a (b bigint)`)
        const made = [one, other].map((url) => new URL(Redacted.value(url)).pathname.slice(1))
        assert.includeMembers(yield* names, made)
        return made
      }))
      assert.isEmpty((yield* names).filter((name) => made.includes(name)))
    }))
})
