/**
 * A host's own test: all of plane-sync over a simulated Plane, in memory, in the time of the `TestClock`. It needs no
 * sockets, no files and no waiting.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Connections, PlaneSync, StageEvent, StageEvents, Storage } from "plane-sync"
import { Fault, PlaneSimulator } from "plane-sync/simulator"
import { untilTold } from "plane-sync/testing"

const layer = PlaneSync.layerStorage.pipe(
  Layer.provide([Storage.layerFile(":memory:"), Connections.layerHttpClient, PlaneSimulator.layerSettings()]),
  Layer.provideMerge(PlaneSimulator.layerMemory())
)

it.scoped("a stage change is told in Plane, also after an outage", () =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    const events = yield* StageEvents
    const item = yield* plane.addWorkItem({ name: "Login form" })

    yield* plane.misbehave(Fault.Down({ count: 3 }))
    yield* events.publish(StageEvent.StageChanged({ workItem: item.key, from: "analysis", to: "architecture" }))
    yield* untilTold()

    const comments = yield* plane.comments(item.id)
    assert.deepStrictEqual(comments.map(({ html }) => html.includes("analysis → architecture")), [true])
    assert.strictEqual((yield* plane.workItem(item.id)).state.name, "In Progress")
  }).pipe(Effect.provide(layer)))
