import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import { Context, DateTime, Duration, Effect, Exit, Layer, Logger, Scope, TestClock } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { epochMillis } from "../../src/base/Time.js"
import { ItemId } from "../../src/domain/Ids.js"
import { PlaneMoment } from "../../src/domain/PlaneMoment.js"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StateId } from "../../src/domain/StageStates.js"
import { CanonicalKey, NormalizedKey } from "../../src/domain/WorkItemKey.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Leadership } from "../../src/outbox/Leadership.js"
import { observe } from "../../src/outbox/Observation.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { PlaneSync } from "../../src/sending/PlaneSync.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { Storage } from "../../src/StorageLayers.js"
import { inMemory, overPlane } from "./Pipeline.js"

const publish = (event: StageEvent) => Effect.flatMap(StageEvents, (events) => events.publish(event))

const changed = (workItem: string, from: string, to: string) => publish(StageEvent.StageChanged({ workItem, from, to }))

const lint = (workItem: string) =>
  publish(StageEvent.QualityGateFailed({ workItem, stage: "review", check: "lint", reason: "two errors" }))

const comments = (id: string) =>
  Effect.flatMap(PlaneSimulator, (plane) => Effect.map(plane.comments(id), (all) => all.map(({ html }) => html)))

const stateName = (id: string) =>
  Effect.flatMap(PlaneSimulator, (plane) => Effect.map(plane.workItem(id), ({ state }) => state.name))

const requests = Effect.flatMap(
  PlaneSimulator,
  (plane) => Effect.map(plane.requests, (all) => all.map(({ kind, method }) => `${method} ${kind}`))
)

const item = Effect.flatMap(PlaneSimulator, (plane) => plane.addWorkItem({ name: "Trail map" }))

/** A person moves a work item, and Plane's webhook tells it. */
const movedAndHeard = (id: string, key: string, to: string) =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    yield* plane.moveWorkItem(id, to)
    const { state } = yield* plane.workItem(id)
    const { sql, write } = yield* Storage
    yield* write(observe(sql, {
      itemId: ItemId(id),
      key: CanonicalKey(key),
      state: StateId(state.id),
      cancelled: state.group === "cancelled",
      completed: state.group === "completed",
      // Plane's moments have microseconds.
      updatedAt: PlaneMoment(DateTime.formatIso(yield* DateTime.now).replace("Z", "500Z")),
      receivedAt: yield* epochMillis,
      isAside: false
    }))
  })

