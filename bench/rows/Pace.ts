import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Array, Effect } from "effect"
import { StageEvents } from "../../src/events/StageEvents.js"
import type { Row } from "../Figure.js"
import { Aim } from "../Figure.js"
import { changed, failed } from "../Load.js"
import { delivered, pipeline } from "../Pipelines.js"
import { startWith } from "../SimulatorProcess.js"

const perWindow = 60
const windowMillis = 1_000
// Each has a state and two comments, which is 300 requests, and a page of the list comes on top.
const workItems = 100

/** How much of the budget a backlog uses. */
export const row: Row = {
  name: "pace",
  description: "how soon a backlog of 300 requests is sent at 60 a second, in real time",
  measure: Effect.gen(function*() {
    const plane = yield* startWith({ limit: { requests: perWindow, windowMillis } })
    yield* Effect.forEach(Array.range(1, workItems), (n) => plane.addWorkItem(`Task ${n}`), { discard: true })
    yield* Effect.gen(function*() {
      const events = yield* StageEvents
      yield* Effect.forEach(
        Array.range(0, workItems - 1),
        (index) => Effect.zipRight(events.publish(changed(index, workItems)), events.publish(failed(index, workItems))),
        { concurrency: "unbounded", discard: true }
      )
      yield* delivered
    }).pipe(Effect.provide(pipeline({
      ORCH_PLANE_API_URL: plane.url,
      ORCH_PLANE_API_TOKEN: plane.token,
      ORCH_PLANE_RATE_LIMIT: `${perWindow}/second`
    })))
    const requests = yield* plane.requests
    const windows = Math.ceil(requests.length / perWindow) - 1
    const millis = Math.max(...requests.map(({ at }) => at)) - Math.min(...requests.map(({ at }) => at))
    return [{
      row: `pace: the last of ${requests.length} requests`,
      value: millis / (windows * windowMillis),
      unit: `× the ${windows} windows it must wait`,
      aim: Aim.AtMost({ limit: 1.05 }),
      means: "how much of what Plane allows is used while there is a backlog"
    }, {
      row: "pace: answers 429",
      value: requests.filter(({ status }) => status === 429).length,
      unit: "answers",
      aim: Aim.AtMost({ limit: 0 }),
      means: "it does not get other programs' requests with this key refused"
    }]
  }).pipe(Effect.provide(NodeHttpClient.layer))
}
