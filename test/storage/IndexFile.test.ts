import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Either, Layer } from "effect"
import type { ChildProcess } from "node:child_process"
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import { becomeLeader, refuseOtherIndex } from "../../src/outbox/Leadership.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { strangersIn } from "../../src/storage/sqlite/IndexFile.js"
import { Storage } from "../../src/Storage.js"
import { folder } from "../http/Served.js"

const insert = (id: number) => Effect.flatMap(Storage, ({ sql, write }) => write(sql`INSERT INTO note VALUES (${id})`))

const outbox = (file: string) => Layer.provideMerge(Outbox.layer, Storage.layerFile(file))

const ending = (child: ChildProcess) =>
  Effect.promise(async () => {
    child.kill("SIGKILL")
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit")
  })

/** Another process that has the file open, until the scope closes; with the index that is there by then. */
const another = (file: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const script = `
        const db = new (require("better-sqlite3"))(${JSON.stringify(file)})
        db.pragma("schema_version")
        console.log("open")
        process.stdin.on("close", () => process.exit()).resume()`
      const child = spawn(process.execPath, ["-e", script], { stdio: ["pipe", "pipe", "inherit"] })
      await once(child.stdout, "data")
      return child
    }),
    ending
  )

describe("the index of the log", () => {
  it.scopedLive("once it is removed or replaced, nothing more is taken, until it is back", () =>
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
    }))

  it.scopedLive.skipIf(!existsSync("/proc/locks"))(
    "a process that has an older one open is seen by its locks, whoever it is: nobody opens the file beside it",
    () =>
      Effect.gen(function*() {
        const file = join(yield* folder, "events.sqlite")
        yield* Effect.scoped(Layer.build(Storage.layerFile(file)))
        yield* Effect.scoped(Effect.gen(function*() {
          const other = yield* another(file)
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

  it.scopedLive("a sender with another index: nobody opens the file while it runs, here or elsewhere", () =>
    Effect.gen(function*() {
      const file = join(yield* folder, "events.sqlite")
      const other = yield* another(join(yield* folder, "unrelated.sqlite"))
      const sender = (row: { pid: number; host: string; seenAgo: number; index: string | null }) =>
        Effect.gen(function*() {
          const { sql, write } = yield* Storage
          const seenAt = (yield* Clock.currentTimeMillis) - row.seenAgo
          yield* write(sql`INSERT OR REPLACE INTO plane_sync_sender (id, holder, pid, host, since, seen_at, index_file)
            VALUES (1, 'x', ${row.pid}, ${row.host}, 0, ${seenAt}, ${row.index})`)
        }).pipe(Effect.provide(Storage.layerFile(file)))
      const opening = Effect.either(Effect.scoped(Layer.build(outbox(file))))
      const answer = Effect.map(opening, (either) => either._tag === "Left" ? either.left.reason : "opened")

      // Of another host nothing is known but when it was last seen.
      yield* sender({ pid: 1, host: "elsewhere", seenAgo: 0, index: null })
      assert.strictEqual(yield* answer, "opened")
      yield* sender({ pid: 1, host: "elsewhere", seenAgo: 100_000, index: "1:1" })
      assert.strictEqual(yield* answer, "opened")
      // Its former life within this process, or one whose process id is another program's by now.
      yield* sender({ pid: process.pid, host: hostname(), seenAgo: 0, index: "1:1" })
      assert.strictEqual(yield* answer, "opened")
      if (existsSync("/proc/locks")) {
        yield* sender({ pid: other.pid ?? 0, host: hostname(), seenAgo: 0, index: "1:1" })
        assert.strictEqual(yield* answer, "opened")
      }
      yield* sender({ pid: 1, host: "elsewhere", seenAgo: 0, index: "1:1" })
      const error = yield* Effect.flip(Effect.scoped(Layer.build(outbox(file))))
      assert.strictEqual(error.reason, "Moved")
      assert.include(error.message, "process 1 on elsewhere still has an index (-shm) open that was removed")
    }))

  it.scopedLive("where no locks are to be seen, a sender's process is asked for, however long it was not seen", () =>
    Effect.gen(function*() {
      const storage = yield* Storage
      const { sql, write } = storage
      const other = yield* another(join(yield* folder, "unrelated.sqlite"))
      const row = write(sql`INSERT OR REPLACE INTO plane_sync_sender (id, holder, pid, host, since, seen_at, index_file)
        VALUES (1, 'x', ${other.pid ?? 0}, ${hostname()}, 0, 0, '1:1')`)
      const asked = (identity: string, strangers: ReadonlyArray<number> | undefined) => {
        const mine = { ...storage, index: { identity, strangers: () => strangers } }
        return Effect.all({
          row,
          opening: Effect.either(refuseOtherIndex(mine)),
          sending: Effect.either(Effect.scoped(Effect.asVoid(becomeLeader(mine, "me"))))
        })
      }
      const refused = yield* asked("2:2", undefined)
      for (const answer of [refused.opening, refused.sending]) {
        assert.match(
          String(Either.isLeft(answer) && answer.left),
          new RegExp(`process ${other.pid} on \\S+ still has an index \\(-shm\\) open that was removed`)
        )
      }
      const assertAccepted = ({ opening, sending }: Effect.Effect.Success<ReturnType<typeof asked>>) =>
        assert.deepStrictEqual([opening._tag, sending._tag], ["Right", "Right"])
      // It is another program that has the number by now; it has the same index; it is gone.
      assertAccepted(yield* asked("2:2", []))
      assertAccepted(yield* asked("1:1", undefined))
      yield* ending(other)
      assertAccepted(yield* asked("2:2", undefined))
    }).pipe(Effect.provide(Storage.layerFile(":memory:"))))

  it.scopedLive("the one who becomes the sender leaves word of its own", () =>
    Effect.gen(function*() {
      const file = join(yield* folder, "events.sqlite")
      const again = Effect.scoped(
        Effect.gen(function*() {
          const { becomeLeader, leader } = yield* Outbox
          yield* becomeLeader("me")
          assert.strictEqual((yield* leader)?.index, (yield* Storage).index?.identity)
          assert.match((yield* leader)?.index ?? "", /^\d+:\d+$/)
        }).pipe(Effect.provide(outbox(file)))
      )
      yield* again
      yield* again
      assert.isUndefined(
        yield* Effect.provide(Effect.map(Storage, ({ index }) => index), Storage.layerFile(":memory:"))
      )
    }))

  it("who holds the database and not the index is a stranger, where our own locks are to be seen", () => {
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