describe("states", () => {
  it.effect("a stage outside the table changes no state, and its comment is written", () =>
    Effect.gen(function*() {
      const { id, key } = yield* item
      yield* changed(key, "review", "security audit")
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(yield* stateName(id), "Backlog")
      assert.deepStrictEqual(yield* comments(id), ["<p>🔄 Stage: review → security audit</p>"])
    }).pipe(Effect.provide(inMemory())))

  it.effect("a person's cancel stands, and events are still told; a look comes before a state is set", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("10 minutes")
      yield* plane.moveWorkItem(id, "Cancelled")
      yield* plane.forgetRequests
      yield* changed(key, "deploy", "done")
      yield* publish(StageEvent.TaskCompleted({ workItem: key }))
      yield* TestClock.adjust("1 minutes")
      assert.strictEqual(yield* stateName(id), "Cancelled")
      assert.deepStrictEqual((yield* comments(id)).slice(1), [
        "<p>🔄 Stage: deploy → done</p>",
        "<p>✅ Task completed! PR merged and deployed.</p>"
      ])
      assert.deepStrictEqual(yield* requests, ["GET item", "POST comments", "POST comments"])
      assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 0, delivered: 3 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("a cancel that stands is logged once, also if a hook has told it", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ message }) => void lines.push(String(message)))
    const left = () => lines.splice(0).filter((line) => line.includes("cancelled")).length
    return Effect.gen(function*() {
      const { id, key } = yield* item
      const moved = (to: string) => Effect.zipRight(movedAndHeard(id, key, to), TestClock.adjust("10 minutes"))
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("10 minutes")
      yield* moved("Cancelled")
      yield* changed(key, "deploy", "done")
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(left(), 1)
      yield* changed(key, "done", "analysis")
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(left(), 0)
      assert.strictEqual(yield* stateName(id), "Cancelled")
      yield* moved("Todo")
      yield* changed(key, "deploy", "done")
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(yield* stateName(id), "Done")
      yield* moved("Cancelled")
      yield* changed(key, "done", "analysis")
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(left(), 1)
    }).pipe(Effect.provide(Layer.provideMerge(inMemory(), Logger.replace(Logger.defaultLogger, logger))))
  })

  it.effect("row 78: a person's cancel is taken back: the next stage's state is set, also one that was left out", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      // What was left out meanwhile, and the next stage after the person has moved the work item back to Backlog.
      const ways: ReadonlyArray<readonly [ReadonlyArray<string>, string, string]> = [
        [["done"], "review", "In Progress"],
        [["done"], "done", "Done"],
        [["done", "review"], "testing", "In Progress"],
        [["created", "done", "created"], "created", "Todo"]
      ]
      for (const [leftOut, next, shown] of ways) {
        for (const isHeard of [true, false]) {
          const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
          const moved = (to: string) => isHeard ? movedAndHeard(id, key, to) : plane.moveWorkItem(id, to)
          yield* changed(key, "created", "analysis")
          yield* TestClock.adjust("40 seconds")
          yield* moved("Cancelled")
          for (const stage of leftOut) {
            yield* changed(key, "testing", stage)
            // What is published together owes only the last state; where a hook has told the cancel, that is known too.
            if (!isHeard) yield* TestClock.adjust("40 seconds")
          }
          yield* TestClock.adjust("40 seconds")
          assert.strictEqual(yield* stateName(id), "Cancelled")
          yield* moved("Backlog")
          yield* TestClock.adjust("40 seconds")
          yield* changed(key, "done", next)
          yield* TestClock.adjust("40 seconds")
          assert.strictEqual(yield* stateName(id), shown, `${leftOut.join(", ")}, then ${next}`)
        }
      }
    }).pipe(Effect.provide(inMemory())))

  it.effect("a cancel stands that comes after the look, while the state waits for the budget", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("10 minutes")
      yield* plane.forgetRequests
      // One of two slots a minute, and the look takes the other.
      yield* lint(key)
      yield* TestClock.adjust("1 seconds")
      yield* changed(key, "deploy", "done")
      yield* TestClock.adjust("40 seconds")
      yield* plane.moveWorkItem(id, "Cancelled")
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(yield* stateName(id), "Cancelled")
      assert.deepStrictEqual(yield* requests, ["POST comments", "GET item", "GET item", "POST comments"])
    }).pipe(Effect.provide(inMemory({ settings: { ORCH_PLANE_RATE_LIMIT: "2/minute" } }))))

  it.effect("with ORCH_PLANE_ON_CONFLICT=force it is moved all the same, without a look", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("10 minutes")
      yield* plane.moveWorkItem(id, "Cancelled")
      yield* plane.forgetRequests
      yield* changed(key, "deploy", "done")
      yield* TestClock.adjust("1 minutes")
      assert.strictEqual(yield* stateName(id), "Done")
      assert.deepStrictEqual(yield* requests, ["PATCH item", "POST comments"])
    }).pipe(Effect.provide(inMemory({ settings: { ORCH_PLANE_ON_CONFLICT: "force" } }))))

  it.effect("with force a cancel that a hook has told is overruled also by a stage of the same state", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("10 minutes")
      yield* movedAndHeard(id, key, "Cancelled")
      yield* TestClock.adjust("1 seconds")
      yield* plane.forgetRequests
      yield* changed(key, "analysis", "development")
      yield* TestClock.adjust("1 minutes")
      assert.strictEqual(yield* stateName(id), "In Progress")
      yield* changed(key, "development", "analysis")
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual(yield* requests, ["PATCH item", "POST comments", "POST comments"])
    }).pipe(Effect.provide(inMemory({ settings: { ORCH_PLANE_ON_CONFLICT: "force" } }))))

  it.effect("a person's other moves stand until the stage's state changes", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("10 minutes")
      yield* plane.moveWorkItem(id, "Backlog")
      yield* changed(key, "analysis", "architecture")
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(yield* stateName(id), "Backlog")
      yield* changed(key, "deploy", "done")
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(yield* stateName(id), "Done")
    }).pipe(Effect.provide(inMemory())))

  it.effect("a PATCH that Plane says yes to and ignores is a dead letter; the comments go on", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* plane.misbehave(Fault.IgnoreState({}))
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("1 minutes")
      assert.strictEqual((yield* comments(id)).length, 1)
      const [event] = yield* (yield* Outbox).events({ limit: 1 })
      assert.deepInclude(event, { status: "dead", state: "dead", comment: "delivered" })
    }).pipe(Effect.provide(inMemory())))
})

