import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import {
  Chunk,
  DateTime,
  Deferred,
  Effect,
  Exit,
  Fiber,
  HashMap,
  Layer,
  Logger,
  Option,
  Scope,
  Stream,
  TestClock
} from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { Noted, StageEvent } from "../../src/domain/StageEvent.js"
import { Receipt } from "../../src/events/Receipt.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { linksOf } from "../../src/outbox/WantedLinks.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Storage } from "../../src/StorageLayers.js"

const events = Layer.provideMerge(StageEvents.layer, Layer.mergeAll(Outbox.layer, projectsLayer, WakeUps.layer))
const inMemory = Layer.provide(events, Storage.layerFile(":memory:"))

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "plane-sync-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const changed = (id?: string) =>
  StageEvent.StageChanged({ workItem: "ET-002", from: "analysis", to: "architecture", id })

// Pieces of what a host written in JavaScript can hand over.
const nested = (levels: number) => {
  let value: unknown = []
  for (let level = 0; level < levels; level++) value = [value]
  return value
}
const thrown = (): never => {
  throw new TypeError("the host's own")
}

const stored = Effect.flatMap(Outbox, (outbox) => outbox.events({ limit: 100 }))

const link = (url: string) => ({ kind: "log", title: "Log", url })

describe("StageEvents", () => {
  it.effect("an event is told without a link that is not fit, which is said; publishOrFail refuses it", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ message }) => void lines.push(String(message)))
    return Effect.gen(function*() {
      const { publish, publishOrFail } = yield* StageEvents
      const event = StageEvent.TaskCompleted({
        workItem: "ET-2",
        id: "one",
        links: [link("https://ci.example.com/7"), link("https://lea:s3cret@ci.example.com/8")]
      })
      assert.deepStrictEqual(yield* publish(event), Receipt.Committed({ id: "one", duplicate: false }))
      yield* TestClock.adjust("1 seconds")
      const [row] = yield* stored
      assert.deepInclude(JSON.parse(row?.body ?? ""), { links: [link("https://ci.example.com/7")] })
      const warnings = lines.filter((line) => line.includes("links"))
      assert.lengthOf(warnings, 1)
      assert.match(warnings[0] ?? "", /links\.1\.url: .*password/)
      assert.notInclude(lines.join(), "s3cret")
      assert.match((yield* Effect.flip(publishOrFail(event))).message, /links\.1\.url: .*password/)
      assert.lengthOf(yield* stored, 1)
    }).pipe(Effect.provide(Layer.provideMerge(inMemory, Logger.replace(Logger.defaultLogger, logger))))
  })

  it.effect("whatever a host gives in the place of links costs nothing but the links", () =>
    Effect.gen(function*() {
      const { publish } = yield* StageEvents
      const odd: ReadonlyArray<unknown> = [
        7,
        {},
        "https://ci.example.com/",
        [undefined, nested(5_000), link("javascript:alert(1)")],
        Array.from({ length: 1_000 }, (_, n) => link(`https://ci.example.com/${n}`))
      ]
      for (const links of odd) {
        const event = StageEvent.TaskCompleted({ workItem: "ET-2" })
        Object.assign(event, { links })
        assert.strictEqual((yield* publish(event))._tag, "Committed")
      }
      const { read, sql } = yield* Storage
      const rows = yield* read(sql<{ links: string | null }>`SELECT links FROM plane_sync_event ORDER BY sequence`)
      assert.deepStrictEqual(rows.map(({ links }) => linksOf(links).length), [0, 0, 0, 0, 10])
    }).pipe(Effect.provide(Layer.provideMerge(events, Storage.layerFile(":memory:")))))

  it.effect("what only plane-sync itself says is refused from a host, with the types that are right", () =>
    Effect.gen(function*() {
      const { publishOrFail, transact } = yield* StageEvents
      const plain: StageEvent = StageEvent.TaskCompleted({ workItem: "ET-2" })
      Object.assign(plain, { _tag: "Noted", text: "approved by lea" })
      const { message } = yield* Effect.flip(publishOrFail(plain))
      for (const type of ["StageChanged", "QualityGateFailed", "TaskCompleted", "QuestionAsked"]) {
        assert.include(message, type)
      }
      assert.lengthOf(yield* stored, 0)
      const { sql } = yield* Storage
      const write = sql`UPDATE plane_sync_count SET events = events`
      yield* transact(Effect.as(write, { value: 0, events: [plain] }))
      yield* transact(Effect.as(write, { value: 0, events: [new Noted({ workItem: "ET-2", text: "Heard <b>" })] }))
      const rows = yield* stored
      assert.deepStrictEqual(rows.map(({ comment }) => comment), ["pending", "dead"])
      assert.deepStrictEqual(JSON.parse(rows[0]?.body ?? ""), { type: "noted", workItem: "ET-2", text: "Heard <b>" })
    }).pipe(Effect.provide(Layer.provideMerge(events, Storage.layerFile(":memory:")))))

  it.effect("publish fills id and moment, and commits once per id", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2026, 10, 24, 8, 30))
      const { publish } = yield* StageEvents
      const made = yield* publish(changed())
      assert.match(made.id, /^01[0-9a-f]{6}-[0-9a-f]{4}-7/)
      assert.deepStrictEqual(yield* publish(changed("mine")), Receipt.Committed({ id: "mine", duplicate: false }))
      assert.deepStrictEqual(yield* publish(changed("mine")), Receipt.Committed({ id: "mine", duplicate: true }))
      const rows = yield* stored
      assert.deepStrictEqual(rows.map((row) => [row.id, row.occurredAt]), [
        ["mine", Date.UTC(2026, 10, 24, 8, 30)],
        [made.id, Date.UTC(2026, 10, 24, 8, 30)]
      ])
    }).pipe(Effect.provide(inMemory)))

  it.effect("the same id with other content: the first stands, and publishOrFail says so", () =>
    Effect.gen(function*() {
      const { publish, publishOrFail } = yield* StageEvents
      yield* publish(changed("mine"))
      const reordered = {
        to: "architecture",
        id: "mine",
        from: "analysis",
        workItem: "ET-002",
        _tag: "StageChanged"
      } as const
      assert.deepStrictEqual(yield* publishOrFail(reordered), { id: "mine", duplicate: true })
      const other = StageEvent.TaskCompleted({ workItem: "ET-002", id: "mine" })
      const error = yield* Effect.flip(publishOrFail(other))
      assert.strictEqual(error._tag, "IdTaken")
      assert.deepStrictEqual(yield* publish(other), Receipt.Committed({ id: "mine", duplicate: true }))
      const rows = yield* stored
      assert.deepStrictEqual(rows.map((row) => row.body), [
        `{"type":"stage_changed","workItem":"ET-002","from":"analysis","to":"architecture"}`
      ])
    }).pipe(Effect.provide(inMemory)))

  it.effect("ten fibers with the same id at once: one is committed", () =>
    Effect.gen(function*() {
      const { publish } = yield* StageEvents
      const receipts = yield* Effect.all(Array.from({ length: 10 }, () => publish(changed("mine"))), {
        concurrency: "unbounded"
      })
      assert.strictEqual(
        receipts.filter((receipt) => Receipt.$is("Committed")(receipt) && !receipt.duplicate).length,
        1
      )
      assert.strictEqual((yield* stored).length, 1)
    }).pipe(Effect.provide(inMemory)))

  it.effect("an event that can never be told becomes a dead letter; its publisher is told, and nothing throws", () =>
    Effect.gen(function*() {
      const { publish } = yield* StageEvents
      const unfit: ReadonlyArray<unknown> = [
        StageEvent.StageChanged({ workItem: "nonsense", from: "a", to: "b" }),
        StageEvent.TaskCompleted({ workItem: "ET-2", id: "not an id" }),
        { _tag: "QualityGateFailed", workItem: "ET-2", stage: undefined, check: 5, reason: null },
        { _tag: "Other", workItem: { no: "text" } },
        { _tag: "StageChanged", workItem: () => 1, from: "a", to: "b" },
        () => 1,
        Symbol("event"),
        { toJSON: () => undefined },
        null,
        { _tag: "StageChanged", workItem: "ET-2", from: nested(200_000), to: "b" },
        { _tag: "TaskCompleted", workItem: nested(200_000) },
        {
          ...changed(),
          get id() {
            return thrown()
          }
        },
        {
          ...changed(),
          get workItem() {
            return thrown()
          }
        },
        new Proxy(changed(), { get: thrown, ownKeys: thrown, has: thrown, getOwnPropertyDescriptor: thrown })
      ]
      const receipts: Array<Receipt> = []
      for (const event of unfit) {
        // A host written in JavaScript can hand over anything.
        receipts.push(yield* publish(event as StageEvent))
      }
      const rows = (yield* stored).toReversed()
      assert.deepStrictEqual(
        receipts,
        rows.map(({ id, reason }) => Receipt.Unfit({ id, why: reason ?? "no reason" }))
      )
      assert.deepStrictEqual(rows.map((row) => row.status), unfit.map(() => "dead"))
      assert.match(rows[0]?.reason ?? "", /workItem: "nonsense" is not a work item key/)
      assert.match(rows[1]?.reason ?? "", /id: "not an id" is not an event id/)
      assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: unfit.length })
      for (const row of rows.slice(9)) assert.match(row.reason ?? "", /cannot be read: /)
      assert.strictEqual(rows[9]?.workItem, "ET-2")

      const { publishOrFail, transact } = yield* StageEvents
      for (const event of unfit) {
        const error = yield* Effect.flip(publishOrFail(event as StageEvent))
        assert.strictEqual(error._tag, "Unfit")
      }
      assert.lengthOf(yield* stored, unfit.length)
      for (const event of unfit.slice(9)) {
        yield* transact(Effect.succeed({ value: 1, events: [event as StageEvent] }))
      }
      assert.lengthOf(yield* stored, unfit.length + unfit.slice(9).length)
    }).pipe(Effect.provide(inMemory)))

  it.effect("what is not fit is named to the publisher and in the log, and an id that is fit is kept", () => {
    const lines: Array<string> = []
    const kept = Logger.make(({ logLevel, message }) => void lines.push(`${logLevel.label} ${String(message)}`))
    return Effect.gen(function*() {
      const { publish, publishOrFail } = yield* StageEvents
      const mine = StageEvent.TaskCompleted({ workItem: "\u009b31mET 2", id: "mine" })
      const key = yield* publish(mine)
      assert.strictEqual(key.id, "mine")
      assert.match(Receipt.$is("Unfit")(key) ? key.why : "", /^workItem: .* is not a work item key: expected /)
      assert.deepStrictEqual(yield* publish(mine), key)

      const id = yield* publish(StageEvent.TaskCompleted({ workItem: "ET-2", id: "two words" }))
      assert.match(Receipt.$is("Unfit")(id) ? id.why : "", /^id: "two words" is not an event id: expected /)
      assert.notStrictEqual(id.id, "two words")
      assert.deepStrictEqual((yield* stored).map((row) => row.id), [id.id, "mine"])

      const { message } = yield* Effect.flip(publishOrFail(StageEvent.TaskCompleted({ workItem: "no key" })))
      assert.match(message, /^The event can never be told to Plane: workItem: "no key" is not a work item key/)

      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(lines, [
        "WARN 3 events can never be told to Plane and became dead letters. The last one: id: \"two words\" is not an " +
        "event id: expected 1 to 128 of [A-Za-z0-9._:-]"
      ])
    }).pipe(Effect.provide(Layer.merge(inMemory, Logger.replace(Logger.defaultLogger, kept))))
  })

  it.effect("an object of a host's own class is an event like any other, and each of its properties is read once", () =>
    Effect.gen(function*() {
      const { publish } = yield* StageEvents
      class Done {
        readonly _tag = "TaskCompleted"
        reads = 0
        get workItem() {
          this.reads += 1
          return this.reads === 1 ? "ET-2" : "nonsense"
        }
      }
      class Unspeakable extends Error {
        override get message() {
          return thrown()
        }
      }
      const receipt = yield* publish(new Done())
      yield* publish({
        _tag: "TaskCompleted",
        get workItem(): string {
          throw new Unspeakable()
        }
      })
      const [unreadable, done] = yield* stored
      assert.deepInclude(done, { id: receipt.id, status: "pending", workItem: "ET-2" })
      assert.strictEqual(done?.body, `{"type":"task_completed","workItem":"ET-2"}`)
      assert.deepInclude(unreadable, { status: "dead", reason: "it cannot be read" })
    }).pipe(Effect.provide(inMemory)))

  it.effect("texts are cleaned and cut; a moment far ahead counts as now", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2026, 10, 24))
      const { publish } = yield* StageEvents
      yield* publish(StageEvent.QualityGateFailed({
        workItem: "ET-2",
        stage: "re\u0000view\nnow",
        check: "x".repeat(300),
        reason: `lone \uD800, line\r\nfeed ${"y".repeat(5_000)}`,
        occurredAt: DateTime.unsafeMake(Date.UTC(2030, 0, 1))
      }))
      const [row] = yield* stored
      const body: unknown = JSON.parse(row?.body ?? "")
      assert.deepInclude(body, { stage: "review now", check: `${"x".repeat(200)}… (cut)` })
      assert.match(row?.body ?? "", /lone \uFFFD, line\\nfeed y+… \(cut\)/)
      assert.strictEqual(row?.occurredAt, Date.UTC(2026, 10, 24))
    }).pipe(Effect.provide(inMemory)))

  it.live("after the layer's scope has closed, publish answers NotStored at once", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(inMemory, scope)
      const { notStored, publish } = yield* Effect.provide(StageEvents, context)
      yield* publish(changed("before"))
      yield* Scope.close(scope, Exit.void)
      const receipt = yield* Effect.timeout(publish(changed("after")), "1 seconds")
      assert.strictEqual(Receipt.$is("NotStored")(receipt) ? receipt.error.reason : receipt._tag, "Closed")
      assert.strictEqual(yield* notStored, 1)
    }))

  it.effect("what is not stored is logged as JSON that can be posted again, with the moment it was accepted", () => {
    const lines: Array<unknown> = []
    const kept = Logger.make(({ annotations }) => {
      lines.push(Option.getOrUndefined(HashMap.get(annotations, "event")))
    })
    return Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2026, 10, 24, 8, 30))
      const scope = yield* Scope.make()
      const { publish } = yield* Effect.provide(StageEvents, yield* Layer.buildWithScope(inMemory, scope))
      yield* Scope.close(scope, Exit.void)
      yield* publish(changed("now"))
      yield* publish(StageEvent.TaskCompleted({
        workItem: "ET-2",
        id: "ahead",
        occurredAt: DateTime.unsafeMake(Date.UTC(2030, 0, 1))
      }))
      const occurredAt = "2026-11-24T08:30:00.000Z"
      assert.deepStrictEqual(lines.map((line): unknown => JSON.parse(String(line))), [
        { type: "stage_changed", workItem: "ET-002", from: "analysis", to: "architecture", id: "now", occurredAt },
        { type: "task_completed", workItem: "ET-2", id: "ahead", occurredAt }
      ])
    }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, kept)))
  })

  it.effect("row 72: a full disk: one warning with the number, and each lost event in a line of its own", () => {
    const lines: Array<{ readonly words: string; readonly event: string | undefined }> = []
    const kept = Logger.make(({ annotations, message }) => {
      const event = HashMap.get(annotations, "event")
      lines.push({ words: String(message), event: Option.getOrUndefined(Option.map(event, String)) })
    })
    return Effect.gen(function*() {
      const { notStored, publish } = yield* StageEvents
      const { sql } = yield* Storage
      yield* sql`PRAGMA max_page_count = 1`
      const receipts = yield* Effect.forEach(
        Array.from({ length: 1_476 }, (_, n) => `event-${n}-${"x".repeat(100)}`),
        (id) => publish(changed(id)),
        { concurrency: "unbounded" }
      )
      yield* TestClock.adjust("1 second")
      const lost = receipts.flatMap((receipt) => Receipt.$is("NotStored")(receipt) ? [receipt.id] : [])
      assert.isAbove(lost.length, 1_000)
      assert.strictEqual(yield* notStored, lost.length)
      const said = lines.filter(({ event }) => event === undefined).map(({ words }) => words)
      assert.lengthOf(said, 1)
      assert.match(said[0] ?? "", new RegExp(`no space left.* ${lost.length} events were not stored`))
      assert.sameMembers(
        lines.flatMap(({ event }) => event === undefined ? [] : [(JSON.parse(event) as { id: string }).id]),
        lost
      )
    }).pipe(Effect.provide(
      Layer.merge(
        Layer.provideMerge(events, Storage.layerFile(":memory:")),
        Logger.replace(Logger.defaultLogger, kept)
      )
    ))
  })

  it.scopedLive("an interrupted publish is committed all the same, and so are those in the queue at shutdown", () =>
    Effect.gen(function*() {
      const file = join(yield* temporary, "events.sqlite")
      yield* Effect.gen(function*() {
        const { publish } = yield* StageEvents
        for (let i = 0; i < 20; i++) yield* Effect.fork(publish(changed(`forked-${i}`)))
        yield* Effect.yieldNow()
      }).pipe(Effect.provide(Layer.provide(events, Storage.layerFile(file))))
      const rows = yield* Effect.provide(stored, Layer.provide(events, Storage.layerFile(file)))
      assert.strictEqual(rows.length, 20)
    }))

  it.live("the stream gives what is there, in order, and then what comes", () =>
    Effect.gen(function*() {
      const { publish, stream } = yield* StageEvents
      yield* publish(changed("one"))
      yield* publish(changed("two"))
      const reader = yield* stream(1).pipe(
        Stream.take(3),
        Stream.map((event) => event.id),
        Stream.runCollect,
        Effect.fork
      )
      yield* Effect.sleep("50 millis")
      yield* publish(changed("three"))
      yield* publish(changed("four"))
      assert.deepStrictEqual(Chunk.toReadonlyArray(yield* reader), ["two", "three", "four"])
    }).pipe(Effect.provide(inMemory)))
})

