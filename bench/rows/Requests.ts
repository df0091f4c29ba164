import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Data, Effect, Layer } from "effect"
import { stages } from "../../src/domain/Stage.js"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { PlaneSync } from "../../src/sync/PlaneSync.js"
import { StageEvents } from "../../src/sync/StageEvents.js"
import type { Row } from "../Figure.js"
import { Aim } from "../Figure.js"
import { pipeline } from "../Pipelines.js"
import * as SpecificationWay from "../SpecificationWay.js"

class NotTold extends Data.TaggedError("NotTold")<{ readonly who: string; readonly what: string }> {
  override get message(): string {
    return `Requests cannot be counted: ${this.who} left Plane with ${this.what}`
  }
}

/** A task's life: its seven changes of stage, and that it is done. */
const life = (workItem: string): ReadonlyArray<StageEvent> => [
  ...stages.slice(1).map((to, index) => StageEvent.StageChanged({ workItem, from: stages[index] ?? "", to })),
  StageEvent.TaskCompleted({ workItem })
]

const delivered = Effect.gen(function*() {
  const { outbox } = yield* PlaneSync
  while ((yield* outbox).pending > 0) yield* Effect.sleep("5 millis")
}).pipe(Effect.timeout("30 seconds"))

/** How many requests the simulator received from `writing` until Plane told all of the work item's life. */
const counted = <E, R>(
  who: string,
  writing: (key: string) => Effect.Effect<void, E, R>,
  spell: (n: number) => string
) =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    const item = yield* plane.addWorkItem({ name: "Ride along the river" })
    yield* plane.forgetRequests
    yield* writing(spell(item.number))
    const { length } = yield* plane.requests
    // Requests that told nothing would be few for the wrong reason.
    const comments = yield* plane.comments(item.id)
    const { state } = yield* plane.workItem(item.id)
    if (comments.length !== stages.length || state.name !== "Done") {
      return yield* new NotTold({ who, what: `${comments.length} comments and state ${state.name}` })
    }
    return length
  })

const byPipeline = (spell: (n: number) => string) =>
  Effect.gen(function*() {
    const { token, url } = yield* PlaneSimulator
    const run = (key: string) =>
      Effect.gen(function*() {
        const events = yield* StageEvents
        for (const event of life(key)) {
          yield* events.publish(event)
          yield* delivered
        }
      }).pipe(Effect.provide(pipeline({ ORCH_PLANE_API_URL: url, ORCH_PLANE_API_TOKEN: token })))
    return yield* counted("plane-sync", run, spell)
  })

const plain = (number: number) => `ET-${number}`
const withZeros = (number: number) => `ET-${String(number).padStart(3, "0")}`

/** What one task's life costs of the 60 requests that Plane allows in a minute. */
export const row: Row = {
  name: "requests",
  description: "requests for one task's life, each event published after the last was delivered",
  measure: Effect.gen(function*() {
    const way = yield* SpecificationWay.make(yield* PlaneSimulator)
    const theirs = yield* counted(
      "the specification's way",
      (key) => Effect.forEach(life(key), way.write, { discard: true }),
      plain
    )
    const beside = { what: "the specification's way", value: theirs }
    const ofPlain = yield* byPipeline(plain)
    const ofZeros = yield* byPipeline(withZeros)
    return [
      {
        row: "requests: a task's life",
        value: ofPlain,
        unit: "requests",
        aim: Aim.AtMost({ limit: 11 }),
        beside,
        means: "how much of Plane's 60 a minute one task uses up"
      },
      {
        row: "requests: a task's life, key with leading zeros",
        value: ofZeros,
        unit: "requests",
        aim: Aim.AtMost({ limit: 12 }),
        beside,
        means: "a name like ET-002 costs one look more, once"
      }
    ]
  }).pipe(Effect.provide(Layer.merge(PlaneSimulator.layer({ rateLimit: "off" }), NodeHttpClient.layer)))
}
