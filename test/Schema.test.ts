import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Context, Effect, Layer } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { EpochMillis } from "../src/base/Time.js"
import { NormalizedKey } from "../src/domain/WorkItemKey.js"
import { Outbox } from "../src/outbox/Outbox.js"
import { migrations } from "../src/Schema.js"
import { Migrations } from "../src/storage/Migrations.js"
import { Storage as StorageService } from "../src/storage/Storage.js"
import { Storage } from "../src/StorageLayers.js"
import { folder } from "./http/Server.js"
import { createdAtOnce, statementsOf } from "./support/CreatedAtOnce.js"
import { stepByStep } from "./support/StepByStep.js"

const schema = Effect.flatMap(
  Storage,
  ({ read, sql }) =>
    read(sql<{ name: string; sql: string | null }>`SELECT type, name, sql FROM sqlite_schema ORDER BY type, name`)
)

const steps = Effect.flatMap(Storage, ({ read, sql }) =>
  Effect.map(
    read(sql<{ step: string }>`SELECT printf('%04d_%s', migration_id, name) AS step FROM plane_sync_migrations
      ORDER BY migration_id`),
    (rows) => rows.map(({ step }) => step)
  ))

/** A database as an older plane-sync left it, after the steps 0001 to 0003. */
const oldDatabase = Effect.map(folder, (home) => {
  const file = join(home, "old.sqlite")
  const database = new Database(file)
  database.exec(readFileSync(new URL("fixtures/0003.sql", import.meta.url), "utf8"))
  database.close()
  return file
})

