import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Scope, TestClock } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import * as MovableClock from "../support/MovableClock.js"
import { overPlane } from "./Pipeline.js"

const day = 86_400_000

/** The pipeline by a clock that can be set, while Plane and the test go by the TestClock. */
const computer = Effect.gen(function*() {
  const { clock, shift } = MovableClock.make(yield* Effect.clock)
  yield* shift(Date.UTC(2026, 10, 24))
  const publish = (context: Context.Context<StageEvents>, event: StageEvent) =>
    Effect.withClock(Context.get(context, StageEvents).publish(event), clock)
  const start = (settings: Parameters<typeof overPlane>[0] = {}) =>
    Effect.gen(function*() {
      const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
      const context = yield* Layer.buildWithScope(overPlane(settings), scope)
      return {
        context,
        stop: Scope.close(scope, Exit.void),
        failed: (workItem: string, reason: string) =>
          publish(context, StageEvent.QualityGateFailed({ workItem, stage: "review", check: "lint", reason })),
        changed: (workItem: string, from: string, to: string) =>
          publish(context, StageEvent.StageChanged({ workItem, from, to }))
      }
    }).pipe(Effect.withClock(clock))
  return { shift, start }
})

const told = (id: string) =>
  Effect.flatMap(
    PlaneSimulator,
    (plane) => Effect.map(plane.comments(id), (all) => all.map(({ html }) => html.replace(/.* — (.*)<\/p>/, "$1")))
  )

describe("a clock that is set", () => {
  for (const [name, millis] of [["forward", day], ["back", -day]] as const) {
    it.scoped(`${name} in the quiet time of a comment: it is not repeated before that is over`, () =>
      Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
        const { shift, start } = yield* computer
        const { failed } = yield* start()
        yield* plane.misbehave(Fault.ApplyLate({ match: { method: "POST" }, count: 1, afterMillis: 25_000 }))
        yield* failed(key, "one")
        // Once while somebody waits for the answer, and once after that.
        yield* TestClock.adjust("5 seconds")
        yield* shift(millis)
        yield* TestClock.adjust("10 seconds")
        yield* shift(millis)
        // Whoever publishes wakes the workers up, which see the new time.
        yield* failed(key, "two")
        yield* TestClock.adjust("1 minutes")
        assert.deepStrictEqual(yield* told(id), ["one", "two"])
      }).pipe(Effect.provide(PlaneSimulator.layerMemory())))
  }

  it.scoped("between two starts: what was sent before is not repeated before the quiet time since the second", () =>
    Effect.gen(function*() {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "plane-sync-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      const database = join(folder, "events.sqlite")
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
      const { shift, start } = yield* computer
      const first = yield* start({ database })
      yield* plane.misbehave(Fault.ApplyLate({ match: { method: "POST" }, count: 1, afterMillis: 25_000 }))
      yield* first.failed(key, "one")
      yield* TestClock.adjust("12 seconds")
      yield* first.stop
      yield* shift(day)
      yield* start({ database })
      yield* TestClock.adjust("1 seconds")
      yield* shift(day)
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual(yield* told(id), ["one"])
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())))

  it.scoped("back and forward: a key that nobody has yet is looked for as long as usual, except for one pause each", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { shift, start } = yield* computer
      const { context, failed } = yield* start()
      yield* failed("ET-7", "one")
      for (const millis of [-day, day]) {
        yield* TestClock.adjust("1 seconds")
        yield* shift(millis)
        yield* failed("ET-8", "whoever publishes wakes the workers up")
      }
      yield* TestClock.adjust("90 seconds")
      assert.deepInclude(yield* Effect.provide(Outbox, context).pipe(Effect.flatMap(({ status }) => status)), {
        dead: 0
      })
      const { id } = yield* plane.addWorkItem({ name: "Seven", number: 7 })
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* told(id), ["one"])
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())))
})

describe("what was read of Plane", () => {
  for (const [back, wait] of [[40, 45], [3_600, 3_605]] as const) {
    it.scoped(`is not relied on ${wait} s later though the clock was set back by ${back} s: a person's cancel is seen`, () =>
      Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
        const { shift, start } = yield* computer
        const { changed } = yield* start()
        yield* changed(key, "created", "analysis")
        yield* TestClock.adjust("2 seconds")
        yield* shift(-back * 1_000)
        yield* TestClock.adjust("20 seconds")
        yield* plane.moveWorkItem(id, "Cancelled")
        yield* TestClock.adjust(`${wait - 22} seconds`)
        yield* changed(key, "deploy", "done")
        yield* TestClock.adjust("1 minutes")
        assert.strictEqual((yield* plane.workItem(id)).state.name, "Cancelled")
      }).pipe(Effect.provide(PlaneSimulator.layerMemory())))
  }

  it.scoped("is not relied on after a start: a person's cancel in between is seen", () =>
    Effect.gen(function*() {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "plane-sync-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      const database = join(folder, "events.sqlite")
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
      const { start } = yield* computer
      const first = yield* start({ database })
      yield* first.changed(key, "created", "analysis")
      yield* TestClock.adjust("2 seconds")
      yield* first.stop
      yield* plane.moveWorkItem(id, "Cancelled")
      const { changed } = yield* start({ database })
      yield* changed(key, "deploy", "done")
      yield* TestClock.adjust("1 minutes")
      assert.strictEqual((yield* plane.workItem(id)).state.name, "Cancelled")
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())))

  for (const [name, millis] of [["forward", 40_000], ["back", -40_000]] as const) {
    it.scoped(`${name}: a name that came after a page was read is found, though the page was all there was`, () =>
      Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        yield* Effect.forEach(["A", "B", "C"], (name) => plane.addWorkItem({ name }))
        const { shift, start } = yield* computer
        const { changed } = yield* start()
        for (const key of ["ET-1", "ET-2", "ET-3"]) yield* changed(key, "created", "lobby")
        yield* TestClock.adjust("10 seconds")
        yield* shift(millis)
        const named = yield* plane.addWorkItem({ name: "ET-002 in the title" })
        yield* changed("ET-002", "created", "lobby")
        yield* TestClock.adjust("1 minutes")
        assert.strictEqual((yield* plane.comments(named.id)).length, 1)
      }).pipe(Effect.provide(PlaneSimulator.layerMemory())))
  }
})

describe("the quiet time", () => {
  it.scoped("holds for a dead letter that is retried at once, and for what its work item is owed next", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
      const { start } = yield* computer
      const { context, failed } = yield* start({ settings: { ORCH_PLANE_MAX_ATTEMPTS: "1" } })
      yield* plane.misbehave(Fault.ApplyLate({ match: { method: "POST" }, count: 1, afterMillis: 25_000 }))
      yield* failed(key, "one")
      yield* failed(key, "two")
      yield* TestClock.adjust("12 seconds")
      const outbox = yield* Effect.provide(Outbox, context)
      assert.strictEqual(yield* outbox.retry({ code: "attempts" }), 1)
      yield* (yield* Effect.provide(WakeUps, context)).notify
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual(yield* told(id), ["one", "two"])
      assert.deepInclude(yield* outbox.status, { pending: 0, dead: 0, delivered: 2 })
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())))
})
