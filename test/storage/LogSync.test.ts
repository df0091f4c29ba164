import { assert, describe, it } from "@effect/vitest"
import { Cause, ConfigProvider, Context, Effect, Exit, Fiber, Layer, Option, Scope } from "effect"
import { existsSync, fdatasync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { Receipt } from "../../src/events/Receipt.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Leadership } from "../../src/outbox/Leadership.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { Disk, makeLogSync } from "../../src/storage/sqlite/LogSync.js"
import type { StorageError } from "../../src/storage/StorageError.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Storage } from "../../src/StorageLayers.js"
import { folder } from "../http/Server.js"
import { oneDestination } from "../support/OneDestination.js"

type Done = (error: Error | null) => void

/** A disk that confirms what it is told to, when it is told to. */
const disk = () => {
  const waiting: Array<() => void> = []
  const how: { hold: boolean; error: Error | null } = { hold: false, error: null }
  let syncs = 0
  const sync = (descriptor: number, done: Done) => {
    syncs += 1
    const { error } = how
    const run = () => error === null ? fdatasync(descriptor, done) : done(error)
    if (how.hold) waiting.push(run)
    else run()
  }
  return {
    how,
    syncs: () => syncs,
    confirm: () => {
      how.hold = false
      for (const run of waiting.splice(0)) run()
    },
    layer: Layer.succeed(Disk, { sync })
  }
}

const file = Effect.map(folder, (path) => join(path, "events.sqlite"))

const opened = (path: string, layer: Layer.Layer<Disk>) => Effect.provide(Layer.provide(Storage.layerFile(path), layer))

const make = Effect.flatMap(Storage, ({ sql, write }) => write(sql`CREATE TABLE note (n INTEGER PRIMARY KEY)`))
const add = (n: number) => Effect.flatMap(Storage, ({ sql, write }) => write(sql`INSERT INTO note VALUES (${n})`))
const notes = Effect.flatMap(
  Storage,
  ({ read, sql }) =>
    Effect.map(read(sql<{ n: number }>`SELECT n FROM note ORDER BY n`), (rows) => rows.map(({ n }) => n))
)

const failureOf = (exit: Exit.Exit<unknown, StorageError>) =>
  Option.map(
    Exit.isSuccess(exit) ? Option.none<StorageError>() : Cause.failureOption(exit.cause),
    ({ reason, unknown }) => ({ reason, unknown })
  )

describe("a refusal for good", () => {
  it.scopedLive("stays one, whatever the disk confirms after it", () =>
    Effect.gen(function*() {
      const path = yield* file
      writeFileSync(path, "")
      const { confirm, how, layer } = disk()
      how.hold = true
      const { onDisk, refuse, refuseUnsynced } = yield* Effect.provide(
        makeLogSync("the file", path, () => undefined),
        layer
      )
      const waiting = yield* Effect.fork(onDisk)
      yield* Effect.yieldNow()
      yield* refuse("the file itself was not synced")
      confirm()
      yield* Effect.sleep("20 millis")
      const refusals = yield* Effect.all([Fiber.join(waiting), refuseUnsynced, onDisk].map(Effect.flip))
      assert.deepStrictEqual(refusals.map(({ reason }) => reason), ["NotSynced", "NotSynced", "NotSynced"])
    }))
})

describe("a commit", () => {
  it.scopedLive("is answered once it is on the disk, and read by others only then", () =>
    Effect.gen(function*() {
      const { confirm, how, layer } = disk()
      yield* Effect.gen(function*() {
        yield* make
        how.hold = true
        const adding = yield* Effect.fork(add(1))
        yield* Effect.sleep("50 millis")
        const reading = yield* Effect.fork(notes)
        yield* Effect.sleep("50 millis")
        assert.isTrue(Option.isNone(yield* Fiber.poll(adding)))
        assert.isTrue(Option.isNone(yield* Fiber.poll(reading)))
        confirm()
        yield* Fiber.join(adding)
        assert.deepStrictEqual(yield* Fiber.join(reading), [1])
      }).pipe(opened(yield* file, layer))
    }))

  it.scopedLive("shares its wait with others, and one that changes nothing does not wait", () =>
    Effect.gen(function*() {
      const { layer, syncs } = disk()
      yield* Effect.gen(function*() {
        yield* make
        const before = syncs()
        yield* Effect.forEach(Array.from({ length: 200 }, (_, n) => n), add, { concurrency: "unbounded" })
        assert.isAtMost(syncs() - before, 3)
        const after = syncs()
        yield* Effect.flatMap(Storage, ({ sql, write }) => write(sql`DELETE FROM note WHERE n = 1000`))
        assert.lengthOf(yield* notes, 200)
        assert.strictEqual(syncs(), after)
      }).pipe(opened(yield* file, layer))
    }))

  it.scopedLive("that the disk refuses may be there or not; nothing comes after it until the file is opened anew", () =>
    Effect.gen(function*() {
      const { how, layer } = disk()
      const path = yield* file
      yield* Effect.gen(function*() {
        yield* make
        how.error = new Error("EIO: i/o error, fdatasync")
        let runs = 0
        const counted = (n: number) => Effect.zipRight(Effect.sync(() => runs += 1), add(n))
        const exits = yield* Effect.forEach([1, 2, 3], (n) => Effect.exit(counted(n)), { concurrency: "unbounded" })
        for (const exit of exits) {
          assert.deepStrictEqual(failureOf(exit), Option.some({ reason: "NotSynced" as const, unknown: true }))
        }
        // A disk that has dropped what it could not write would confirm all that comes later.
        how.error = null
        for (const effect of [Effect.asVoid(add(4)), Effect.asVoid(notes)]) {
          assert.deepStrictEqual(
            failureOf(yield* Effect.exit(effect)),
            Option.some({ reason: "NotSynced" as const, unknown: false })
          )
        }
        assert.strictEqual(runs, 3)
      }).pipe(opened(path, layer))
      assert.deepStrictEqual(yield* Effect.provide(notes, Storage.layerFile(path)), [1, 2, 3])
    }))

  it.scopedLive("of an event that may be there: the receipt says so, and the same id is a duplicate after it", () =>
    Effect.gen(function*() {
      const { how, layer } = disk()
      const path = yield* file
      const event = StageEvent.TaskCompleted({ workItem: "ET-1", id: "event-1" })
      const publishing = Effect.flatMap(StageEvents, ({ publish }) => publish(event))
      const events = StageEvents.layer.pipe(
        Layer.provide(Layer.mergeAll(Outbox.layer, WakeUps.layer, projectsLayer)),
        Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map())))
      )
      const unsure = yield* Effect.zipRight(
        Effect.sync(() => {
          how.error = new Error("EIO: i/o error, fdatasync")
        }),
        publishing
      ).pipe(Effect.provide(events), opened(path, layer))
      assert.isTrue(Receipt.$is("NotStored")(unsure) && unsure.unknown)
      const again = yield* publishing.pipe(Effect.provide(Layer.provide(events, Storage.layerFile(path))))
      assert.deepStrictEqual(again, Receipt.Committed({ id: "event-1", duplicate: true }))
    }))

  it.scopedLive(
    "that the disk does not confirm fails after 5 seconds; once it answers, all goes on, and the leader begins anew",
    () =>
      Effect.gen(function*() {
        const { confirm, how, layer } = disk()
        yield* Effect.gen(function*() {
          yield* make
          let terms = 0
          yield* (yield* Leadership).whileLeading(() => Effect.sync(() => terms += 1))
          yield* Effect.sleep("50 millis")
          assert.strictEqual(terms, 1)
          how.hold = true
          const began = performance.now()
          const exit = yield* Effect.exit(add(1))
          assert.deepStrictEqual(failureOf(exit), Option.some({ reason: "Silent" as const, unknown: true }))
          const took = performance.now() - began
          assert.isAbove(took, 4_900)
          assert.isBelow(took, 7_000)
          for (const effect of [Effect.asVoid(add(2)), Effect.asVoid(notes)]) {
            const now = performance.now()
            const refused = yield* Effect.exit(effect)
            assert.deepStrictEqual(failureOf(refused), Option.some({ reason: "Silent" as const, unknown: false }))
            assert.isBelow(performance.now() - now, 500)
          }
          confirm()
          yield* Effect.sleep("100 millis")
          yield* add(3)
          assert.deepStrictEqual(yield* notes, [1, 3])
          yield* Effect.sleep("1500 millis")
          assert.strictEqual(terms, 2)
        }).pipe(
          Effect.provide(Layer.provideMerge(Layer.provide(Leadership.layer, oneDestination), Outbox.layer)),
          opened(yield* file, layer)
        )
      }),
    90_000
  )

  it.scopedLive(
    "is answered also where the program ends while many wait, and the end comes",
    () =>
      Effect.gen(function*() {
        const path = yield* file
        const scope = yield* Scope.make()
        const storage = Context.get(yield* Layer.buildWithScope(Storage.layerFile(path), scope), Storage)
        yield* storage.write(storage.sql`CREATE TABLE text (body TEXT)`)
        const body = "x".repeat(4_000)
        const writing = yield* Effect.fork(
          Effect.forEach(
            Array.from({ length: 4_000 }),
            () => storage.write(storage.sql`INSERT INTO text VALUES (${body})`),
            { concurrency: "unbounded", discard: true }
          )
        )
        yield* Effect.sleep("30 millis")
        yield* Effect.timeout(Scope.close(scope, Exit.void), "10 seconds")
        yield* Effect.timeout(Fiber.join(writing), "1 second")
        const count = Effect.flatMap(
          Storage,
          ({ read, sql }) => read(sql<{ n: number }>`SELECT count(*) AS n FROM text`)
        )
        assert.deepStrictEqual(yield* Effect.provide(count, Storage.layerFile(path)), [{ n: 4_000 }])
      }),
    90_000
  )

  it.scopedLive("does not lengthen the log without end, whatever is written meanwhile", () =>
    Effect.gen(function*() {
      const path = yield* file
      yield* Effect.gen(function*() {
        const { sql, write } = yield* Storage
        yield* write(sql`CREATE TABLE text (body TEXT)`)
        const body = "x".repeat(4_000)
        yield* Effect.forEach(
          Array.from({ length: 6_000 }),
          () => write(sql`INSERT INTO text VALUES (${body})`),
          { concurrency: 64, discard: true }
        )
        const { size } = yield* Effect.sync(() => statSync(`${path}-wal`))
        // SQLite's own checkpoints leave 4 MiB here.
        assert.isBelow(size, 8 * 2 ** 20)
      }).pipe(Effect.provide(Storage.layerFile(path)))
      assert.isFalse(existsSync(`${path}-wal`))
    }), 90_000)
})
