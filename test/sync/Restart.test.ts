import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope, TestClock } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { StageEvents } from "../../src/sync/StageEvents.js"
import { overPlane } from "./Pipeline.js"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "plane-sync-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const failed = (workItem: string, reason: string) =>
  Effect.flatMap(
    StageEvents,
    (events) => events.publish(StageEvent.QualityGateFailed({ workItem, stage: "review", check: "lint", reason }))
  )

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
      // Each answer takes 2 s: the look-up has ended, the first comment is on its way.
      yield* TestClock.adjust("3 seconds")
      const closing = yield* Effect.fork(Scope.close(first, Exit.void))
      yield* TestClock.adjust("2 seconds")
      yield* closing
      assert.strictEqual((yield* comments(item.id)).length, 1)
      yield* Effect.gen(function*() {
        assert.deepInclude(yield* (yield* Outbox).status, { pending: 1, delivered: 1 })
        yield* TestClock.adjust("3 seconds")
        assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, delivered: 2 })
      }).pipe(Effect.provide(overPlane({ database })))
    }).pipe(Effect.provide(PlaneSimulator.layerMemory({ latency: "2 seconds" }))))
})
