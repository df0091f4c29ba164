import { assert, describe, it } from "@effect/vitest"
import type { Duration } from "effect"
import { Effect, Layer, Logger, TestClock } from "effect"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Silence, silentWords } from "../../src/repair/Silence.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { folder } from "../http/Server.js"
import * as World from "./World.js"
import { asked, read, task, world } from "./World.js"

/** A state of ours is set, and time goes on. */
const set = (then: Duration.DurationInput) =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    const events = yield* StageEvents
    const { key } = yield* plane.addWorkItem({ name: "North climb", state: "Todo" })
    yield* events.publish(StageEvent.StageChanged({ workItem: key, from: "created", to: "analysis" }))
    yield* TestClock.adjust(then)
  })

const silent = Effect.flatMap(
  Silence,
  ({ silent }) => Effect.map(silent, (all) => all.map(({ workspace }) => workspace))
)

const hooksOf = () => ({ isOn: true })

describe("silence", () => {
  it.effect("three states of ours without a hook: it is said, once, with the page; the next hook ends it", () => {
    const hooks = hooksOf()
    const lines: Array<string> = []
    const logger = Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ message }) => {
        lines.push(String(message))
      })
    )
    const about = () => lines.filter((line) => line.includes("workspace ag_proj"))
    return Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      yield* set("10 minutes")
      hooks.isOn = false
      yield* set("3 minutes")
      yield* set("3 minutes")
      yield* set("4 minutes")
      // The third may still be echoed.
      assert.deepStrictEqual(yield* silent, [])
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(yield* silent, ["ag_proj"])
      const [first] = yield* (yield* Silence).silent
      assert(first !== undefined)
      assert.include(silentWords(first), "http://plane.test/ag_proj/settings/webhooks/")
      assert.deepStrictEqual(about(), [silentWords(first)])
      // From now on it is read every 5 minutes.
      yield* plane.forgetRequests
      yield* TestClock.adjust("30 minutes")
      assert.isAtLeast((yield* read).filter((one) => one === "GET items").length, 6)
      hooks.isOn = true
      yield* set("2 minutes")
      assert.deepStrictEqual(yield* silent, [])
      assert.deepStrictEqual(about().slice(1), ["Webhooks of Plane's workspace ag_proj come again"])
    }).pipe(Effect.provide(Layer.provideMerge(world({ hooks }), logger)))
  })

  it.effect("a single hook in between, of whatever, begins the count anew", () => {
    const hooks = { isOn: false }
    return Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      yield* set("6 minutes")
      yield* set("6 minutes")
      hooks.isOn = true
      const { id } = yield* plane.addWorkItem({ name: "South climb" })
      yield* plane.addPersonComment(id, "<p>well</p>")
      yield* TestClock.adjust("1 seconds")
      hooks.isOn = false
      yield* set("6 minutes")
      yield* set("6 minutes")
      assert.deepStrictEqual(yield* silent, [])
      yield* set("6 minutes")
      assert.deepStrictEqual(yield* silent, ["ag_proj"])
    }).pipe(Effect.provide(world({ hooks })))
  })

  it.effect("Plane away within the 5 minutes: that state says nothing", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      yield* TestClock.adjust("1 minutes")
      yield* set("6 minutes")
      yield* set("6 minutes")
      // Its hook may have been lost with the connection.
      yield* set("1 minutes")
      yield* plane.misbehave(Fault.Down({}))
      yield* set("3 minutes")
      yield* plane.calm
      yield* TestClock.adjust("4 minutes")
      assert.deepStrictEqual(yield* silent, [])
      // What had to wait for the end of the outage is the third.
      yield* TestClock.adjust("3 minutes")
      assert.deepStrictEqual(yield* silent, ["ag_proj"])
      assert.strictEqual((yield* asked).filter((one) => one === "PATCH item").length, 4)
    }).pipe(Effect.provide(world())))

  for (
    const [version, said] of [["1.0", []], ["1.3", ["ag_proj"]]] as const
  ) {
    it.effect(`Plane ${version} that has never echoed: ${said.length === 0 ? "it never does" : "it is new enough to"}`, () =>
      Effect.gen(function*() {
        for (let n = 0; n < 4; n++) yield* set("6 minutes")
        assert.deepStrictEqual(yield* silent, [...said])
      }).pipe(Effect.provide(world({ plane: { plane: version } }))))
  }

  it.effect("it is still so after a restart, and not while the program was away", () =>
    Effect.gen(function*() {
      const database = `${yield* folder}/events.sqlite`
      const { layer, listen } = World.plane()
      const built = yield* Layer.build(layer)
      const run = <A, E>(
        effect: Effect.Effect<A, E, Layer.Layer.Success<ReturnType<typeof World.program>> | PlaneSimulator>
      ) => effect.pipe(Effect.provide(World.program({ database }, listen)), Effect.provide(built))
      // Each is followed by the program's end: nobody could have heard an echo.
      for (let n = 0; n < 3; n++) {
        yield* run(set("1 minutes"))
        yield* TestClock.adjust("10 minutes")
      }
      yield* run(Effect.gen(function*() {
        yield* TestClock.adjust("6 minutes")
        assert.deepStrictEqual(yield* silent, [])
        for (let n = 0; n < 3; n++) yield* set("6 minutes")
        assert.deepStrictEqual(yield* silent, ["ag_proj"])
      }))
      yield* run(Effect.gen(function*() {
        yield* TestClock.adjust("1 minutes")
        assert.deepStrictEqual(yield* silent, ["ag_proj"])
      }))
    }).pipe(Effect.scoped))

  it.effect("no secret is set: no hooks can come, so nothing is said, and it is read every 5 minutes", () =>
    Effect.gen(function*() {
      for (let n = 0; n < 4; n++) yield* set("6 minutes")
      assert.deepStrictEqual(yield* silent, [])
      assert.strictEqual(yield* task("ET-1"), "none")
      assert.isAtLeast((yield* read).filter((one) => one === "GET items").length, 5)
    }).pipe(Effect.provide(world({ settings: { ORCH_PLANE_WEBHOOK_SECRET: "" } }))))
})