describe("the schema", () => {
  it.scopedLive("of a database with rows that an older version left is that of a new one, and the rows stay", () =>
    Effect.gen(function*() {
      const created = yield* Effect.provide(schema, stepByStep)
      const file = yield* oldDatabase
      yield* Effect.gen(function*() {
        assert.deepStrictEqual(yield* schema, created)
        assert.deepStrictEqual(yield* steps, Object.keys(migrations))

        const outbox = yield* Outbox
        const ids = Effect.map(outbox.events({ limit: 10 }), (rows) => rows.map(({ id, status }) => [id, status]))
        assert.deepStrictEqual(yield* ids, [["second", "delivered"], ["first", "pending"]])
        yield* outbox.publish({
          id: "third",
          workItem: "ET-1",
          lane: NormalizedKey("ET-1"),
          body: "{}",
          stage: undefined,
          urgent: false,
          occurredAt: EpochMillis(3),
          publishedAt: EpochMillis(3),
          project: "ET",
          unfit: undefined
        })
        assert.deepInclude(yield* outbox.status, { pending: 2, delivered: 1 })
        const { read, sql } = yield* Storage
        assert.deepStrictEqual(
          yield* read(sql`SELECT (SELECT count(*) FROM plane_sync_delivery) AS deliveries,
            (SELECT count(*) FROM plane_sync_task) AS tasks, (SELECT count(*) FROM plane_sync_webhook) AS hooks,
            (SELECT count(*) FROM plane_sync_review) AS reviews`),
          [{ deliveries: 1, tasks: 1, hooks: 1, reviews: 1 }]
        )
      }).pipe(Effect.provide(Layer.provideMerge(Outbox.layer, Storage.layerFile(file))))
    }))

  it.scopedLive("row 28: the lanes of an older version's tasks are known to be those of tasks", () =>
    Effect.gen(function*() {
      const file = yield* oldDatabase
      const database = new Database(file)
      database.exec(`UPDATE plane_sync_task SET status = 'active', key = 'ET-1', plane_id = NULL`)
      database.close()
      const context = yield* Layer.build(Storage.layerFile(file))
      const { read, sql } = Context.get(context, StorageService)
      const [lane] = yield* read(sql`SELECT of_task AS "ofTask" FROM plane_sync_lane WHERE name = 'ET-1'`)
      assert.deepInclude(lane, { ofTask: 1 })
    }))

  it.scopedLive("keeps the launches that an older version owes, in their order", () =>
    Effect.gen(function*() {
      const file = yield* oldDatabase
      const database = new Database(file)
      database.exec(`INSERT INTO plane_sync_launch (entry, task, stage, agent, due_at)
        VALUES ('b', 1, 'review', 'reviewer', 20), ('c', 2, 'analysis', 'analyst', 30), ('a', 3, 'testing', 'tester', 10)`)
      database.close()
      const context = yield* Layer.build(Storage.layerFile(file))
      const { read, sql } = Context.get(context, StorageService)
      assert.deepStrictEqual(
        yield* read(sql`SELECT entry, task, stage, agent, state, at_work AS work, since, due_at AS due
          FROM plane_sync_launch ORDER BY number`),
        [
          { entry: "a", task: 3, stage: "testing", agent: "tester", state: "owed", work: 0, since: 10, due: 0 },
          { entry: "b", task: 1, stage: "review", agent: "reviewer", state: "owed", work: 0, since: 20, due: 0 },
          { entry: "c", task: 2, stage: "analysis", agent: "analyst", state: "owed", work: 0, since: 30, due: 0 }
        ]
      )
    }))

  it.scopedLive("keeps what tasks waited for, and its notices, with the numbers that they have come to", () =>
    Effect.gen(function*() {
      const file = join(yield* folder, "before.sqlite")
      const before = Object.fromEntries(Object.entries(migrations).filter(([name]) => name < "0032"))
      const insert = (question: string) =>
        Effect.flatMap(StorageService, ({ sql, write }) =>
          write(Effect.gen(function*() {
            yield* sql`INSERT INTO plane_sync_wait (task, work_item, entry, stage, reason, same, question, opened_at)
              VALUES (1, 'ET-2', 'one', 'review', 'asked', ${question}, ${question}, 1)`
            yield* sql`INSERT INTO plane_sync_notice (wait, kind, body, status, made_at)
              VALUES (1, 'opened', ${question}, 'dead', 1)`
          })))
      yield* Effect.gen(function*() {
        for (const question of ["one", "two", "three"]) yield* insert(question)
        const { sql, write } = yield* StorageService
        yield* write(sql`DELETE FROM plane_sync_wait WHERE id = 3`)
        yield* write(sql`DELETE FROM plane_sync_notice WHERE id = 3`)
      }).pipe(
        Effect.provide(Layer.provide(StorageService.layerFile(file), Layer.succeed(Migrations, before)))
      )
      yield* Effect.gen(function*() {
        yield* insert("four")
        const { read, sql } = yield* StorageService
        const kept = [{ id: 1, said: "one" }, { id: 2, said: "two" }, { id: 4, said: "four" }]
        assert.deepStrictEqual(yield* read(sql`SELECT id, question AS said FROM plane_sync_wait ORDER BY id`), kept)
        assert.deepStrictEqual(yield* read(sql`SELECT id, body AS said FROM plane_sync_notice ORDER BY id`), kept)
      }).pipe(Effect.provide(Storage.layerFile(file)))
    }))

  it.scopedLive("is not changed under an older program that sends, and its sums are counted once more", () =>
    Effect.gen(function*() {
      const file = yield* oldDatabase
      const database = new Database(file)
      const sending = (at: number) =>
        database.exec(`INSERT INTO plane_sync_sender (id, holder, pid, host, since, seen_at)
          VALUES (1, 'old', 1, 'another-host', 0, ${at})
          ON CONFLICT (id) DO UPDATE SET holder = 'old', pid = 1, host = 'another-host', seen_at = ${at}`)
      sending(Date.now())
      database.exec("UPDATE plane_sync_count SET events = 70")
      const refused = yield* Effect.flip(Effect.scoped(Layer.build(Storage.layerFile(file))))
      assert.match(
        refused.message,
        /process 1 on another-host sends from it with an older plane-sync: stop that one first\. If it was killed, .* 90 s/
      )
      sending(0)
      database.close()
      const status = Effect.flatMap(Outbox, (outbox) => outbox.status)
      assert.deepInclude(
        yield* Effect.provide(status, Layer.provideMerge(Outbox.layer, Storage.layerFile(file))),
        { pending: 1, delivered: 1, dead: 0 }
      )
    }))

  it.effect("is the same in a host's database", () =>
    Effect.gen(function*() {
      const created = yield* Effect.provide(schema, stepByStep)
      const host = SqliteClient.layer({ filename: ":memory:" })
      assert.deepStrictEqual(
        yield* Effect.provide(schema, Layer.provideMerge(Storage.layerSql, host)),
        created
      )
    }))

  it.effect("is the same in a database of these tests, which gets its tables at once, with what stands in them", () =>
    Effect.gen(function*() {
      let ran = 0
      const counted = Object.entries(migrations).map(([name, step]): [string, typeof step] => [
        name,
        Effect.suspend(() => {
          ran++
          return step
        })
      ])
      const atOnce = createdAtOnce(Object.fromEntries(counted))
      const made = Effect.gen(function*() {
        const client = yield* SqlClient.SqlClient
        yield* client`CREATE TABLE plane (id INTEGER PRIMARY KEY AUTOINCREMENT)`
        yield* client`INSERT INTO plane VALUES (7)`
        const storage = Layer.provide(StorageService.layerSql, Layer.succeed(Migrations, atOnce))
        const context = yield* Layer.build(storage)
        return {
          schema: yield* Effect.provide(schema, context),
          steps: yield* Effect.provide(steps, context),
          statements: yield* statementsOf
        }
      }).pipe(Effect.scoped, Effect.provide(Layer.fresh(SqliteClient.layer({ filename: ":memory:" }))))
      const first = yield* made
      assert.isAbove(first.statements.filter((text) => text.startsWith("INSERT INTO plane_sync_")).length, 3)
      assert.deepStrictEqual(yield* made, first)
      assert.strictEqual(ran, Object.keys(migrations).length)
      const created = yield* Effect.provide(schema, stepByStep)
      assert.deepStrictEqual(first.schema.filter(({ name }) => name !== "plane"), created)
      assert.deepStrictEqual(first.steps, Object.keys(migrations))
    }))

  it("has steps that are numbered without a gap", () => {
    assert.deepStrictEqual(
      Object.keys(migrations).map((name) => Number(name.slice(0, 4))),
      Object.keys(migrations).map((_, index) => index + 1)
    )
  })
})