describe("comments", () => {
  it.effect("stage changes that are owed together are told by one comment, a line each, at the first's time", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* plane.misbehave(Fault.Down({}))
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("5 seconds")
      yield* changed(key, "analysis", "architecture")
      yield* TestClock.adjust("5 seconds")
      yield* lint(key)
      yield* changed(key, "architecture", "done")
      yield* publish(StageEvent.TaskCompleted({ workItem: key }))
      yield* plane.calm
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(yield* comments(id), [
        "<p>🔄 Stage: created → analysis · 2026-11-24 08:30:00 UTC</p>" +
        "<p>🔄 Stage: analysis → architecture · 2026-11-24 08:30:05 UTC</p>",
        "<p>⚠️ QG failed at review: lint — two errors</p>",
        "<p>🔄 Stage: architecture → done</p>",
        "<p>✅ Task completed! PR merged and deployed.</p>"
      ])
      const [first] = yield* plane.comments(id)
      assert.strictEqual(first?.createdAt, "2026-11-24T08:30:00Z")
      const moves = (yield* plane.stateChanges(id)).map(({ to }) => to.name)
      assert.deepStrictEqual(moves, ["Done"])
    }).pipe(
      Effect.provide(inMemory()),
      // Before the layers are built: nobody wakes up for all the years until then.
      (test) => Effect.zipRight(TestClock.setTime(Date.UTC(2026, 10, 24, 8, 30)), test)
    ))

  it.effect("with ORCH_PLANE_COMMENTS=each every event is told alone", () =>
    Effect.gen(function*() {
      const { id, key } = yield* item
      for (let i = 0; i < 3; i++) yield* lint(key)
      yield* changed(key, "created", "analysis")
      yield* changed(key, "analysis", "architecture")
      yield* TestClock.adjust("1 minutes")
      assert.strictEqual((yield* comments(id)).length, 5)
    }).pipe(Effect.provide(inMemory({ settings: { ORCH_PLANE_COMMENTS: "each" } }))))

  it.effect("the same gate failing again is counted: folded while owed, then one PATCH per 10 minutes", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      const told = (failures: number, at: string) =>
        `<p>⚠️ QG failed at review: lint — two errors (failed ${failures} times, last at 1970-01-01 ${at} UTC)</p>`
      for (let i = 0; i < 3; i++) yield* lint(key)
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual(yield* comments(id), [told(3, "00:00:00")])
      yield* lint(key)
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual(yield* comments(id), [told(4, "00:01:00")])
      yield* plane.forgetRequests
      for (let i = 0; i < 5; i++) {
        yield* lint(key)
        yield* TestClock.adjust("1 minutes")
      }
      assert.deepStrictEqual(yield* requests, [])
      yield* TestClock.adjust("5 minutes")
      // Plane is looked at as well, because nothing was sent for 5 minutes.
      assert.deepStrictEqual(yield* requests, ["GET project", "PATCH comment"])
      assert.deepStrictEqual(yield* comments(id), [told(9, "00:06:00")])
      assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, delivered: 9 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("row 20: failures that are said to be the same are counted in one comment, which has the newest words", () =>
    Effect.gen(function*() {
      const { id, key } = yield* item
      let seconds = 60
      const failing = (sameAs: string | null = "failure build") =>
        publish(StageEvent.QualityGateFailed({
          workItem: key,
          stage: "development",
          check: "ci",
          reason: `build: Failing after ${++seconds}s`,
          ...(sameAs === null ? {} : { sameAs })
        }))
      const told = (after: string, counted: string) =>
        `<p>⚠️ QG failed at development: ci — build: Failing after ${after}${counted}</p>`
      yield* failing()
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual(yield* comments(id), [told("61s", "")])
      yield* failing()
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual(yield* comments(id), [told("62s", " (failed 2 times, last at 1970-01-01 00:01:00 UTC)")])
      for (let n = 3; n <= 8; n++) yield* failing()
      yield* TestClock.adjust("10 minutes")
      const all = told("68s", " (failed 8 times, last at 1970-01-01 00:02:00 UTC)")
      assert.deepStrictEqual(yield* comments(id), [all])
      // Of another check, and one that nobody says is the same.
      yield* failing("failure test")
      yield* failing(null)
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* comments(id), [all, told("69s", ""), told("70s", "")])
    }).pipe(Effect.provide(inMemory())))

  it.effect("a count that waits longer than any other pause is not taken for a clock that was put back", () =>
    Effect.gen(function*() {
      const { key } = yield* item
      for (let i = 0; i < 4; i++) {
        yield* lint(key)
        yield* TestClock.adjust("1 seconds")
      }
      const outbox = yield* Outbox
      assert.strictEqual((yield* outbox.workItem(NormalizedKey(key), 1))?.dueAt, 601_000)
      yield* TestClock.adjust("11 minutes")
      assert.deepInclude(yield* outbox.status, { pending: 0, delivered: 4 })
    }).pipe(Effect.provide(inMemory({ settings: { ORCH_PLANE_KEY_PATIENCE: "1 minutes" } }))))

  it.effect("what happens after a counted failure does not wait for the count, and ends it", () =>
    Effect.gen(function*() {
      const { id, key } = yield* item
      yield* lint(key)
      yield* TestClock.adjust("1 seconds")
      yield* lint(key)
      yield* TestClock.adjust("1 seconds")
      yield* lint(key)
      yield* TestClock.adjust("1 seconds")
      yield* changed(key, "review", "testing")
      yield* TestClock.adjust("1 seconds")
      yield* lint(key)
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(yield* comments(id), [
        "<p>⚠️ QG failed at review: lint — two errors (failed 3 times, last at 1970-01-01 00:00:02 UTC)</p>",
        "<p>🔄 Stage: review → testing</p>",
        "<p>⚠️ QG failed at review: lint — two errors</p>"
      ])
    }).pipe(Effect.provide(inMemory())))

  it.effect("a failure is not counted across what came between, though that could not be told", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* lint(key)
      yield* TestClock.adjust("1 minutes")
      yield* plane.misbehave(Fault.Status({ match: { method: "POST" }, count: 2, status: 400 }))
      yield* changed(key, "review", "security audit")
      yield* TestClock.adjust("1 minutes")
      assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 1, delivered: 1 })
      yield* lint(key)
      yield* TestClock.adjust("1 minutes")
      const told = "<p>⚠️ QG failed at review: lint — two errors</p>"
      assert.deepStrictEqual(yield* comments(id), [told, told])
    }).pipe(Effect.provide(inMemory())))

  it.effect("a comment that exists, though no answer names it, counts as told; its gate's next failure is a new comment", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      // Neither the answer to the first sending, nor the 409 to the second.
      yield* plane.misbehave(Fault.NoId({ match: { method: "POST" }, count: 2 }))
      yield* lint(key)
      yield* TestClock.adjust("1 minutes")
      assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 0, delivered: 1 })
      yield* lint(key)
      yield* TestClock.adjust("1 seconds")
      yield* lint(key)
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(yield* comments(id), [
        "<p>⚠️ QG failed at review: lint — two errors</p>",
        "<p>⚠️ QG failed at review: lint — two errors (failed 2 times, last at 1970-01-01 00:01:01 UTC)</p>"
      ])
    }).pipe(Effect.provide(inMemory())))

  it.effect("a counted comment that a person has deleted: one new comment", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* lint(key)
      yield* TestClock.adjust("1 seconds")
      const [first] = yield* plane.comments(id)
      yield* plane.deleteComment(first?.id ?? "")
      yield* lint(key)
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual(yield* comments(id), ["<p>⚠️ QG failed at review: lint — two errors</p>"])
      assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 0, delivered: 2 })
    }).pipe(Effect.provide(inMemory())))
})

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "plane-sync-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

