import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema, TestClock } from "effect"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { ask } from "./support.js"

const Activities = Schema.parseJson(Schema.Struct({
  results: Schema.Array(Schema.Struct({
    verb: Schema.String,
    field: Schema.NullOr(Schema.String),
    old_value: Schema.NullOr(Schema.String),
    new_value: Schema.NullOr(Schema.String),
    old_identifier: Schema.NullOr(Schema.String),
    new_identifier: Schema.NullOr(Schema.String),
    actor: Schema.String,
    epoch: Schema.Number
  }))
}))

describe("a work item's row", () => {
  it.effect("is saved whole: of two changes that overlap, the later undoes the other, and both are answered well", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id } = yield* plane.addWorkItem({ name: "Trail map" })
      for (const [after, state, name] of [[10, "Backlog", "Loop"], [40, "In Progress", "Loops"]] as const) {
        const moving = yield* Effect.fork(plane.moveWorkItem(id, "In Progress"))
        yield* TestClock.adjust(after)
        const renaming = yield* Effect.fork(plane.editWorkItem(id, { name }))
        yield* TestClock.adjust("100 millis")
        yield* Fiber.join(moving)
        yield* Fiber.join(renaming)
        const shown = yield* plane.workItem(id)
        assert.deepStrictEqual([shown.state.name, shown.name], [state, name])
      }
    }).pipe(Effect.provide(PlaneSimulator.layerMemory({ saving: "30 millis" }))))

  it.scopedLive("tells its moves in its activities, the oldest first unless asked otherwise", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id } = yield* plane.addWorkItem({ name: "Trail map" })
      const path = `projects/${plane.project.id}/work-items/${id}/`
      yield* ask(plane, "PATCH", path, { body: { state: plane.stateId("Todo") } })
      yield* plane.moveWorkItem(id, "Done")
      const read = (query: string) =>
        Effect.flatMap(
          ask(plane, "GET", `${path}activities/${query}`),
          ({ text }) => Effect.map(Schema.decodeUnknown(Activities)(text), ({ results }) => results)
        )
      const all = yield* read("")
      assert.deepStrictEqual(all.map(({ field, verb }) => [verb, field]), [
        ["created", null],
        ["updated", "state"],
        ["updated", "state"]
      ])
      assert.containSubset(all[1], {
        old_value: "Backlog",
        new_value: "Todo",
        old_identifier: plane.stateId("Backlog"),
        new_identifier: plane.stateId("Todo"),
        actor: plane.bot.id
      })
      assert.deepStrictEqual((yield* read("?order_by=-created_at&per_page=1")).map(({ actor }) => actor), [
        plane.person.id
      ])
      assert.strictEqual((yield* ask(plane, "GET", `${path}activities/?order_by=name`)).status, 500)
    }).pipe(Effect.provide(PlaneSimulator.layer())))
})
