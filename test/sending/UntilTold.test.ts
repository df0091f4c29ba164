import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import { Connections, DeadLetters, PlaneSync, StageEvent, StageEvents, Storage } from "../../src/index.js"
import { NotTold, untilTold } from "../../src/sending/UntilTold.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"

/** What a host's own test is made of: public parts alone. */
const layer = PlaneSync.layerStorage.pipe(
  Layer.provide([Storage.layerFile(":memory:"), Connections.layerHttpClient, PlaneSimulator.layerSettings()]),
  Layer.provideMerge(PlaneSimulator.layerMemory())
)

const completed = (workItem: string) => StageEvent.TaskCompleted({ workItem })

describe("untilTold, in a host's test", () => {
  it.scoped("moves the time on until all is told, and no further", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { publish } = yield* StageEvents
      const item = yield* plane.addWorkItem({ name: "one" })
      yield* publish(completed(item.key))
      yield* untilTold()
      assert.lengthOf(yield* plane.comments(item.id), 1)
      assert.isAtMost(yield* Clock.currentTimeMillis, 3_000)
    }).pipe(Effect.provide(layer)))

  it.scoped("fails when something is still owed after the time that it is given", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { publish } = yield* StageEvents
      yield* plane.misbehave(Fault.Down({}))
      yield* publish(completed("ET-1"))
      const error = yield* Effect.flip(untilTold("2 minutes"))
      assert.deepStrictEqual(error, new NotTold({ pending: 1, within: "2m" }))
      assert.strictEqual(error.message, "1 of the published events are still owed to Plane after 2m")
    }).pipe(Effect.provide(layer)))

  it.scoped("the host's dead letters: listed, retried once the cause is mended, discarded", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { publish } = yield* StageEvents
      const letters = yield* DeadLetters
      yield* publish(completed("ET-1"))
      yield* publish(completed("no key"))
      yield* untilTold()
      const found = yield* letters.list()
      assert.sameMembers(found.map(({ code, kind, workItem }) => `${code} ${kind} ${workItem}`), [
        "unfit comment no key",
        "not_found comment ET-1",
        "not_found state ET-1"
      ])
      const item = yield* plane.addWorkItem({ name: "late" })
      assert.strictEqual(yield* letters.retry({ code: "not_found" }), 2)
      yield* untilTold()
      assert.lengthOf(yield* plane.comments(item.id), 1)
      const [unfit] = yield* letters.list({ code: "unfit" })
      const id = unfit?.id ?? 0
      assert.strictEqual((yield* Effect.flip(letters.retry({ id })))._tag, "NeverTold")
      assert.strictEqual(yield* letters.discard({ id }), 1)
      assert.strictEqual((yield* Effect.flip(letters.discard({ id })))._tag, "NoDeadLetter")
      assert.deepStrictEqual(yield* letters.list(), [])
    }).pipe(Effect.provide(layer)))
})
