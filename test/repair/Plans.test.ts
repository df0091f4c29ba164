import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { ItemId } from "../../src/domain/Ids.js"
import { PlaneMoment } from "../../src/domain/PlaneMoment.js"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { forgetUnread, isAnyUnread, noteUnread, putLast, readUnread } from "../../src/repair/Unread.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { Storage } from "../../src/StorageLayers.js"
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
      const { read, sql, write } = yield* Storage
      const unread = { itemId: ItemId(id), changed: PlaneMoment("2026-11-24T00:00:00.000000Z") }
      yield* write(noteUnread(sql, "ET", [unread], EpochMillis(0)))
      assert.isTrue(yield* read(isAnyUnread(sql, "ET")))
      yield* write(putLast(sql, unread.itemId, EpochMillis(1)))
      const now = EpochMillis(1)
      assert.deepStrictEqual(yield* read(readUnread(sql, "ET", { before: now, now, limit: 5 })), [unread])
      // It was changed again meanwhile.
      yield* write(noteUnread(sql, "ET", [{ ...unread, changed: PlaneMoment("2026-11-25T00:00:00.000000Z") }], now))
      yield* write(forgetUnread(sql, [unread]))
      assert.isTrue(yield* read(isAnyUnread(sql, "ET")))
      assert.deepStrictEqual(yield* unexplained("repair", plans), [])
      assert.deepStrictEqual(scans(inOrder), [])
    }).pipe(Effect.provide(world({ hooks })), explaining)
  })
})
