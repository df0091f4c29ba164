import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import type { Scope } from "effect"
import { Context, Deferred, Effect, Fiber, Layer, Logger, Option, TestClock } from "effect"
import { renameSync } from "node:fs"
import { BodyRoom } from "../../src/base/BodyRoom.js"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { Receipt } from "../../src/events/Receipt.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Gitea, giteaOf } from "../../src/gitea/GiteaClient.js"
import { Stirs } from "../../src/gitea/Stirs.js"
import { Health } from "../../src/health/Health.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { DeadNotices } from "../../src/people/DeadNotices.js"
import { PlaneSync } from "../../src/sending/PlaneSync.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { Integrity } from "../../src/storage/Integrity.js"
import type { Sql } from "../../src/storage/Sql.js"
import type { StorageReason } from "../../src/storage/StorageError.js"
import { Storage } from "../../src/StorageLayers.js"
import { Inbox } from "../../src/webhooks/Inbox.js"
import { Receiver } from "../../src/webhooks/Receiver.js"
import { SkippedHooks } from "../../src/webhooks/SkippedHooks.js"
import { pipelineOver, settingsFor } from "../sending/Pipeline.js"
import { immediateDisk } from "../support/ImmediateDisk.js"
import * as MovableClock from "../support/MovableClock.js"
import { folder } from "./Server.js"

interface Trouble {
  readonly name: string
  readonly reason: StorageReason
  /** Brings it about. */
  readonly begin: (
    sql: Sql,
    file: string
  ) => Effect.Effect<{ readonly end: Effect.Effect<void> }, unknown, Scope.Scope>
}

/** One statement begins it, another ends it, on the connection of the program. */
const pragma = (begin: string, end: string): Trouble["begin"] => (sql) =>
  Effect.as(sql`${sql.literal(begin)}`, { end: Effect.asVoid(Effect.orDie(sql`${sql.literal(end)}`)) })

const troubles: ReadonlyArray<Trouble> = [
  {
    name: "moved away from its path",
    reason: "Moved",
    begin: (_, file) =>
      Effect.sync(() => {
        renameSync(file, `${file}.away`)
        return { end: Effect.sync(() => renameSync(`${file}.away`, file)) }
      })
  },
  {
    // What is open stays open for writing, whatever is done to the file's modes; SQLite itself is told to refuse.
    name: "read-only",
    reason: "ReadOnly",
    begin: pragma("PRAGMA query_only = ON", "PRAGMA query_only = OFF")
  },
  {
    // `npm run faults` fills a real disk; here, where nothing may be mounted, SQLite is told that there is no more
    // room.
    name: "full",
    reason: "Full",
    begin: pragma("PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1073741823")
  },
  {
    name: "held by another connection's transaction for longer than is waited",
    reason: "Busy",
    begin: (sql, file) =>
      Effect.gen(function*() {
        // Each try holds the test up for as long as the driver waits itself, and there are hundreds of them.
        yield* sql`PRAGMA busy_timeout = 0`
        const other = Context.get(yield* Layer.build(SqliteClient.layer({ filename: file })), SqlClient.SqlClient)
        const began = yield* Deferred.make<void>()
        const over = yield* Deferred.make<void>()
        const holding = yield* other`UPDATE plane_sync_sender SET seen_at = seen_at`.pipe(
          Effect.zipRight(Deferred.succeed(began, undefined)),
          Effect.zipRight(Deferred.await(over)),
          other.withTransaction,
          Effect.fork
        )
        yield* Deferred.await(began)
        return { end: Effect.zipRight(Deferred.succeed(over, undefined), Effect.orDie(Fiber.join(holding))) }
      })
  },
  {
    // A reference that is checked at the COMMIT, and holds no more: the statements before it go well.
    name: "failing at COMMIT",
    reason: "Failed",
    begin: (sql) =>
      Effect.gen(function*() {
        yield* sql`PRAGMA foreign_keys = ON`
        yield* sql`CREATE TABLE parent (id INTEGER PRIMARY KEY)`
        yield* sql`CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)`
        yield* sql`CREATE TRIGGER orphan_event AFTER INSERT ON plane_sync_event BEGIN
          INSERT INTO child VALUES (1); END`
        yield* sql`CREATE TRIGGER orphan_sender AFTER UPDATE ON plane_sync_sender BEGIN
          INSERT INTO child VALUES (1); END`
        return {
          end: Effect.orDie(
            Effect.asVoid(Effect.zipRight(sql`DROP TRIGGER orphan_event`, sql`DROP TRIGGER orphan_sender`))
          )
        }
      })
  }
]

