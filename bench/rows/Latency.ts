import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Array, Clock, Data, Effect } from "effect"
import { StageEvents } from "../../src/events/StageEvents.js"
import type { Row } from "../Figure.js"
import { Aim } from "../Figure.js"
import { spoken } from "../Load.js"
import { delivered, pipeline } from "../Pipelines.js"
import { startWith } from "../SimulatorProcess.js"
import { percentile } from "../Statistics.js"

const events = 100
// Long enough for the event before to be told, and for everything to be quiet again.
const idle = "100 millis"
const warmUp = 20

class NeverTold extends Data.TaggedError("NeverTold")<{ readonly id: string }> {
  override get message(): string {
    return `Plane never recorded the comment of ${this.id}`
  }
}

/** How soon an event is seen in Plane. */
export const row: Row = {
  name: "latency",
  description: "from publish to the comment recorded by Plane, when nothing else is going on",
  measure: Effect.gen(function*() {
    const plane = yield* startWith({ record: 1_000 })
    yield* plane.addWorkItem("The only one")
    const idOf = (index: number) => `latency-${index}`
    const published = yield* Effect.gen(function*() {
      const { publish } = yield* StageEvents
      return yield* Effect.forEach(Array.range(1, warmUp + events), (index) =>
        Effect.gen(function*() {
          yield* Effect.sleep(idle)
          const at = yield* Clock.currentTimeMillis
          yield* publish(spoken("ET-1", idOf(index)))
          return { id: idOf(index), at }
        })).pipe(Effect.zipLeft(delivered))
    }).pipe(Effect.provide(pipeline({
      ORCH_PLANE_API_URL: plane.url,
      ORCH_PLANE_API_TOKEN: plane.token,
      ORCH_PLANE_RATE_LIMIT: "1000000/second"
    })))
    const comments = (yield* plane.requests).filter(({ method }) => method === "POST")
    const millis = yield* Effect.forEach(published, ({ at, id }) => {
      const recorded = comments.find(({ body }) => body.includes(`"${id}:`))?.answeredAt
      return recorded === undefined || recorded === null ? new NeverTold({ id }) : Effect.succeed(recorded - at)
    })
    const measured = millis.slice(warmUp)
    return Array.isNonEmptyArray(measured)
      ? [{
        row: "latency: publish to comment, idle",
        value: percentile(measured, 0.5),
        unit: "ms p50",
        aim: Aim.AtMost({ limit: 25 }),
        beside: { what: "ms p99", value: percentile(measured, 0.99) },
        means: "how soon a person who watches Plane sees what happened"
      }]
      : []
  }).pipe(Effect.provide(NodeHttpClient.layer))
}
