import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs"
import { join } from "node:path"
import { strangersIn } from "../../src/storage/sqlite/IndexFile.js"
import { Storage } from "../../src/StorageLayers.js"
import { folder } from "../http/Server.js"
import { openElsewhere } from "../support/OtherProcess.js"

const insert = (id: number) => Effect.flatMap(Storage, ({ sql, write }) => write(sql`INSERT INTO note VALUES (${id})`))

describe("the index of the log", () => {
  it.scopedLive("once it is removed or replaced, nothing more is written until it is back", () =>
    Effect.gen(function*() {
      const file = join(yield* folder, "events.sqlite")
      yield* Effect.gen(function*() {
        const { read, sql, write } = yield* Storage
        yield* write(sql`CREATE TABLE note (id INTEGER)`)
        renameSync(`${file}-shm`, `${file}-away`)
        const refused = yield* Effect.all([Effect.flip(insert(1)), Effect.flip(read(sql`SELECT id FROM note`))])
        assert.deepStrictEqual(refused.map(({ reason }) => reason), ["Moved", "Moved"])
        assert.include(refused[0].message, "its index (-shm) is not the one that was opened")
        // Another process makes a new one.
        execFileSync(process.execPath, [
          "-e",
          `new (require("better-sqlite3"))(${JSON.stringify(file)}).pragma("schema_version")`
        ])
        assert.isTrue(existsSync(`${file}-shm`))
        assert.strictEqual((yield* Effect.flip(insert(1))).reason, "Moved")
        renameSync(`${file}-away`, `${file}-shm`)
        yield* insert(2)
        assert.deepStrictEqual(yield* read(sql`SELECT id FROM note`), [{ id: 2 }])
      }).pipe(Effect.provide(Storage.layerFile(file)))
      assert.isUndefined(
        yield* Effect.provide(Effect.map(Storage, ({ index }) => index), Storage.layerFile(":memory:"))
      )
    }))

  it.scopedLive.skipIf(!existsSync("/proc/locks"))(
    "a process that has an older one open is seen by its locks, whoever it is: nobody opens the file beside it",
    () =>
      Effect.gen(function*() {
        const file = join(yield* folder, "events.sqlite")
        yield* Effect.scoped(Layer.build(Storage.layerFile(file)))
        yield* Effect.scoped(Effect.gen(function*() {
          const other = yield* openElsewhere(file)
          yield* Effect.scoped(Layer.build(Storage.layerFile(file)))
          rmSync(`${file}-shm`)
          const before = readFileSync(file)
          // What the first refused one leaves is a new index.
          for (let i = 0; i < 2; i++) {
            const error = yield* Effect.flip(Effect.scoped(Layer.build(Storage.layerFile(file))))
            assert.strictEqual(error.reason, "Moved")
            assert.include(error.message, `process ${other.pid} still has an index (-shm) open that was removed`)
          }
          assert.isTrue(before.equals(readFileSync(file)))
        }))
        yield* Effect.scoped(Layer.build(Storage.layerFile(file)))
      })
  )

  it("a process that holds the database but not the index is a stranger, if our own locks can be seen", () => {
    const locks = [
      "1: POSIX  ADVISORY  READ 10 fe:00:200 128 128",
      "2: POSIX  ADVISORY  READ 10 fe:00:100 1073741826 1073742335",
      "3: POSIX  ADVISORY  READ 11 fe:00:200 128 128",
      "4: POSIX  ADVISORY  READ 11 fe:00:100 1073741826 1073742335",
      "5: POSIX  ADVISORY  READ 12 fe:00:199 128 128",
      "6: POSIX  ADVISORY  READ 12 fe:00:100 1073741826 1073742335",
      "6: -> POSIX  ADVISORY  WRITE 14 fe:00:100 1073741826 1073742335",
      "7: POSIX  ADVISORY  READ 13 fe:01:100 1073741826 1073742335",
      "8: FLOCK  ADVISORY  WRITE 15 fe:00:100 0 EOF",
      "9: OFDLCK ADVISORY  READ -1 fe:00:100 0 EOF",
      ""
    ].join("\n")
    assert.deepStrictEqual(strangersIn(locks, { pid: 10, database: 100n, index: 200n }), [12])
    assert.isUndefined(strangersIn(locks, { pid: 16, database: 100n, index: 200n }))
    assert.isUndefined(strangersIn(locks, { pid: 10, database: 100n, index: 201n }))
    assert.isUndefined(strangersIn("", { pid: 10, database: 100n, index: 200n }))
  })
})