describe("StageEvents in the host's database", () => {
  const host = SqliteClient.layer({ filename: ":memory:" })
  const shared = Layer.provideMerge(Layer.provide(events, Storage.layerSql), host)

  it.live("a publish is committed, or vanishes, with the host's transaction", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const { publish } = yield* StageEvents
      yield* sql`CREATE TABLE task (id TEXT)`
      const advance = (id: string) => Effect.zipRight(sql`INSERT INTO task VALUES (${id})`, publish(changed(id)))
      const joined = yield* sql.withTransaction(Effect.all([advance("kept"), publish(changed("kept"))]))
      assert.deepStrictEqual(joined, [
        Receipt.Joined({ id: "kept", duplicate: false }),
        Receipt.Joined({ id: "kept", duplicate: true })
      ])
      assert.deepStrictEqual(yield* publish(changed("kept")), Receipt.Committed({ id: "kept", duplicate: true }))
      yield* Effect.flip(sql.withTransaction(Effect.zipRight(advance("gone"), Effect.fail("the host's own trouble"))))
      assert.deepStrictEqual(yield* sql<{ id: string }>`SELECT id FROM task`, [{ id: "kept" }])
      assert.deepStrictEqual((yield* stored).map((row) => row.id), ["kept"])
    }).pipe(Effect.provide(shared)))

  it.effect("a publish beside the host's open transaction waits 5 s for it, stores nothing then, and hangs nobody", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const { publish } = yield* StageEvents
      const began = yield* Deferred.make<void>()
      const over = yield* Deferred.make<void>()
      const hosts = yield* Effect.fork(
        sql.withTransaction(Effect.zipRight(Deferred.succeed(began, undefined), Deferred.await(over)))
      )
      yield* Deferred.await(began)
      const waiting = yield* Effect.fork(publish(changed("in-vain")))
      yield* TestClock.adjust("4900 millis")
      assert.isTrue(Option.isNone(yield* Fiber.poll(waiting)))
      const inTime = yield* Effect.fork(publish(changed("in-time")))
      yield* TestClock.adjust("100 millis")
      const receipt = yield* Fiber.join(waiting)
      assert.strictEqual(Receipt.$is("NotStored")(receipt) ? receipt.error.reason : receipt._tag, "Busy")
      yield* Deferred.succeed(over, undefined)
      yield* Fiber.join(hosts)
      assert.deepStrictEqual(yield* Fiber.join(inTime), Receipt.Committed({ id: "in-time", duplicate: false }))
      assert.deepStrictEqual((yield* stored).map((row) => row.id), ["in-time"])
    }).pipe(Effect.provide(shared)))

  it.live("a file of our own stays out of the host's transaction", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const { publish } = yield* StageEvents
      const failure = yield* Effect.flip(
        sql.withTransaction(
          Effect.gen(function*() {
            assert.strictEqual((yield* publish(changed("kept")))._tag, "Committed")
            // Read from our file, and not over the host's connection, which knows no such table.
            assert.deepStrictEqual((yield* stored).map((row) => row.id), ["kept"])
            return yield* Effect.fail("rolled back")
          })
        )
      )
      assert.strictEqual(failure, "rolled back")
      assert.deepStrictEqual((yield* stored).map((row) => row.id), ["kept"])
    }).pipe(Effect.provide(Layer.merge(inMemory, host))))
})
