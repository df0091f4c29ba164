import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { inMemory } from "./Pipeline.js"

const publish = (event: StageEvent) => Effect.flatMap(StageEvents, (events) => events.publish(event))

const addWorkItem = Effect.flatMap(PlaneSimulator, (plane) => plane.addWorkItem({ name: "North climb" }))

const gateFailed = (workItem: string, n: number) =>
  StageEvent.QualityGateFailed({ workItem, stage: "review", check: `lint ${n}`, reason: `${n} errors` })

const begun = (workItem: string) => StageEvent.StageChanged({ workItem, from: "created", to: "analysis" })

/** So many events are owed, of so many work items in turn. */
const backlog = (events: number, workItems: number, made: (workItem: string, n: number) => StageEvent = gateFailed) =>
  Effect.gen(function*() {
    const items = yield* Effect.replicateEffect(addWorkItem, workItems)
    for (let n = 0; n < events; n++) yield* publish(made(items[n % workItems]?.key ?? "", n))
  })

const owed = Effect.map(Effect.flatMap(Outbox, ({ status }) => status), ({ pending }) => pending)

/** After how many seconds the first comment of a new task is there, as looked at twice a second. */
const secondsToFirstWord = Effect.gen(function*() {
  const plane = yield* PlaneSimulator
  const { id, key } = yield* addWorkItem
  yield* publish(begun(key))
  for (let steps = 1; steps < 60; steps++) {
    yield* TestClock.adjust("500 millis")
    if ((yield* plane.comments(id)).length > 0) return steps / 2
  }
  return Infinity
})

/** The same for so many tasks, of which one begins each minute. */
const eachMinute = (tasks: number) =>
  Effect.forEach(
    Array.from({ length: tasks }),
    () => Effect.tap(secondsToFirstWord, (took) => TestClock.adjust(`${60 - Math.min(60, took)} seconds`))
  )

describe("the first word of a new task", () => {
  it.effect("is there within 10 s, with 1,000 other events owed at 60 a minute and a new task each minute", () =>
    Effect.gen(function*() {
      yield* backlog(1_000, 40)
      yield* TestClock.adjust("5 minutes")
      const took = yield* eachMinute(4)
      assert.isAtMost(Math.max(...took), 10, took.join(", "))
      assert.isAbove(yield* owed, 200, "there is a backlog all the time")
    }).pipe(Effect.provide(inMemory())))

  it.effect("also where all the others are new tasks, too, whose own first words come on", () =>
    Effect.gen(function*() {
      yield* backlog(1_000, 1_000)
      const took = yield* eachMinute(3)
      assert.isAtMost(Math.max(...took), 10, took.join(", "))
      assert.isAbove(yield* owed, 500)
    }).pipe(Effect.provide(inMemory())))

  it.effect("takes no more than its share: what is urgent goes on, however many tasks begin", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* addWorkItem
      yield* publish(begun(key))
      yield* TestClock.adjust("10 seconds")
      yield* backlog(300, 300, begun)
      yield* TestClock.adjust("2 minutes")
      yield* publish(StageEvent.TaskCompleted({ workItem: key }))
      yield* TestClock.adjust("70 seconds")
      assert.lengthOf(yield* plane.comments(id), 2)
    }).pipe(Effect.provide(inMemory())))
})