describe("one leader for each file", () => {
  it.scoped("a second process is refused, and the first is named; after the first has ended, the next takes over", () =>
    Effect.gen(function*() {
      const database = join(yield* temporary, "events.sqlite")
      const first = yield* Scope.make()
      yield* Layer.buildWithScope(overPlane({ database }), first)
      const error = yield* Effect.flip(Effect.scoped(Layer.build(overPlane({ database }))))
      assert.strictEqual(error._tag, "LeaderActive")
      assert.include(error.message, `process ${process.pid}`)
      yield* Scope.close(first, Exit.void)
      yield* Effect.scoped(Layer.build(overPlane({ database })))
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())))

  // It asks every 30 s whether it was: at 240 s it has just done so, and its PATCH goes a second later.
  for (const seconds of [186, 240.1]) {
    it.scoped(`who is taken over at ${seconds} s sends nothing more`, () =>
      Effect.gen(function*() {
        const database = join(yield* temporary, "events.sqlite")
        const plane = yield* PlaneSimulator
        const { id, key } = yield* item
        const first = yield* Layer.build(overPlane({ database, settings: { ORCH_PLANE_RATE_LIMIT: "2/minute" } }))
        yield* Effect.provide(changed(key, "created", "analysis"), first)
        yield* TestClock.adjust("3 minutes")
        yield* Effect.provide(lint(key), first)
        yield* TestClock.adjust("1 seconds")
        // One of two slots a minute is used: the look takes the other, and the PATCH waits.
        yield* Effect.provide(changed(key, "analysis", "created"), first)
        yield* TestClock.adjust(Duration.seconds(seconds - 181))
        // As if it had been suspended for 90 s.
        yield* Effect.flatMap(SqlClient.SqlClient, (sql) => sql`DELETE FROM plane_sync_sender`).pipe(
          Effect.provide(SqliteClient.layer({ filename: database }))
        )
        const second = yield* Layer.build(overPlane({ database }))
        yield* plane.forgetRequests
        yield* TestClock.adjust("29 seconds")
        // The second waits for the quiet time of what the first may have sent.
        assert.notInclude(yield* requests, "PATCH item")
        yield* TestClock.adjust("2 seconds")
        yield* Effect.provide(changed(key, "created", "done"), second)
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(yield* stateName(id), "Done")
        yield* TestClock.adjust("5 minutes")
        assert.deepStrictEqual((yield* plane.stateChanges(id)).map(({ to }) => to.name), [
          "In Progress",
          "Todo",
          "Done"
        ])
        const { projects } = Context.get(first, PlaneSync)
        assert.match((yield* Context.get(first, Leadership).standby) ?? "", /sends from this file/)
        // It keeps no slot either: others may use the same budget.
        const [{ budget: { used, waiting } }] = yield* projects
        assert.deepStrictEqual({ used, waiting }, { used: 0, waiting: 0 })
      }).pipe(Effect.provide(PlaneSimulator.layerMemory())))
  }
})
