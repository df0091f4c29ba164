import type { Duration } from "effect"
import { Data, Effect, Layer, TestClock, TestContext } from "effect"
import { stages } from "../../src/domain/Stage.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import * as DirectWay from "../DirectWay.js"
import type { Figure, Row } from "../Figure.js"
import { Aim } from "../Figure.js"
import { life } from "../Load.js"
import type { Settings } from "../Pipelines.js"
import { pipelineInMemory } from "../Pipelines.js"

class NotTold extends Data.TaggedError("NotTold")<{ readonly who: string; readonly what: string }> {
  override get message(): string {
    return `Requests cannot be counted: ${this.who} left Plane with ${this.what}`
  }
}

/** How many requests the simulator received from `writing` until Plane had all of the work item's life. */
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
    // If nothing was told, few requests would be no merit.
    const comments = yield* plane.comments(item.id)
    const { state } = yield* plane.workItem(item.id)
    if (comments.length !== stages.length || state.name !== "Done") {
      return yield* new NotTold({ who, what: `${comments.length} comments and state ${state.name}` })
    }
    return length
  })

// An agent works on a stage for minutes, so what was read of the work item before it is no longer relied on after it.
const stageTakes: Duration.DurationInput = "5 minutes"

const byPipeline = (settings: Settings, spell: (n: number) => string) =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    const { token, url } = plane
    const run = (key: string) =>
      Effect.gen(function*() {
        const events = yield* StageEvents
        // A start costs two requests, however many tasks there are: one for the project, and one for its states.
        yield* TestClock.adjust("1 seconds")
        yield* plane.forgetRequests
        for (const event of life(key)) {
          yield* events.publish(event)
          yield* TestClock.adjust(stageTakes)
        }
      }).pipe(
        Effect.provide(pipelineInMemory({ ORCH_PLANE_API_URL: url, ORCH_PLANE_API_TOKEN: token, ...settings }))
      )
    return yield* counted("plane-sync", run, spell)
  })

const spellings = [
  { name: "", means: "", more: 0, spell: (number: number) => `ET-${number}` },
  {
    name: ", key with leading zeros",
    means: "; a name like ET-002 costs one look more, once",
    more: 1,
    spell: (number: number) => `ET-${String(number).padStart(3, "0")}`
  }
]

const ways = [
  {
    name: "requests: a task's life",
    aim: 12,
    settings: {},
    means: "how much of Plane's 60 a minute one task uses up"
  },
  {
    name: "requests: a task's life, force",
    aim: 11,
    settings: { ORCH_PLANE_ON_CONFLICT: "force" },
    means: "the same without the look that lets a person's cancel stand"
  }
]

/** How many of the 60 requests that Plane allows in a minute one task's life costs. */
export const row: Row = {
  name: "requests",
  description: "requests for one task's life, five minutes a stage",
  measure: Effect.gen(function*() {
    const way = yield* DirectWay.make(yield* PlaneSimulator)
    const value = yield* counted(
      "the direct way",
      (key) => Effect.forEach(life(key), way.write, { discard: true }),
      (number) => `ET-${number}`
    )
    const beside = { what: "the direct way", value }
    return yield* Effect.forEach(
      ways.flatMap((way) => spellings.map((spelling) => ({ way, spelling }))),
      ({ spelling, way }) =>
        Effect.map(byPipeline(way.settings, spelling.spell), (value): Figure => ({
          row: way.name + spelling.name,
          value,
          unit: "requests",
          aim: Aim.AtMost({ limit: way.aim + spelling.more }),
          beside,
          means: way.means + spelling.means
        }))
    )
  }).pipe(
    Effect.provide(Layer.provideMerge(PlaneSimulator.layerMemory({ rateLimit: "off" }), TestContext.TestContext))
  )
}
