import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, TestClock } from "effect"
import { hostname } from "node:os"
import { epochMillis } from "../../src/base/Time.js"
import { Leadership } from "../../src/outbox/Leadership.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { Storage } from "../../src/storage/Storage.js"
import { Storage as StorageLayers } from "../../src/StorageLayers.js"
import { oneDestination } from "../support/OneDestination.js"

/** The row of a leader elsewhere, as of now. */
const seen = (host: string, pid: number) =>
  Effect.gen(function*() {
    const { sql, write } = yield* Storage
    const now = yield* epochMillis
    yield* write(sql`INSERT OR REPLACE INTO plane_sync_sender (id, holder, pid, host, since, seen_at)
      VALUES (1, 'the other', ${pid}, ${host}, ${now}, ${now})`)
  })

const gone = Effect.flatMap(Storage, ({ sql, write }) => write(sql`DELETE FROM plane_sync_sender`))

/** Runs a test over a database in which `before` was done before this process wanted to lead. */
const leading = <A, E, B, F>(
  before: Effect.Effect<B, F, Storage>,
  test: (
    leadership: Leadership["Type"],
    /** The holders under which the work was begun, and which of them are still working. */
    work: { readonly begun: Array<string>; readonly running: Set<string>; readonly said: Array<string> }
  ) => Effect.Effect<A, E, Storage>
) => {
  const work = { begun: new Array<string>(), running: new Set<string>(), said: new Array<string>() }
  return Effect.gen(function*() {
    const leadership = yield* Leadership
    yield* leadership.whileLeading(({ holder }) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          work.begun.push(holder)
          work.running.add(holder)
        }),
        () => Effect.sync(() => work.running.delete(holder))
      )
    )
    yield* TestClock.adjust(0)
    return yield* test(leadership, work)
  }).pipe(
    Effect.scoped,
    Effect.provide(
      Layer.provide(Leadership.layer, Layer.merge(Outbox.layer, oneDestination)).pipe(
        Layer.provide(Layer.effectDiscard(before)),
        Layer.provideMerge(StorageLayers.layerFile(":memory:")),
        Layer.provide(Logger.replace(
          Logger.defaultLogger,
          Logger.map(Logger.logfmtLogger, (line) => void work.said.push(line))
        ))
      )
    )
  )
}

describe("the leadership of a file", () => {
  it.effect("is had at once where nobody has it", () =>
    leading(gone, ({ standby }, { running, said }) =>
      Effect.gen(function*() {
        assert.strictEqual(running.size, 1)
        assert.strictEqual(yield* standby, undefined)
        assert.deepStrictEqual(said, [])
      })))

  // A container that was killed comes back under another host name, and its pid means nothing here.
  for (const pid of [1, process.ppid]) {
    it.effect(`row 75: is waited for while process ${pid === 1 ? "1" : "of a living pid"} elsewhere has its lease`, () =>
      leading(seen("an-old-container", pid), ({ standby }, { running, said }) =>
        Effect.gen(function*() {
          assert.strictEqual(
            yield* standby,
            `process ${pid} on an-old-container sends from this file: ` +
              "this one takes in, and will send when its lease is over"
          )
          yield* TestClock.adjust("89 seconds")
          assert.strictEqual(running.size, 0)
          assert.strictEqual(said.length, 1)
          assert.match(said.join(), /process \d+ on an-old-container sends from this file, or did a moment ago/)
          yield* TestClock.adjust("2 seconds")
          assert.strictEqual(running.size, 1)
          assert.strictEqual(yield* standby, undefined)
        })))
  }

  it.effect("row 75: is not taken from a process elsewhere that lives, which is said once, until it ends", () =>
    leading(seen("elsewhere", 7), ({ standby }, { running, said }) =>
      Effect.gen(function*() {
        for (let i = 0; i < 10; i++) {
          yield* TestClock.adjust("30 seconds")
          yield* seen("elsewhere", 7)
        }
        assert.strictEqual(running.size, 0)
        assert.isDefined(yield* standby)
        assert.strictEqual(said.filter((line) => /process 7 on elsewhere is alive and goes on/.test(line)).length, 1)
        assert.strictEqual(said.length, 2)
        yield* gone
        yield* TestClock.adjust("1 seconds")
        assert.strictEqual(running.size, 1)
      })))

  it.effect("row 75: ends with all its work when another process takes over, and begins anew after that one", () =>
    leading(gone, ({ standby }, { begun, running, said }) =>
      Effect.gen(function*() {
        // As if this one had been suspended.
        yield* seen(hostname(), process.ppid)
        yield* TestClock.adjust("30 seconds")
        assert.strictEqual(running.size, 0)
        assert.match((yield* standby) ?? "", /^process \d+ on .* sends from this file/)
        assert.isTrue(said.some((line) => line.includes("Another process has taken over")))
        yield* TestClock.adjust("91 seconds")
        assert.strictEqual(running.size, 1)
        assert.strictEqual(new Set(begun).size, 2)
      })))

  it.effect("has its work begun in the next term, when a bug has ended it in this one", () =>
    leading(gone, ({ whileLeading }, { said }) =>
      Effect.scoped(Effect.gen(function*() {
        let begun = 0
        yield* whileLeading(() => Effect.suspend(() => (begun += 1) === 1 ? Effect.die("a bug") : Effect.void))
        yield* TestClock.adjust(0)
        assert.strictEqual(said.filter((line) => line.includes("a bug in plane-sync")).length, 1)
        yield* seen(hostname(), process.ppid)
        yield* TestClock.adjust("121 seconds")
        assert.strictEqual(begun, 2)
      }))))

  it.effect("is not taken back from a process of this host that may be in another container", () =>
    leading(gone, (_, { running }) =>
      Effect.gen(function*() {
        // A pid that nobody has here.
        yield* seen(hostname(), 4_194_305)
        yield* TestClock.adjust("60 seconds")
        assert.strictEqual(running.size, 0)
      })))

  it.effect("is refused at the start where a process of this host has it", () =>
    Effect.gen(function*() {
      const refused = yield* Effect.flip(leading(seen(hostname(), process.ppid), () => Effect.void))
      assert.strictEqual(refused._tag, "LeaderActive")
    }))
})
