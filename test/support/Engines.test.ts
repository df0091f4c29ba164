import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { Storage } from "../../src/storage/Storage.js"
import { onEachEngine } from "./Engines.js"

onEachEngine("a database", (engine) => {
  it.scopedLive("has the tables, and lasts as it says", () =>
    Effect.gen(function*() {
      const database = yield* engine.database
      const work = Effect.flatMap(Storage, ({ read, sql, write }) =>
        Effect.gen(function*() {
          assert.deepStrictEqual(yield* read(sql`SELECT id FROM plane_sync_event`), [])
          yield* write(sql`CREATE TABLE IF NOT EXISTS a_test (number bigint)`)
          yield* write(sql`INSERT INTO a_test (number) VALUES (1)`)
          return (yield* read(sql`SELECT number FROM a_test`)).length
        }))
      assert.strictEqual(yield* Effect.provide(work, database), 1)
      assert.strictEqual(yield* Effect.provide(work, database), engine.lasts ? 2 : 1)
      assert.strictEqual(yield* Effect.provide(work, engine.storage), 1)
    }))
})
