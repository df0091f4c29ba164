import { Array, Data, Effect, TestClock, TestContext } from "effect"
import { StageEvents } from "../../src/events/StageEvents.js"
import { PlaneSync } from "../../src/sending/PlaneSync.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import type { Row } from "../Figure.js"
import { Aim } from "../Figure.js"
import { changed } from "../Load.js"
import { pipelineInMemory } from "../Pipelines.js"
import * as SpecificationWay from "../SpecificationWay.js"

const tasks = 50
const transitions = Array.makeBy(1_000, (index) => changed(index, tasks))

class NotTold extends Data.TaggedError("NotTold")<{ readonly pending: number; readonly dead: number }> {
  override get message(): string {
    return `Requests cannot be counted: ${this.pending} events are still owed, ${this.dead} are dead letters`
  }
}

const withTasks = <A, E, R>(counted: (plane: PlaneSimulator["Type"]) => Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    for (let n = 1; n <= tasks; n++) yield* plane.addWorkItem({ name: `Task ${n}` })
    return yield* counted(plane)
  }).pipe(Effect.provide(PlaneSimulator.layerMemory({ rateLimit: "off" })))

/** All received requests, also those that met a Plane that is away, and its probes. */
const ours = withTasks((plane) =>
  Effect.gen(function*() {
    const events = yield* StageEvents
    const { outbox } = yield* PlaneSync
    yield* plane.misbehave(Fault.Down({}))
    for (const transition of transitions) yield* events.publish(transition)
    yield* TestClock.adjust("10 minutes")
    yield* plane.calm
    yield* TestClock.adjust("10 minutes")
    const { dead, pending } = yield* outbox
    if (pending > 0 || dead > 0) return yield* new NotTold({ pending, dead })
    return (yield* plane.requests).length
  }).pipe(
    Effect.provide(pipelineInMemory({ ORCH_PLANE_API_URL: plane.url, ORCH_PLANE_API_TOKEN: plane.token }))
  )
)

/**
 * With a Plane that is never away: while it is away, the specification's way sends as many requests, and loses them.
 */
const specificationWay = withTasks((plane) =>
  Effect.gen(function*() {
    const way = yield* SpecificationWay.make(plane)
    yield* Effect.forEach(transitions, way.write, { discard: true })
    return (yield* plane.requests).length
  })
)

/** The cost of catching up. */
export const row: Row = {
  name: "backlog",
  description: "requests for 1,000 transitions of 50 tasks that were published while Plane was away",
  measure: Effect.gen(function*() {
    const value = yield* ours
    return [{
      row: "backlog: 1,000 transitions of 50 tasks",
      value,
      unit: "requests",
      aim: Aim.AtMost({ limit: 250 }),
      beside: { what: "the specification's way, Plane never away", value: yield* specificationWay },
      means: "at 60 a minute, the minutes until Plane shows all events after an outage"
    }]
  }).pipe(Effect.provide(TestContext.TestContext))
}
