import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, TestClock } from "effect"
import { hostname } from "node:os"
import { Outbox } from "../../src/outbox/Outbox.js"
import { isActive } from "../../src/outbox/Sender.js"
import { Storage } from "../../src/outbox/Storage.js"

const layer = Layer.provideMerge(Outbox.layer, Storage.layerFile(":memory:"))

const registered = Effect.gen(function*() {
  const { becomeSender, sender } = yield* Outbox
  yield* becomeSender("me")
  const row = yield* sender
  return row ?? (yield* Effect.dieMessage("nobody sends"))
})

/** One that no process has. */
const nobody = 2 ** 22 + 1

describe("who sends", () => {
  it.scoped("is known by its pid where that counts: one that is not running is gone at once", () =>
    Effect.gen(function*() {
      const me = yield* registered
      assert.deepInclude(me, { active: true, host: hostname(), pid: process.pid })
      assert.isFalse(isActive({ ...me, holder: "a former life" }, 0))
      assert.isFalse(isActive({ ...me, pid: nobody }, 0))
      assert.isTrue(isActive({ ...me, pid: process.ppid }, 0))
    }).pipe(Effect.provide(layer)))

  it.scoped("is known by having been seen lately in another pid namespace, and on another host", () =>
    Effect.gen(function*() {
      const me = yield* registered
      for (const elsewhere of [{ pidNamespace: "pid:[1]" }, { host: "elsewhere" }]) {
        for (const pid of [process.pid, nobody]) {
          const other = { ...me, ...elsewhere, holder: "other", pid }
          assert.isTrue(isActive(other, 89_999))
          assert.isFalse(isActive(other, 90_000))
        }
      }
    }).pipe(Effect.provide(layer)))

  it.scoped("one in a container of the same name and with the same pid keeps its file", () =>
    Effect.gen(function*() {
      const { sql, write } = yield* Storage
      yield* registered
      yield* write(sql`UPDATE plane_sync_sender SET holder = 'other', pid_namespace = 'pid:[1]'`)
      const { becomeSender } = yield* Outbox
      const error = yield* Effect.flip(becomeSender("me too"))
      assert.strictEqual(error._tag, "SenderActive")
      assert.include(error.message, `process ${process.pid} on ${hostname()} has been sending`)
      yield* TestClock.adjust("90 seconds")
      yield* becomeSender("me too")
    }).pipe(Effect.provide(layer)))
})
