import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { makePlans } from "../support/QueryPlans.js"
import { unexplained } from "../support/Statements.js"
import { task, world } from "./World.js"

const { explaining, plans, scans } = makePlans()

const inOrder =
  /^SCAN (plane_sync_\w+|[a-z]) USING (COVERING )?INDEX plane_sync_(lane_due|delivery_status|event_status|webhook_(due|status))/

describe("the statements of repair", () => {
  it.effect("read by an index, and never a whole table", () => {
    const hooks = { isOn: true }
    return Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "North climb" })
      const events = yield* StageEvents
      yield* events.publish(StageEvent.StageChanged({ workItem: key, from: "created", to: "analysis" }))
      yield* TestClock.adjust("10 minutes")
      hooks.isOn = false
      yield* plane.moveWorkItem(id, "Cancelled")
      const other = yield* plane.addWorkItem({ name: "South climb", state: "In Progress" })
      yield* TestClock.adjust("65 minutes")
      assert.strictEqual(yield* task(other.key), "analysis active")
      assert.deepStrictEqual(yield* unexplained("repair", plans), [])
      assert.deepStrictEqual(scans(inOrder), [])
    }).pipe(Effect.provide(world({ hooks })), explaining)
  })
})
