import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope, TestClock } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { overPlane, received } from "./Pipeline.js"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "plane-sync-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const failed = (workItem: string, reason: string) =>
  Effect.flatMap(
    StageEvents,
    (events) => events.publish(StageEvent.QualityGateFailed({ workItem, stage: "review", check: "lint", reason }))
  )

const changed = (workItem: string, to: string) =>
  Effect.flatMap(StageEvents, (events) => events.publish(StageEvent.StageChanged({ workItem, from: "created", to })))

const retry = (code: "attempts" | "refused") =>
  Effect.gen(function*() {
    const retried = yield* (yield* Outbox).retry({ code })
    yield* (yield* WakeUps).notify
    return retried
  })

const comments = (id: string) =>
  Effect.flatMap(PlaneSimulator, (plane) => Effect.map(plane.comments(id), (all) => all.map(({ html }) => html)))

describe("a restart", () => {
  it.scoped("goes on where it stopped; what was in flight is repeated after its quiet time, and not doubled", () =>
    Effect.gen(function*() {
      const database = join(yield* temporary, "events.sqlite")
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Trail map" })
      yield* plane.misbehave(Fault.ApplyLate({ match: { method: "POST" }, count: 1, afterMillis: 9_500 }))

      const first = yield* Scope.make()
      const before = yield* Layer.buildWithScope(overPlane({ database }), first)
      yield* Effect.provide(failed(item.key, "one"), before)
      yield* Effect.provide(failed(item.key, "two"), before)
      yield* TestClock.adjust("1 seconds")
      // Closed in the middle of the first comment's sending: 8 s to drain are not enough for it.
      const closing = yield* Effect.fork(Scope.close(first, Exit.void))
      yield* TestClock.adjust("8 seconds")
      yield* closing

      yield* Effect.gen(function*() {
        yield* failed(item.key, "three")
        yield* TestClock.adjust("15 seconds")
        assert.strictEqual((yield* comments(item.id)).length, 1)
        yield* TestClock.adjust("20 seconds")
        assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 0, delivered: 3 })
      }).pipe(Effect.provide(overPlane({ database })))
      assert.deepStrictEqual(
        yield* comments(item.id),
        ["one", "two", "three"].map((reason) => `<p>⚠️ QG failed at review: lint — ${reason}</p>`)
      )
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())))

  it.scoped("requests in flight end and are settled when there is time for it", () =>
    Effect.gen(function*() {
      const database = join(yield* temporary, "events.sqlite")
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Trail map" })
      const first = yield* Scope.make()
      const before = yield* Layer.buildWithScope(overPlane({ database }), first)
      yield* Effect.provide(failed(item.key, "one"), before)
      yield* Effect.provide(failed(item.key, "two"), before)
      // Each answer takes 2 s: the start and the look-up have ended, the first comment is on its way.
      yield* TestClock.adjust("7 seconds")
      const closing = yield* Effect.fork(Scope.close(first, Exit.void))
      yield* TestClock.adjust("2 seconds")
      yield* closing
      assert.strictEqual((yield* comments(item.id)).length, 1)
      yield* Effect.gen(function*() {
        assert.deepInclude(yield* (yield* Outbox).status, { pending: 1, delivered: 1 })
        yield* TestClock.adjust("7 seconds")
        assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, delivered: 2 })
      }).pipe(Effect.provide(overPlane({ database })))
    }).pipe(Effect.provide(PlaneSimulator.layerMemory({ latency: "2 seconds" }))))

  // Not waited for any more after 10 s without an answer. Plane executes it after 25 s.
  const settings = { ORCH_PLANE_MAX_ATTEMPTS: "1" }
  const late = (method: "PATCH" | "POST") => Fault.ApplyLate({ match: { method }, count: 1, afterMillis: 25_000 })

  /** A work item that is owed nothing, and whose last state is a dead letter that never got an answer. */
  const stateGivenUp = Effect.gen(function*() {
    const database = join(yield* temporary, "events.sqlite")
    const plane = yield* PlaneSimulator
    const item = yield* plane.addWorkItem({ name: "Trail map" })
    yield* plane.misbehave(Fault.Status({ match: { method: "PATCH" }, count: 2, status: 400 }))
    yield* Effect.gen(function*() {
      yield* changed(item.key, "analysis")
      yield* TestClock.adjust("1 minutes")
      yield* plane.misbehave(late("PATCH"))
      assert.strictEqual(yield* retry("refused"), 1)
      yield* TestClock.adjust("11 seconds")
      assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 1 })
    }).pipe(Effect.provide(overPlane({ database, settings })))
    yield* plane.forgetRequests
    return { ...item, pipeline: overPlane({ database, settings }) }
  })

  it.scoped("a dead letter's unanswered state keeps its quiet time when a later stage is published", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key, pipeline } = yield* stateGivenUp
      yield* Effect.zipRight(changed(key, "done"), TestClock.adjust("2 minutes")).pipe(Effect.provide(pipeline))
      assert.deepStrictEqual((yield* plane.stateChanges(id)).map(({ to }) => to.name), ["In Progress", "Done"])
      // Answered now: what comes after another start waits for nothing.
      yield* Effect.gen(function*() {
        yield* changed(key, "review")
        yield* TestClock.adjust("1 seconds")
        assert.deepInclude(yield* (yield* Outbox).status, { pending: 0 })
      }).pipe(Effect.provide(pipeline))
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())))

  it.scoped("a dead letter's unanswered state keeps its quiet time when it is retried", () =>
    Effect.gen(function*() {
      const { pipeline } = yield* stateGivenUp
      yield* Effect.gen(function*() {
        assert.strictEqual(yield* retry("attempts"), 1)
        yield* TestClock.adjust("29 seconds")
        assert.deepStrictEqual(yield* received, [])
        yield* TestClock.adjust("1 minutes")
        assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 0, delivered: 1 })
      }).pipe(Effect.provide(pipeline))
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())))

  it.scoped("a dead letter's unanswered comment is not overtaken by one that is published after a restart", () =>
    Effect.gen(function*() {
      const database = join(yield* temporary, "events.sqlite")
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
      yield* Effect.gen(function*() {
        yield* Effect.zipRight(failed(key, "zero"), TestClock.adjust("1 minutes"))
        yield* plane.misbehave(late("POST"))
        yield* Effect.zipRight(failed(key, "one"), TestClock.adjust("11 seconds"))
        assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 1 })
      }).pipe(Effect.provide(overPlane({ database, settings })))
      yield* Effect.zipRight(failed(key, "two"), TestClock.adjust("2 minutes")).pipe(
        Effect.provide(overPlane({ database, settings }))
      )
      assert.deepStrictEqual(
        yield* comments(id),
        ["zero", "one", "two"].map((reason) => `<p>⚠️ QG failed at review: lint — ${reason}</p>`)
      )
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())))

  it.scoped("a dead letter's unanswered comment is neither overtaken by the next nor doubled when retried", () =>
    Effect.gen(function*() {
      const database = join(yield* temporary, "events.sqlite")
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
      yield* plane.misbehave(late("POST"))
      yield* Effect.zipRight(failed(key, "one"), TestClock.adjust("11 seconds")).pipe(
        Effect.provide(overPlane({ database, settings }))
      )
      yield* Effect.gen(function*() {
        yield* failed(key, "two")
        assert.strictEqual(yield* retry("attempts"), 1)
        yield* TestClock.adjust("2 minutes")
        assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 0, delivered: 2 })
      }).pipe(Effect.provide(overPlane({ database, settings })))
      assert.deepStrictEqual(
        yield* comments(id),
        ["one", "two"].map((reason) => `<p>⚠️ QG failed at review: lint — ${reason}</p>`)
      )
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())))
})
