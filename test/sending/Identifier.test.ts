import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { inMemory, overPlane, projectStatus } from "./Pipeline.js"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "plane-sync-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const fail = (workItem: string, reason: string) =>
  Effect.flatMap(
    StageEvents,
    (events) => events.publish(StageEvent.QualityGateFailed({ workItem, stage: "review", check: "lint", reason }))
  )

const lines = (id: string) =>
  Effect.gen(function*() {
    const comments = yield* (yield* PlaneSimulator).comments(id)
    return comments.map((comment) => comment.html.replace(/<[^>]*>/g, ""))
  })

const status = Effect.flatMap(Outbox, (outbox) => outbox.status)

/** Why the destination is closed. */
const reason = Effect.map(
  projectStatus,
  ({ destination }) => destination.open ? "open" : destination.reason
)

const probes = Effect.map(
  Effect.flatMap(PlaneSimulator, (plane) => plane.requests),
  (requests) => requests.filter(({ kind }) => kind === "project").length
)

describe("the project's identifier", () => {
  it.scoped("row 76: changed in Plane: keys of both wait, and go out when the setting is mended", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const database = join(yield* temporary, "events.sqlite")
      const resolved = yield* plane.addWorkItem({ name: "Trail map" })
      const other = yield* plane.addWorkItem({ name: "Login form" })
      const renamed = other.key.replace("ET", "OPX")
      yield* Effect.gen(function*() {
        yield* fail(resolved.key, "first")
        yield* TestClock.adjust("2 minutes")
        yield* plane.renameProject("OPX")
        yield* fail(renamed, "under the new prefix")
        yield* TestClock.adjust("1 minute")
        assert.match(yield* reason, /ORCH_PLANE_PROJECT_IDENTIFIER.*OPX/)
        yield* fail(resolved.key, "under the old prefix, which was looked up")
        yield* TestClock.adjust("1 hour")
        assert.deepInclude(yield* status, { pending: 2, dead: 0, delivered: 1 })
      }).pipe(Effect.provide(overPlane({ database })))
      yield* Effect.gen(function*() {
        yield* TestClock.adjust("2 minutes")
        assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 3 })
        assert.deepStrictEqual(yield* lines(other.id), ["⚠️ QG failed at review: lint — under the new prefix"])
        assert.lengthOf(yield* lines(resolved.id), 2)
      }).pipe(Effect.provide(overPlane({ database, settings: { ORCH_PLANE_PROJECT_IDENTIFIER: "OPX" } })))
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())))

  it.effect("row 76: changed in Plane: a key of the old prefix that was never looked up waits, past its patience", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
      yield* TestClock.adjust("1 minute")
      yield* plane.renameProject("OPX")
      yield* fail(key, "under the old prefix")
      yield* TestClock.adjust("1 hour")
      assert.deepInclude(yield* status, { pending: 1, dead: 0 })
      assert.match(yield* reason, /ORCH_PLANE_PROJECT_IDENTIFIER.*OPX/)
      yield* plane.renameProject("ET")
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(yield* lines(id), ["⚠️ QG failed at review: lint — under the old prefix"])
    }).pipe(Effect.provide(inMemory())))

  it.effect("row 76: as it is set: wrong keys are dead letters, and cost a probe a minute at most", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust("2 minutes")
      const before = yield* probes
      yield* fail("XX-1", "whose?")
      yield* TestClock.adjust("1 second")
      assert.deepInclude(yield* status, { pending: 0, dead: 1 })
      for (let number = 2; number < 12; number++) {
        yield* fail(`XX-${number}`, "whose?")
        yield* TestClock.adjust("1 second")
      }
      assert.deepInclude(yield* status, { pending: 0, dead: 11 })
      assert.strictEqual((yield* probes) - before, 1)
      yield* fail("YY-1", "whose?")
      yield* TestClock.adjust("1 second")
      assert.deepInclude(yield* status, { pending: 1, dead: 11 })
      yield* TestClock.adjust("1 minute")
      assert.deepInclude(yield* status, { pending: 0, dead: 12 })
      assert.strictEqual((yield* probes) - before, 2)
    }).pipe(Effect.provide(inMemory())))

  it.effect("row 45: what is refused is known within 5 s, and while nothing is published within 5 minutes", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* reason, "open")
      yield* plane.revokeToken
      yield* TestClock.adjust("6 minutes")
      assert.match(yield* reason, /ORCH_PLANE_API_TOKEN/)
      yield* plane.restoreToken
      yield* plane.renameProject("OPX")
      yield* TestClock.adjust("2 minutes")
      assert.match(yield* reason, /ORCH_PLANE_PROJECT_IDENTIFIER.*OPX/)
    }).pipe(Effect.provide(inMemory())))
})
