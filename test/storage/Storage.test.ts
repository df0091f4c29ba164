import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Deferred, Effect, Fiber, Inspectable, Layer, Option } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { databaseAddress } from "../../src/storage/Storage.js"
import { Storage } from "../../src/StorageLayers.js"
import { collecting } from "../support/Spans.js"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "plane-sync-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const opening = (file: string) => Effect.flip(Effect.scoped(Layer.build(Storage.layerFile(file))))

/** Root may write whatever the modes say, so it is nobody for a while. */
const asOrdinaryUser = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  process.getuid?.() !== 0 ? effect : Effect.acquireUseRelease(
    Effect.sync(() => process.seteuid?.(65_534)),
    () => effect,
    () => Effect.sync(() => process.seteuid?.(0))
  )

const write = (text: string) => Effect.flatMap(Storage, ({ sql, write }) => write(sql`${sql.literal(text)}`))

describe("Storage", () => {
  it.scopedLive("makes the folder, and keeps a log beside the file", () =>
    Effect.gen(function*() {
      const file = join(yield* temporary, "deep", "er", "events.sqlite")
      yield* Effect.gen(function*() {
        const { read, sql } = yield* Storage
        // COMMIT does not wait for the disk: see LogSync.test.ts for who does.
        assert.deepStrictEqual(yield* read(sql`PRAGMA synchronous`), [{ synchronous: 1 }])
        assert.deepStrictEqual(yield* read(sql`PRAGMA journal_mode`), [{ journal_mode: "wal" }])
      }).pipe(Effect.provide(Storage.layerFile(file)))
    }))

  it.scopedLive("a file that is no database, a folder that cannot be made: named, with what to do", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      const file = join(folder, "notes.txt")
      writeFileSync(file, "these are notes, and no database at all, however long they may be. ".repeat(20))
      const noDatabase = yield* opening(file)
      assert.strictEqual(noDatabase.reason, "NotADatabase")
      assert.include(noDatabase.message, file)
      assert.strictEqual((yield* opening(join(file, "events.sqlite"))).reason, "CannotOpen")
    }))

  for (
    const [given, words] of [
      [":memory:", /a database in memory, which ends with the program/],
      ["file::memory:", /in memory/],
      ["file:", /in memory/],
      ["./x.sqlite?mode=ro", /has parameters, and none are understood/],
      ["file:x.sqlite?mode=memory&cache=shared", /has parameters/],
      ["file:///tmp/x.sqlite?vfs=unix-none", /has parameters/],
      ["/tmp/", /is a folder/]
    ] as const
  ) {
    it.effect(`row 80: ${given} as ORCH_DATABASE_URL is refused in words`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(databaseAddress)
        const text = Inspectable.toStringUnknown(error)
        assert.match(text, words)
        assert.match(text, /ORCH_DATABASE_URL[^]*expected the path of a SQLite file/)
      }).pipe(Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["ORCH_DATABASE_URL", given]])))))
  }

  it.scopedLive("row 80: a folder or a device as the database is refused in words", () =>
    Effect.gen(function*() {
      for (const path of [yield* temporary, "/dev/null"]) {
        const error = yield* opening(path)
        assert.strictEqual(error.reason, "NotAFile")
        assert.include(error.message, "it is no file: set ORCH_DATABASE_URL to the path of a file")
      }
    }))

  it.scopedLive("a file and a folder that may not be written: named, and opened as soon as they may be", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      const file = join(folder, "events.sqlite")
      yield* Effect.provide(write("CREATE TABLE note (id INTEGER)"), Storage.layerFile(file))
      chmodSync(file, 0o444)
      chmodSync(folder, 0o555)
      assert.strictEqual((yield* asOrdinaryUser(opening(file))).reason, "ReadOnly")
      assert.strictEqual((yield* asOrdinaryUser(opening(join(folder, "none.sqlite")))).reason, "CannotOpen")
      chmodSync(folder, 0o777)
      chmodSync(file, 0o666)
      yield* asOrdinaryUser(Effect.provide(write("INSERT INTO note VALUES (1)"), Storage.layerFile(file)))
    }))

  it.scopedLive("a file that is moved, deleted or replaced is not written any more until it is back", () =>
    Effect.gen(function*() {
      const file = join(yield* temporary, "events.sqlite")
      yield* Effect.gen(function*() {
        const { read, sql, write: writeHere } = yield* Storage
        const insert = (id: number) => writeHere(sql`INSERT INTO note VALUES (${id})`)
        const refused = Effect.all([Effect.flip(insert(2)), Effect.flip(read(sql`SELECT * FROM note`))])
        yield* write("CREATE TABLE note (id INTEGER)")
        yield* insert(1)
        renameSync(file, `${file}.away`)
        const errors = yield* refused
        assert.deepStrictEqual(errors.map(({ reason }) => reason), ["Moved", "Moved"])
        assert.include(
          errors[0].message,
          `Storage ${file}: the file, its log or its index was moved, deleted or replaced`
        )
        renameSync(`${file}.away`, file)
        yield* insert(3)
        assert.deepStrictEqual(yield* read(sql`SELECT id FROM note`), [{ id: 1 }, { id: 3 }])

        // Another one is opened at its path, and takes its log over.
        renameSync(file, `${file}.away`)
        yield* Effect.gen(function*() {
          yield* write("CREATE TABLE other (id INTEGER)")
          assert.deepStrictEqual((yield* refused).map(({ reason }) => reason), ["Moved", "Moved"])
          yield* write("INSERT INTO other VALUES (1)")
        }).pipe(Effect.provide(Storage.layerFile(file)))
        assert.deepStrictEqual((yield* refused).map(({ reason }) => reason), ["Moved", "Moved"])
      }).pipe(Effect.provide(Storage.layerFile(file)))
    }))

  it.scopedLive("tables of a newer version are refused", () =>
    Effect.gen(function*() {
      const file = join(yield* temporary, "events.sqlite")
      yield* Effect.provide(
        write("INSERT INTO plane_sync_migrations (migration_id, name) VALUES (99, 'future')"),
        Storage.layerFile(file)
      )
      const newer = yield* opening(file)
      assert.strictEqual(newer.reason, "NewerSchema")
      assert.include(newer.message, file)
    }))

  it.live("a failed write does not fail its neighbours", () =>
    Effect.gen(function*() {
      const { read, sql, write } = yield* Storage
      yield* write(sql`CREATE TABLE note (id INTEGER PRIMARY KEY)`)
      const results = yield* Effect.all(
        [1, 2, 2, 3].map((id) => Effect.either(write(sql`INSERT INTO note VALUES (${id})`))),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(results.map((result) => result._tag), ["Right", "Right", "Left", "Right"])
      assert.deepStrictEqual(yield* read(sql`SELECT count(*) AS n FROM note`), [{ n: 3 }])
    }).pipe(Effect.provide(Storage.layerFile(":memory:"))))

  it.live("a write that interrupts itself fails, and its neighbours do not notice", () =>
    Effect.gen(function*() {
      const { read, sql, write } = yield* Storage
      yield* write(sql`CREATE TABLE note (id INTEGER)`)
      const exits = yield* Effect.all([
        Effect.exit(write(sql`INSERT INTO note (id) VALUES (1)`)),
        Effect.exit(write(Effect.zipRight(sql`INSERT INTO note (id) VALUES (2)`, Effect.interrupt))),
        Effect.exit(write(sql`INSERT INTO note (id) VALUES (3)`))
      ], { concurrency: "unbounded" })
      assert.deepStrictEqual(exits.map(({ _tag }) => _tag), ["Success", "Failure", "Success"])
      assert.deepStrictEqual(yield* read(sql`SELECT id FROM note ORDER BY id`), [{ id: 1 }, { id: 3 }])
      yield* write(sql`INSERT INTO note (id) VALUES (4)`)
    }).pipe(Effect.provide(Storage.layerFile(":memory:"))))

  it.live("a read waits for the open transaction, and an interrupted read lets others go on", () =>
    Effect.gen(function*() {
      const { read, sql, writeAlone } = yield* Storage
      yield* write("CREATE TABLE note (id INTEGER)")
      const ids = Effect.map(read(sql<{ id: number }>`SELECT id FROM note`), (rows) => rows.map(({ id }) => id))
      const began = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const half = yield* sql`INSERT INTO note VALUES (1)`.pipe(
        Effect.zipLeft(Deferred.succeed(began, undefined)),
        Effect.zipLeft(Deferred.await(go)),
        Effect.zipLeft(sql`INSERT INTO nowhere VALUES (1)`),
        writeAlone,
        Effect.either,
        Effect.fork
      )
      yield* Deferred.await(began)
      const [gone, waiting] = [yield* Effect.fork(ids), yield* Effect.fork(ids)]
      yield* Effect.sleep("20 millis")
      yield* Fiber.interrupt(gone)
      assert.isTrue(Option.isNone(yield* Fiber.poll(waiting)))
      yield* Deferred.succeed(go, undefined)
      assert.strictEqual((yield* Fiber.join(half))._tag, "Left")
      assert.deepStrictEqual(yield* Fiber.join(waiting), [])
      yield* write("INSERT INTO note VALUES (2)")
      assert.deepStrictEqual(yield* ids, [2])
    }).pipe(Effect.provide(Storage.layerFile(":memory:"))))

  it.live("a transaction that is interrupted leaves nothing", () =>
    Effect.gen(function*() {
      const { read, sql, writeAlone } = yield* Storage
      yield* write("CREATE TABLE note (id INTEGER)")
      const began = yield* Deferred.make<void>()
      const half = yield* sql`INSERT INTO note VALUES (1)`.pipe(
        Effect.zipLeft(Deferred.succeed(began, undefined)),
        Effect.zipLeft(Effect.never),
        writeAlone,
        Effect.fork
      )
      yield* Deferred.await(began)
      yield* Fiber.interrupt(half)
      yield* write("INSERT INTO note VALUES (2)")
      assert.deepStrictEqual(yield* read(sql`SELECT id FROM note`), [{ id: 2 }])
    }).pipe(Effect.provide(Storage.layerFile(":memory:"))))

  it.live("a transaction has a span where a tracer is provided", () =>
    Effect.gen(function*() {
      const { names, tracer } = yield* collecting
      yield* write("CREATE TABLE note (id INTEGER)").pipe(
        Effect.provide(Storage.layerFile(":memory:")),
        Effect.withTracer(tracer)
      )
      assert.strictEqual(names.at(-1), "sql.transaction")
    }))

  it.scopedLive("waits while another process holds the file", () =>
    Effect.gen(function*() {
      const file = join(yield* temporary, "events.sqlite")
      yield* Effect.gen(function*() {
        yield* write("CREATE TABLE note (id INTEGER)")
        const other = yield* Effect.fork(Effect.sync(() =>
          execFileSync(process.execPath, [
            "-e",
            `
            const db = new (require("better-sqlite3"))(${JSON.stringify(file)})
            db.exec("BEGIN IMMEDIATE; INSERT INTO note VALUES (1)")
            setTimeout(() => db.exec("COMMIT"), 300)
          `
          ], { cwd: process.cwd(), stdio: "inherit" })
        ))
        yield* write("INSERT INTO note VALUES (2)")
        yield* other
        const { read, sql } = yield* Storage
        assert.deepStrictEqual(yield* read(sql`SELECT count(*) AS n FROM note`), [{ n: 2 }])
      }).pipe(Effect.provide(Storage.layerFile(file)))
    }))

  it.scopedLive("waits while another process makes the tables", () =>
    Effect.gen(function*() {
      const file = join(yield* temporary, "events.sqlite")
      const script = `
        const db = new (require("better-sqlite3"))(${JSON.stringify(file)})
        db.pragma("journal_mode = WAL")
        db.exec(\`CREATE TABLE plane_sync_migrations (migration_id INTEGER PRIMARY KEY NOT NULL,
          created_at datetime NOT NULL DEFAULT current_timestamp, name VARCHAR(255) NOT NULL)\`)
        db.exec("BEGIN IMMEDIATE")
        console.log("begun")
        setTimeout(() => db.exec("COMMIT"), 300)`
      const other = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] })
      yield* Effect.promise(() => once(other.stdout, "data"))
      const count = Effect.flatMap(Storage, ({ read, sql }) => read(sql`SELECT count(*) AS n FROM plane_sync_event`))
      assert.deepStrictEqual(yield* Effect.provide(count, Storage.layerFile(file)), [{ n: 0 }])
    }))

  const host = SqliteClient.layer({ filename: ":memory:" })

  it.scopedLive("a file of our own is opened beside a host's open transaction, which has no part in it", () =>
    Effect.gen(function*() {
      const file = join(yield* temporary, "events.sqlite")
      const hosts = yield* SqlClient.SqlClient
      yield* hosts.withTransaction(
        Effect.gen(function*() {
          const { read, sql } = yield* Storage
          assert.deepStrictEqual(yield* read(sql`PRAGMA synchronous`), [{ synchronous: 1 }])
        }).pipe(Effect.provide(Storage.layerFile(file)))
      )
      assert.deepStrictEqual(yield* hosts`SELECT name FROM sqlite_schema`, [])
    }).pipe(Effect.provide(host)))

  for (
    const [address, words] of [
      ["mysql://me:hunter2@db/x", /begins with .{1,3}mysql:.{1,3} is not right/],
      ["postgres://me:hunter2@db", /names no database/],
      ["postgres:me:hunter2@db/x", /needs two slashes/],
      ["postgres://me:hunter2@db:port/x", /is not a URL/],
      ["postgres:///x?user=me&password=hunter2", /names no host/]
    ] as const
  ) {
    it.effect(`the address ${address} is refused, and its password not repeated`, () =>
      Effect.gen(function*() {
        const message = Inspectable.toStringUnknown(yield* Effect.flip(databaseAddress))
        assert.match(message, words)
        assert.match(message, /ORCH_DATABASE_URL[^]*or the address of a Postgres/)
        assert.notInclude(message, "hunter2")
      }).pipe(Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["ORCH_DATABASE_URL", address]])))))
  }

  it.effect("the address of a Postgres is shown without user and password", () =>
    Effect.gen(function*() {
      const address = yield* databaseAddress
      assert.deepInclude(address, { _tag: "Postgres", where: "Postgres db.example:5432/orchestrator" })
      assert.notInclude(Inspectable.toStringUnknown(address), "hunter2")
    }).pipe(Effect.withConfigProvider(
      ConfigProvider.fromMap(new Map([["ORCH_DATABASE_URL", "postgres://me:hunter2@db.example:5432/orchestrator"]]))
    )))
})
