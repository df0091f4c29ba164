import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { Storage } from "../../src/storage/Storage.js"
import { inMemory } from "./Pipeline.js"

const publish = (event: StageEvent) => Effect.flatMap(StageEvents, (events) => events.publish(event))

const changed = (workItem: string, to: string) => publish(StageEvent.StageChanged({ workItem, from: "somewhere", to }))

const failed = (workItem: string) =>
  publish(StageEvent.QualityGateFailed({ workItem, stage: "review", check: "lint", reason: "two errors" }))

/** Work items that Plane has, each found already, with a stage outside the table so that only comments are owed. */
const found = Effect.gen(function*() {
  const plane = yield* PlaneSimulator
  const items = yield* Effect.forEach(Array.from({ length: 15 }), (_, i) => plane.addWorkItem({ name: `Task ${i}` }))
  for (const { key } of items) yield* changed(key, "lobby")
  yield* TestClock.adjust("5 minutes")
  yield* plane.forgetRequests
  return items
})

/** The budget of this minute, before anything else is published. */
const useUp = Effect.gen(function*() {
  for (let n = 2; n <= 11; n++) yield* changed(`ET-${n}`, "hall")
  yield* TestClock.adjust("10 seconds")
  yield* (yield* PlaneSimulator).forgetRequests
})

const settings = { ORCH_PLANE_RATE_LIMIT: "10/minute", ORCH_PLANE_CONCURRENCY: "1" }

/** What Plane received, in order: the work item's number and the kind of request. */
const received = Effect.gen(function*() {
  const plane = yield* PlaneSimulator
  const items = yield* plane.workItems
  return (yield* plane.requests).map(({ kind, method, path }) =>
    `${items.find(({ id }) => path.includes(id))?.number ?? path.match(/ET-(\d+)/)?.[1] ?? "?"} ${method} ${kind}`
  )
})

describe("when the budget is short", () => {
  it.effect("published events are folded while all wait for a slot, so that they do not pile up", () =>
    Effect.gen(function*() {
      const { read, sql } = yield* Storage
      const plane = yield* PlaneSimulator
      yield* found
      yield* plane.misbehave(Fault.Status({ match: {}, count: 1, status: 429, headers: { "retry-after": "300" } }))
      yield* changed("ET-1", "hall")
      yield* TestClock.adjust("10 seconds")
      yield* plane.forgetRequests
      for (let n = 2; n <= 11; n++) yield* changed(`ET-${n}`, "hall")
      yield* TestClock.adjust("10 seconds")
      assert.lengthOf(yield* plane.requests, 0)
      const [row] = yield* read(sql`SELECT count(*) AS new FROM plane_sync_event WHERE folded = 0`)
      assert.deepStrictEqual(row, { new: 0 })
    }).pipe(Effect.provide(inMemory({ settings }))))

  it.effect("gate failures go first, then states, then stage comments; within a work item the order stands", () =>
    Effect.gen(function*() {
      yield* found
      yield* useUp
      for (let n = 1; n <= 12; n++) yield* changed(`ET-${n}`, "kitchen")
      yield* changed("ET-13", "done")
      yield* changed("ET-14", "garden")
      yield* failed("ET-14")
      yield* failed("ET-15")
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual((yield* received).slice(0, 6), [
        "14 POST comments",
        "15 POST comments",
        "14 POST comments",
        "13 GET item",
        "13 PATCH item",
        "1 POST comments"
      ])
    }).pipe(Effect.provide(inMemory({ settings }))))

  it.effect("nothing waits for ever: after ORCH_PLANE_URGENT_AFTER it is as urgent as anything", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      yield* found
      yield* useUp
      yield* changed("ET-1", "kitchen")
      // More gate failures than the budget has room for, minute after minute.
      for (let minute = 0; minute < 5; minute++) {
        for (let n = 2; n <= 15; n++) {
          yield* publish(
            StageEvent.QualityGateFailed({ workItem: `ET-${n}`, stage: "review", check: "lint", reason: `${minute}` })
          )
        }
        yield* TestClock.adjust("1 minutes")
      }
      const index = (yield* received).indexOf("1 POST comments")
      const at = (yield* plane.requests)[index]?.at ?? Infinity
      assert.isAtLeast(at, 5 * 60_000 + 120_000)
      assert.isAtMost(at, 5 * 60_000 + 200_000)
    }).pipe(Effect.provide(inMemory({ settings: { ...settings, ORCH_PLANE_URGENT_AFTER: "2 minutes" } }))))
})
