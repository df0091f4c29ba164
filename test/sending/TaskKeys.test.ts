import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, TestClock } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { NormalizedKey } from "../../src/domain/WorkItemKey.js"
import { problemOfKey, readItemOfKey } from "../../src/outbox/ItemKeys.js"
import { followTask } from "../../src/outbox/LeftStates.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Storage } from "../../src/StorageLayers.js"
import { inMemory, received } from "./Pipeline.js"

const start = (written: string) =>
  Effect.gen(function*() {
    const { read, sql, write } = yield* Storage
    const key = NormalizedKey(written)
    yield* write(followTask(sql, { key, itemId: undefined, project: "ET" }, EpochMillis(0)))
    yield* (yield* WakeUps).notify
    const problem = Effect.map(
      read(sql<{ problem: string | null }>`SELECT ${problemOfKey(sql, key)} AS problem`),
      ([row]) => row?.problem
    )
    return { problem, itemId: read(readItemOfKey(sql, key)) }
  })

describe("the key of a task that was started by hand", () => {
  it.effect("row 77: is looked up at once, and like any other until the work item is there; a miss is a warning", () => {
    const lines: Array<string> = []
    return Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { itemId, problem } = yield* start("ET-999")
      yield* TestClock.adjust("1 second")
      assert.match((yield* problem) ?? "", /no work item ET-999/)
      const warnings = lines.filter((line) => line.startsWith("WARN"))
      assert.lengthOf(warnings, 1)
      assert.match(warnings.join(), /ET-999 has a task: is the key right\?/)
      const { id } = yield* plane.addWorkItem({ name: "Season plan", number: 999 })
      yield* TestClock.adjust("5 seconds")
      assert.isNull(yield* problem)
      assert.strictEqual(yield* itemId, id)
      yield* plane.forgetRequests
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* received, [])
    }).pipe(Effect.provide(Layer.provideMerge(
      inMemory(),
      Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ logLevel, message }) => void lines.push(`${logLevel.label} ${String(message)}`))
      )
    )))
  })

  it.effect("row 77: that nobody has is looked for no longer than its patience, and again when the task is started again", () =>
    Effect.gen(function*() {
      const { problem } = yield* start("ET-999")
      yield* TestClock.adjust("1 hour")
      assert.match((yield* problem) ?? "", /no work item ET-999/)
      assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 0 })
      const looks = (yield* received).length
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(yield* received, looks)
      yield* start("ET-999")
      yield* TestClock.adjust("1 second")
      assert.isAbove((yield* received).length, looks)
    }).pipe(Effect.provide(inMemory())))
})
