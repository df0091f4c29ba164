import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { Array, Effect } from "effect"
import { connections } from "../../src/base/Connections.js"
import type { Row } from "../Figure.js"
import { timed } from "../Pace.js"
import type { Received, SimulatorProcess } from "../SimulatorProcess.js"
import { startWith } from "../SimulatorProcess.js"
import { median } from "../Statistics.js"
import { NotAnswered, toldRound } from "../ToldRound.js"

const rounds = 3
// The pipeline's default.
const concurrency = 8

/** The same requests, one after the other, by as many at once, through the same client. */
const bare = (plane: SimulatorProcess, requests: ReadonlyArray<Received>) =>
  Effect.flatMap(HttpClient.HttpClient, (client) => {
    const send = ({ body, method, path, query }: Received) => {
      const request = method === "POST"
        ? HttpClientRequest.post
        : method === "PATCH"
        ? HttpClientRequest.patch
        : HttpClientRequest.get
      return request(`${plane.url}${path}${query === "" ? "" : `?${query}`}`).pipe(
        HttpClientRequest.setHeader("x-api-key", plane.token),
        // A comment that Plane has already would be refused, which is less work.
        body === ""
          ? (same) => same
          : HttpClientRequest.bodyText(
            body.replace("\"external_id\":\"", "\"external_id\":\"again-"),
            "application/json"
          ),
        client.execute,
        Effect.flatMap((response) =>
          Effect.filterOrFail(
            response.text,
            () => response.status < 300,
            () => new NotAnswered({ status: response.status, path })
          )
        )
      )
    }
    return timed(Effect.forEach(requests, send, { concurrency, discard: true }))
  }).pipe(Effect.provide(connections))

/** How much of the bare requests' pace is left with durability, order and one writer per work item. */
export const row: Row = {
  name: "end-to-end",
  description: "500 work items told without a limit, beside a bare loop of the same requests",
  measure: Effect.gen(function*() {
    const plane = yield* startWith({ record: 10_000 })
    const round = (index: number) =>
      Effect.gen(function*() {
        const { millis, requests } = yield* toldRound(plane, index)
        const beside = yield* bare(plane, requests)
        return { ours: requests.length / millis * 1_000, bare: requests.length / beside * 1_000 }
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
