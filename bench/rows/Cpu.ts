import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Array, Effect } from "effect"
import { bareRequests } from "../BareRequests.js"
import type { Row } from "../Figure.js"
import { Aim } from "../Figure.js"
import { startWith } from "../SimulatorProcess.js"
import { median } from "../Statistics.js"
import { toldRound, workItems } from "../ToldRound.js"

const rounds = 5

/** What an event costs the process that has the pipeline, from its publish to its last request. */
export const row: Row = {
  name: "cpu",
  description: "the computing time of an event, from its publish until Plane has its state and its comment",
  measure: Effect.gen(function*() {
    const plane = yield* startWith({ record: 10_000 })
    const round = (index: number) =>
      Effect.gen(function*() {
        const { cpuMillis, requests } = yield* toldRound(plane, index)
        const bare = yield* bareRequests(plane, requests)
        return {
          perEvent: cpuMillis / workItems,
          bare: bare.cpuMillis / workItems,
          requests: requests.length / workItems
        }
      })
    // The first rounds compile the code.
    yield* Effect.forEach([0, 1], round)
    const measured = yield* Effect.forEach(Array.range(2, rounds + 1), round)
    return [{
      row: "cpu: an event told",
      value: median(Array.map(measured, ({ perEvent }) => perEvent)),
      unit: "ms of CPU",
      aim: Aim.AtMost({ limit: 1 }),
      beside: {
        what: `by the same requests alone, ${median(Array.map(measured, ({ requests }) => requests))} for each`,
        value: median(Array.map(measured, ({ bare }) => bare))
      },
      means: "what is taken from the orchestrator's own work"
    }]
  }).pipe(Effect.provide(NodeHttpClient.layer))
}
