import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Either, Layer } from "effect"
import { existsSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import { becomeLeader, refuseOtherIndex } from "../../src/outbox/Leader.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { Storage } from "../../src/StorageLayers.js"
import { folder } from "../http/Server.js"
import { killed, openElsewhere } from "../support/OtherProcess.js"

const outbox = (file: string) => Layer.provideMerge(Outbox.layer, Storage.layerFile(file))

describe("the index that the leader has open", () => {
  it.scopedLive("while a leader with another index runs, no process can open the outbox", () =>
    Effect.gen(function*() {
      const file = join(yield* folder, "events.sqlite")
      const other = yield* openElsewhere(join(yield* folder, "unrelated.sqlite"))
      const leader = (row: { pid: number; host: string; seenAgo: number; index: string | null }) =>
        Effect.gen(function*() {
          const { sql, write } = yield* Storage
          const seenAt = (yield* Clock.currentTimeMillis) - row.seenAgo
          yield* write(sql`INSERT OR REPLACE INTO plane_sync_sender (id, holder, pid, host, since, seen_at, index_file)
            VALUES (1, 'x', ${row.pid}, ${row.host}, 0, ${seenAt}, ${row.index})`)
        }).pipe(Effect.provide(Storage.layerFile(file)))
      const opening = Effect.either(Effect.scoped(Layer.build(outbox(file))))
      const answer = Effect.map(opening, (either) => either._tag === "Left" ? either.left.reason : "opened")

      // Of another host nothing is known but when it was last seen.
      yield* leader({ pid: 1, host: "elsewhere", seenAgo: 0, index: null })
      assert.strictEqual(yield* answer, "opened")
      yield* leader({ pid: 1, host: "elsewhere", seenAgo: 100_000, index: "1:1" })
      assert.strictEqual(yield* answer, "opened")
      // Its former life within this process, or one whose process id is another program's by now.
      yield* leader({ pid: process.pid, host: hostname(), seenAgo: 0, index: "1:1" })
      assert.strictEqual(yield* answer, "opened")
      if (existsSync("/proc/locks")) {
        yield* leader({ pid: other.pid ?? 0, host: hostname(), seenAgo: 0, index: "1:1" })
        assert.strictEqual(yield* answer, "opened")
      }
      yield* leader({ pid: 1, host: "elsewhere", seenAgo: 0, index: "1:1" })
      const error = yield* Effect.flip(Effect.scoped(Layer.build(outbox(file))))
      assert.strictEqual(error.reason, "Moved")
      assert.include(error.message, "process 1 on elsewhere still has an index (-shm) open that was removed")
    }))

  it.scopedLive("if no locks can be seen, the leader's process is checked, however long ago it was seen", () =>
    Effect.gen(function*() {
      const storage = yield* Storage
      const { sql, write } = storage
      const other = yield* openElsewhere(join(yield* folder, "unrelated.sqlite"))
      const row = write(sql`INSERT OR REPLACE INTO plane_sync_sender (id, holder, pid, host, since, seen_at, index_file)
        VALUES (1, 'x', ${other.pid ?? 0}, ${hostname()}, 0, 0, '1:1')`)
      const asked = (identity: string, strangers: ReadonlyArray<number> | undefined) => {
        const mine = { ...storage, index: { identity, strangers: () => strangers } }
        return Effect.all({
          row,
          opening: Effect.either(refuseOtherIndex(mine)),
          sending: Effect.either(Effect.scoped(Effect.asVoid(becomeLeader(mine, { holder: "me" }))))
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
      yield* killed(other)
      assertAccepted(yield* asked("2:2", undefined))
    }).pipe(Effect.provide(Storage.layerFile(":memory:"))))

  it.scopedLive("a new leader stores which index it has open", () =>
    Effect.gen(function*() {
      const file = join(yield* folder, "events.sqlite")
      const again = Effect.scoped(
        Effect.gen(function*() {
          const { becomeLeader, leader } = yield* Outbox
          yield* becomeLeader({ holder: "me" })
          assert.strictEqual((yield* leader)?.index, (yield* Storage).index?.identity)
          assert.match((yield* leader)?.index ?? "", /^\d+:\d+$/)
        }).pipe(Effect.provide(outbox(file)))
      )
      yield* again
      yield* again
    }))
})
