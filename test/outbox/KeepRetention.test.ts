import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Logger, TestClock } from "effect"
import type { EpochMillis } from "../../src/base/Time.js"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { pruneHourly } from "../../src/storage/Retention.js"
import { StorageError } from "../../src/storage/StorageError.js"
import { Storage } from "../../src/StorageLayers.js"
import { inMemory } from "../sending/Pipeline.js"

describe("retention", () => {
  it.effect(
    "what was delivered is deleted after its time, in batches; what is owed or dead stays",
    () =>
      Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const outbox = yield* Outbox
        const { publish } = yield* StageEvents
        const { key } = yield* plane.addWorkItem({ name: "Trail map" })
        const failed = (workItem: string, reason: string) =>
          publish(StageEvent.QualityGateFailed({ workItem, stage: "review", check: "lint", reason }))
        yield* Effect.forEach(Array.from({ length: 1_200 }), (_, i) => failed("XX-1", `reason ${i}`), {
          concurrency: "unbounded"
        })
        yield* TestClock.adjust("1 minutes")
        assert.strictEqual(yield* outbox.discard({ code: "wrong_project" }), 1_200)
        yield* failed(key, "delivered")
        yield* failed("XX-1", "dead")
        yield* TestClock.adjust("70 minutes")
        assert.deepInclude(yield* outbox.status, { discarded: 1_200, delivered: 1, dead: 1, pending: 0 })
        yield* failed(key, "young")
        yield* TestClock.adjust("55 minutes")
        assert.deepInclude(yield* outbox.status, { discarded: 0, delivered: 1, dead: 1, pending: 0 })
      }).pipe(Effect.provide(
        inMemory({
          plane: { rateLimit: "off" },
          settings: { ORCH_RETENTION: "90 minutes", ORCH_PLANE_RATE_LIMIT: "100000/second" }
        })
      )),
    40_000
  )

  it.scoped("goes on with the same batch each second while storage fails, and says so", () => {
    const lines: Array<string> = []
    const busy = new StorageError({ reason: "Busy", where: "a file", words: "locked" })
    const asked: Array<EpochMillis> = []
    return Effect.gen(function*() {
      yield* TestClock.setTime(100_000)
      yield* pruneHourly((before) =>
        Effect.suspend(() => {
          asked.push(before)
          return asked.length < 3 ? busy : Effect.succeed(asked.length === 3)
        }), Duration.minutes(1))
      yield* TestClock.adjust("3 seconds")
      assert.deepStrictEqual(asked, [40_000, 40_000, 40_000, 42_050])
      assert.lengthOf(lines, 2)
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(asked, 5)
    }).pipe(
      Effect.provide(Layer.merge(
        Storage.layerFile(":memory:"),
        Logger.replace(Logger.defaultLogger, Logger.make(({ message }) => void lines.push(String(message))))
      ))
    )
  })
})