const failed = (workItem: string, reason: string) =>
  StageEvent.QualityGateFailed({ workItem, stage: "review", check: "lint", reason })

describe("storage that is", () => {
  for (const { begin, name, reason } of troubles) {
    it.scoped(
      `${name}: said, logged, counted, shown; it goes on by itself, and nothing is lost or doubled`,
      () =>
        Effect.gen(function*() {
          const plane = yield* PlaneSimulator
          const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
          const file = `${yield* folder}/events.sqlite`
          const lines: Array<string> = []
          const { clock } = MovableClock.make(yield* Effect.clock)
          const storage = Layer.provide(Storage.layerFile(file), immediateDisk)
          const context = yield* Layer.build(
            Health.layer.pipe(
              Layer.provide(Layer.succeed(Gitea, giteaOf(new Map()))),
              Layer.provide(Layer.provide(Receiver.layer, [
                Layer.provide(Inbox.layer, storage),
                SkippedHooks.layer,
                BodyRoom.layer,
                Stirs.layer
              ])),
              Layer.provide(DeadNotices.layer),
              Layer.provideMerge(pipelineOver(storage)),
              Layer.provide(Integrity.layer),
              Layer.provideMerge(storage),
              Layer.provide(settingsFor({})),
              Layer.provide(Logger.replace(
                Logger.defaultLogger,
                Logger.map(Logger.logfmtLogger, (line) => void lines.push(line))
              ))
            )
          ).pipe(Effect.withClock(clock))
          const { notStored, publish } = Context.get(context, StageEvents)
          const health = Effect.map(Context.get(context, Health).report, ({ reasons, status }) => ({ reasons, status }))
          const said = (words: string) => lines.filter((line) => line.includes(words)).length
          // A busy file is waited for, at most 5 s, by this group of writes and by the one before it.
          const receipt = (what: string) =>
            Effect.gen(function*() {
              const publishing = yield* Effect.fork(publish(failed(key, what)))
              yield* TestClock.adjust("12 seconds")
              return yield* Fiber.join(publishing)
            })

          yield* publish(failed(key, "before"))
          // Its comment is on its way: how that ended cannot be stored.
          yield* TestClock.adjust("1500 millis")
          const { end } = yield* begin(Context.get(context, Storage).sql, file)
          let refused: Receipt = yield* receipt("meanwhile")
          // What the file still has room for is stored.
          let accepted = 1
          for (; refused._tag === "Committed"; accepted++) refused = yield* receipt(`meanwhile, ${accepted}`)
          assert.strictEqual(Receipt.$is("NotStored")(refused) ? refused.error.reason : refused._tag, reason)
          assert.strictEqual(yield* notStored, 1)
          assert.strictEqual(said("Event not stored"), 1)
          assert.include(lines.find((line) => line.includes("Event not stored")), refused.id)
          assert.isTrue(Option.isSome(yield* Context.get(context, PlaneSync).storageFailure))
          const degraded = yield* health
          assert.strictEqual(degraded.status, "degraded")
          assert.match(degraded.reasons.join("\n"), /1 event could not be stored/)

          yield* end
          yield* TestClock.adjust("2 seconds")
          assert.strictEqual(said("Storage works again"), 1)
          assert.strictEqual((yield* receipt("after"))._tag, "Committed")
          yield* TestClock.adjust("6 minutes")
          assert.deepStrictEqual(yield* health, { status: "ok", reasons: [] })
          assert.deepInclude(yield* Context.get(context, Outbox).status, {
            pending: 0,
            dead: 0,
            delivered: accepted + 1
          })
          const comments = (yield* plane.comments(id)).map(({ html }) => html.replace(/.* — (.*)<\/p>/, "$1"))
          assert.strictEqual(comments.length, accepted + 1)
          assert.deepStrictEqual([comments[0], comments.at(-1)], ["before", "after"])
        }).pipe(Effect.provide(PlaneSimulator.layerMemory({ latency: "1 seconds" }))),
      90_000
    )
  }
})
