import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { Effect, Logger } from "effect"
import { PlaneSimulator } from "../src/simulator/PlaneSimulator.js"
import { deliver } from "./Gitea.js"
import { planeOptions } from "./Projects.js"
import * as Service from "./Service.js"

const publishes = 150
const headSha = "0f2e4b6d8a0c1e3f5a7b9c1d3e5f708192a3b4c5"
const pullRequest = { number: 1, branch: "et-1-warm", title: "ET-1: warm", headSha }

/**
 * Runs plane-sync for a moment at another Plane, on another file. Code that runs for the first time is compiled and
 * loaded, which takes much longer than what it does, and says nothing of a service that runs for days.
 */
export const warmUp = Effect.gen(function*() {
  const directory = yield* Service.makeDirectory
  const plane = yield* PlaneSimulator
  yield* plane.addWorkItem({ name: "Warm up", number: 1 })
  yield* Effect.gen(function*() {
    const baseUrl = yield* Service.address
    const client = HttpClient.mapRequest(yield* HttpClient.HttpClient, HttpClientRequest.prependUrl(baseUrl))
    const post = (path: string, body: unknown) =>
      client.execute(HttpClientRequest.bodyUnsafeJson(HttpClientRequest.post(path), body))
    yield* post("/api/tasks", { workItem: "ET-1" })
    for (const stage of ["analysis", "architecture"]) {
      yield* post("/api/tasks/ET-1/report", { stage, outcome: "passed" })
    }
    const gitea = deliver(client, Service.secrets.gitea)
    yield* gitea({ _tag: "PullRequest", action: "opened" }, pullRequest)
    for (const state of ["failure", "success", "failure", "success"] as const) {
      yield* gitea({ _tag: "Status", state, description: "" }, pullRequest)
    }
    const event = { type: "stage_changed", workItem: "ET-1", from: "analysis", to: "architecture" }
    yield* Effect.repeatN(post("/api/events", event), publishes - 1)
  }).pipe(Effect.provide(Service.layer({ directory, logger: Logger.none })))
}).pipe(
  Effect.scoped,
  Effect.provide(PlaneSimulator.layer({ ...planeOptions, rateLimit: "off" })),
  // A machine that is too busy for this gets figures that say so.
  Effect.timeoutOption("6 seconds")
)
