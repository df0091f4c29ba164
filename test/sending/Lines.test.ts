import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, TestClock } from "effect"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { overPlane } from "./Pipeline.js"

/** Runs with all log lines from info on collected. */
const logged = <A, E>(work: (lines: ReadonlyArray<string>) => Effect.Effect<A, E, StageEvents | PlaneSimulator>) => {
  const lines: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => {
    lines.push(`${logLevel.label} ${Array.isArray(message) ? message.join(" ") : String(message)}`)
  })
  return work(lines).pipe(
    Effect.provide(
      overPlane().pipe(
        Layer.provideMerge(Logger.replace(Logger.defaultLogger, logger)),
        Layer.provideMerge(PlaneSimulator.layerMemory())
      )
    )
  )
}

const publish = (event: StageEvent) => Effect.flatMap(StageEvents, (events) => events.publish(event))

describe("the log", () => {
  it.effect("has one line for each comment that is told, with the key and the state, and no uuid", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const { key } = yield* plane.addWorkItem({ name: "Trail map" })
        // With zeros, as some write it: Plane shows none.
        const workItem = key.replace("-", "-00")
        yield* plane.addWorkItem({ name: "Another" })
        yield* publish(StageEvent.StageChanged({ workItem, from: "analysis", to: "architecture" }))
        yield* TestClock.adjust("1 second")
        yield* publish(
          StageEvent.QualityGateFailed({ workItem, stage: "review", check: "lint", reason: "\u001b[31m\ntwo" })
        )
        yield* TestClock.adjust("1 second")
        const told = lines.filter((line) => line.includes(key))
        assert.deepStrictEqual(told, [
          `INFO ${key}: told "🔄 Stage: analysis → architecture" and set In Progress`,
          `INFO ${key}: told "⚠️ QG failed at review: lint — [31m two"`
        ])
        assert.notMatch(lines.join("\n"), /[0-9a-f]{8}-[0-9a-f]{4}-/)
      })
    ))

  it.effect("says once that all is told, after Plane was closed", () =>
    logged((lines) =>
      Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const { key } = yield* plane.addWorkItem({ name: "Trail map" })
        yield* TestClock.adjust("1 second")
        yield* plane.misbehave(Fault.Status({ match: {}, status: 503 }))
        yield* publish(StageEvent.TaskCompleted({ workItem: key }))
        yield* TestClock.adjust("5 minutes")
        const allTold = () => lines.filter((line) => line.includes("All told"))
        assert.deepStrictEqual(allTold(), [])
        yield* plane.calm
        yield* TestClock.adjust("5 minutes")
        assert.lengthOf(allTold(), 1)
        assert.match(allTold()[0] ?? "", /^INFO All told: nothing is owed to Plane any more, after \d+m/)
        yield* publish(StageEvent.TaskCompleted({ workItem: key }))
        yield* TestClock.adjust("5 minutes")
        assert.lengthOf(allTold(), 1)
      })
    ))
})
