import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, TestClock } from "effect"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { Storage } from "../../src/StorageLayers.js"
import { folder } from "../http/Server.js"
import * as World from "./World.js"
import { read, task, world } from "./World.js"

const untilRead = TestClock.adjust("65 minutes")

/** How often each kind of thing has happened to tasks, as it was published. */
const published = Effect.flatMap(Storage, ({ read, sql }) =>
  Effect.map(
    read(sql<{ body: string }>`SELECT body FROM plane_sync_event ORDER BY sequence`),
    (rows) => rows.map(({ body }) => body)
  ))

const item = (state = "Todo") =>
  Effect.flatMap(PlaneSimulator, (plane) => plane.addWorkItem({ name: "North climb", state }))

describe("repair", () => {
  it.effect("with hooks switched off altogether, what a person does to a work item is heard", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item()
      yield* TestClock.adjust("1 minutes")
      assert.strictEqual(yield* task(key), "none")
      yield* plane.moveWorkItem(id, "In Progress")
      yield* TestClock.adjust("6 minutes")
      assert.strictEqual(yield* task(key), "analysis active")
      yield* plane.moveWorkItem(id, "Backlog")
      yield* TestClock.adjust("6 minutes")
      assert.strictEqual(yield* task(key), "analysis paused")
      yield* plane.moveWorkItem(id, "In Progress")
      yield* TestClock.adjust("6 minutes")
      assert.strictEqual(yield* task(key), "analysis active")
      yield* plane.moveWorkItem(id, "Cancelled")
      yield* TestClock.adjust("6 minutes")
      assert.strictEqual(yield* task(key), "analysis stopped")
    }).pipe(Effect.provide(world({ settings: { ORCH_PLANE_WEBHOOK_SECRET: "" } }))))

  it.effect("a work item that is made in a started state becomes a task, and one that was there does not", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const old = yield* item("In Progress")
      yield* TestClock.adjust("10 minutes")
      const made = yield* item("In Progress")
      yield* plane.editWorkItem(old.id, { name: "South climb" })
      yield* untilRead
      assert.strictEqual(yield* task(made.key), "analysis active")
      assert.strictEqual(yield* task(old.key), "none")
    }).pipe(Effect.provide(world())))

  it.effect("a project without work items is one: the first that is made is heard", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust("10 minutes")
      const { key } = yield* item("In Progress")
      yield* untilRead
      assert.strictEqual(yield* task(key), "analysis active")
    }).pipe(Effect.provide(world())))

  for (const late of [0, 70 * 60_000]) {
    it.effect(`nothing happens twice when a hook comes too, ${late === 0 ? "before it" : "after it"}`, () => {
      const hooks = { isOn: true, late }
      return Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const { id, key } = yield* item()
        yield* TestClock.adjust("2 minutes")
        yield* plane.moveWorkItem(id, "In Progress")
        yield* untilRead
        yield* TestClock.adjust("3 hours")
        assert.strictEqual(yield* task(key), "analysis active")
        const before = yield* published
        assert.lengthOf(before, 1)
        yield* plane.moveWorkItem(id, "Done")
        yield* TestClock.adjust("3 hours")
        assert.strictEqual(yield* task(key), "analysis done")
        yield* plane.moveWorkItem(id, "In Progress")
        yield* TestClock.adjust("3 hours")
        assert.strictEqual(yield* task(key), "analysis active")
        // It has started anew once.
        assert.lengthOf(yield* published, 2)
      }).pipe(Effect.provide(world({ hooks })))
    })
  }

  it.effect("the last mover is plane-sync: that is no person's move, and costs nothing", () =>
    Effect.gen(function*() {
      const { id, key } = yield* item()
      yield* TestClock.adjust("2 minutes")
      const events = yield* StageEvents
      yield* events.publish(StageEvent.StageChanged({ workItem: key, from: "created", to: "analysis" }))
      yield* untilRead
      const plane = yield* PlaneSimulator
      assert.strictEqual((yield* plane.workItem(id)).state.name, "In Progress")
      assert.strictEqual(yield* task(key), "none")
      assert.notInclude(yield* read, "GET activities")
    }).pipe(Effect.provide(world())))

  it.effect(
    "a quiet project of 5,000 work items costs two requests at the start, and then one a round",
    () =>
      Effect.gen(function*() {
        const { layer, listen } = World.plane()
        const built = yield* Layer.build(layer)
        const plane = Context.get(built, PlaneSimulator)
        for (let n = 0; n < 5_000; n++) {
          yield* plane.addWorkItem({ name: `Leg ${n}`, state: "In Progress" })
          if (n % 10 === 0) yield* TestClock.adjust("10 seconds")
        }
        yield* Effect.gen(function*() {
          yield* TestClock.adjust("3 minutes")
          assert.deepStrictEqual(yield* read, ["GET items", "GET items"])
          for (let round = 0; round < 3; round++) {
            yield* plane.forgetRequests
            yield* TestClock.adjust("60 minutes")
            assert.deepStrictEqual(yield* read, ["GET items"])
          }
        }).pipe(Effect.provide(World.program({}, listen)), Effect.provide(built))
      }).pipe(Effect.scoped),
    90_000
  )

  it.effect("what was changed in one minute is read twice, and then no more", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      yield* plane.addWorkItem({ name: "Prologue" })
      // The first round is in the same minute.
      while ((yield* read).length === 0) yield* TestClock.adjust(0)
      for (let n = 1; n < 500; n++) yield* plane.addWorkItem({ name: `Leg ${n}` })
      yield* TestClock.adjust("61 minutes")
      yield* plane.forgetRequests
      yield* TestClock.adjust("60 minutes")
      assert.lengthOf(yield* read, 5)
      yield* plane.forgetRequests
      yield* TestClock.adjust("60 minutes")
      assert.lengthOf(yield* read, 1)
    }).pipe(Effect.provide(world())))

  it.effect("of more than ten, the rest is asked for in the next rounds, and none is lost", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const items = yield* Effect.forEach(Array.from({ length: 23 }), () => item())
      yield* TestClock.adjust("3 minutes")
      for (const { id } of items) yield* plane.moveWorkItem(id, "In Progress")
      yield* plane.forgetRequests
      yield* TestClock.adjust("58 minutes")
      const active = Effect.map(
        Effect.forEach(items, ({ key }) => task(key)),
        (tasks) => tasks.filter((one) => one === "analysis active").length
      )
      assert.strictEqual((yield* read).filter((one) => one === "GET activities").length, 10)
      assert.strictEqual(yield* active, 10)
      yield* TestClock.adjust("12 minutes")
      assert.strictEqual(yield* active, 23)
    }).pipe(Effect.provide(world())))

  it.effect("one whose activities Plane does not show for now holds up no other, and is heard later", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const items = yield* Effect.forEach([1, 2, 3], () => item())
      yield* TestClock.adjust("3 minutes")
      for (const { id } of items) yield* plane.moveWorkItem(id, "In Progress")
      const [first] = items
      assert(first !== undefined)
      yield* plane.misbehave({ _tag: "Status", status: 500, match: { path: `${first.id}/activities` } })
      const tasks = Effect.forEach(items, ({ key }) => task(key))
      yield* TestClock.adjust("8 minutes")
      assert.deepStrictEqual(yield* tasks, ["none", "analysis active", "analysis active"])
      yield* plane.calm
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(yield* tasks, Array(3).fill("analysis active"))
    }).pipe(Effect.provide(world({ settings: { ORCH_PLANE_WEBHOOK_SECRET: "" } }))))

  it.effect("the watermark outlives a restart: what was done meanwhile is heard, and nothing else is read", () =>
    Effect.gen(function*() {
      const database = `${yield* folder}/events.sqlite`
      const { layer, listen } = World.plane()
      const built = yield* Layer.build(layer)
      const plane = Context.get(built, PlaneSimulator)
      const run = <A, E>(
        effect: Effect.Effect<A, E, Layer.Layer.Success<ReturnType<typeof World.program>> | PlaneSimulator>
      ) =>
        effect.pipe(
          Effect.provide(World.program({ database }, listen)),
          Effect.provide(built)
        )
      const items = yield* Effect.forEach([1, 2, 3], () => plane.addWorkItem({ name: "North climb", state: "Todo" }))
      yield* run(TestClock.adjust("5 minutes"))
      const [one, other, third] = items
      assert(one !== undefined && other !== undefined && third !== undefined)
      yield* plane.moveWorkItem(one.id, "In Progress")
      yield* TestClock.adjust("5 hours")
      yield* plane.moveWorkItem(other.id, "In Progress")
      yield* plane.forgetRequests
      yield* run(Effect.gen(function*() {
        yield* TestClock.adjust("2 minutes")
        assert.strictEqual(yield* task(one.key), "analysis active")
        assert.strictEqual(yield* task(other.key), "analysis active")
        assert.strictEqual(yield* task(third.key), "none")
        assert.deepStrictEqual(yield* read, ["GET items", "GET activities", "GET activities"])
      }))
    }).pipe(Effect.scoped))

  for (const ahead of [600, -600]) {
    it.effect(`a clock of Plane that is ${ahead} s ahead changes nothing`, () => {
      const hooks = { isOn: true }
      return Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const [one, other] = [yield* item(), yield* item()]
        yield* TestClock.adjust("5 minutes")
        yield* plane.moveWorkItem(one.id, "In Progress")
        yield* TestClock.adjust("1 minutes")
        assert.strictEqual(yield* task(one.key), "analysis active")
        hooks.isOn = false
        yield* plane.moveWorkItem(other.id, "In Progress")
        yield* plane.moveWorkItem(one.id, "Backlog")
        yield* untilRead
        assert.strictEqual(yield* task(one.key), "analysis paused")
        assert.strictEqual(yield* task(other.key), "analysis active")
        assert.lengthOf(yield* published, 2)
        yield* plane.forgetRequests
        yield* TestClock.adjust("1 hours")
        assert.deepStrictEqual(yield* read, ["GET items"])
      }).pipe(Effect.provide(world({ ahead, hooks })))
    })
  }

  it.effect("nothing is read while something is owed, and no request is one too many", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const events = yield* StageEvents
      const items = yield* Effect.forEach(Array.from({ length: 70 }), () => item())
      yield* TestClock.adjust("4 minutes")
      yield* plane.forgetRequests
      for (const { key } of items) {
        yield* events.publish(StageEvent.StageChanged({ workItem: key, from: "created", to: "analysis" }))
      }
      // A round would be due in a minute; telling all takes longer.
      yield* TestClock.adjust("20 minutes")
      const all = (yield* plane.requests).map(({ kind, method, query }) =>
        query.includes("order_by=-updated_at") ? "repair" : `${method} ${kind}`
      )
      assert.isAbove(all.indexOf("repair"), all.lastIndexOf("POST comments"))
      assert.isAbove(all.filter((one) => one === "POST comments").length, 60)
      assert.deepStrictEqual((yield* plane.requests).filter(({ status }) => status === 429), [])
    }).pipe(Effect.provide(world({ settings: { ORCH_PLANE_WEBHOOK_SECRET: "" } }))))
})
