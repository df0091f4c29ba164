import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { Effect } from "effect"
import { connections } from "../src/base/Connections.js"
import { timed } from "./Pace.js"
import type { Received, SimulatorProcess } from "./SimulatorProcess.js"
import { NotAnswered } from "./ToldRound.js"

// The pipeline's default.
const concurrency = 8

/**
 * The same requests, one after the other, by as many at once, through the same client: the time of all, and what this
 * process has computed for them.
 */
export const bareRequests = (plane: SimulatorProcess, requests: ReadonlyArray<Received>) =>
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
    return Effect.gen(function*() {
      const before = process.cpuUsage()
      const millis = yield* timed(Effect.forEach(requests, send, { concurrency, discard: true }))
      const { system, user } = process.cpuUsage(before)
      return { millis, cpuMillis: (system + user) / 1_000 }
    })
  }).pipe(Effect.provide(connections))
