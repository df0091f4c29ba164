import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Array, Effect } from "effect"
import { bareRequests } from "../BareRequests.js"
import type { Row } from "../Figure.js"
import { startWith } from "../SimulatorProcess.js"
import { median } from "../Statistics.js"
import { toldRound } from "../ToldRound.js"

const rounds = 3

/** How much of the bare requests' pace is left with durability, order and one writer per work item. */
export const row: Row = {
  name: "end-to-end",
  description: "500 work items told without a limit, beside a bare loop of the same requests",
  measure: Effect.gen(function*() {
    const plane = yield* startWith({ record: 10_000 })
    const round = (index: number) =>
      Effect.gen(function*() {
        const { millis, requests } = yield* toldRound(plane, index)
        const beside = yield* bareRequests(plane, requests)
        return { ours: requests.length / millis * 1_000, bare: requests.length / beside.millis * 1_000 }
      })
    // The first round warms up: it compiles the code on both sides.
    yield* round(0)
    const measured = yield* Effect.forEach(Array.range(1, rounds), round)
    return [{
      row: `end-to-end: 500 work items`,
      value: median(Array.map(measured, ({ bare, ours }) => ours / bare)),
      unit: "× a bare loop",
      beside: {
        what: `requests a second by the loop, ${Math.round(median(Array.map(measured, ({ ours }) => ours)))} by us`,
        value: median(Array.map(measured, ({ bare }) => bare))
      },
      means: "plane-sync does not slow down a faster Plane"
    }]
  }).pipe(Effect.provide(NodeHttpClient.layer))
}
