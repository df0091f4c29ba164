import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { Effect } from "effect"
import { PlaneSimulator } from "../src/simulator/PlaneSimulator.js"
import { deliver } from "./Gitea.js"
import { care, trails } from "./Projects.js"
import { secrets } from "./Service.js"

/** The stages that agents report on before a task is where it stands in the pictures. */
const upTo = (stage: "analysis" | "architecture" | "development") =>
  ["analysis", "architecture"].slice(0, ["analysis", "architecture", "development"].indexOf(stage))

const items = [
  { number: 2, name: "Ride profiles on the trail map", passed: upTo("development") },
  { number: 31, name: "Group rides with a shared map", passed: upTo("analysis") },
  { number: 29, name: "Trail closures from the county's feed", passed: upTo("analysis") },
  { number: 14, name: "Follow a friend's ride live", passed: upTo("architecture") },
  { number: 24, name: "Weather along the route", passed: upTo("development") }
]

const asked = { number: 5, name: "Offline maps for a whole region" }

/**
 * Brings about what the pictures of the page show, at a service that is up: tasks are under way, a build is red, an
 * agent asks, and Plane does not take the API token any more.
 */
export const makeTrouble = (baseUrl: string) =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    const client = (yield* HttpClient.HttpClient).pipe(
      HttpClient.mapRequest(HttpClientRequest.prependUrl(baseUrl)),
      HttpClient.filterStatusOk
    )
    const post = (path: string, body: unknown) =>
      client.execute(HttpClientRequest.bodyUnsafeJson(HttpClientRequest.post(`/api/${path}`), body))
    const ofGitea = deliver(client, secrets.gitea)

    const start = (project: typeof trails, number: number, name: string) =>
      Effect.gen(function*() {
        const { key } = yield* plane.addWorkItem({ name, number, projectId: project.id })
        yield* post("tasks", { workItem: key })
        return key
      })

    const question = yield* start(care, asked.number, asked.name)
    for (const { name, number, passed } of items) {
      const key = yield* start(trails, number, name)
      for (const stage of passed) yield* post(`tasks/${key}/report`, { stage, outcome: "passed" })
    }
    const pullRequest = {
      number: 12,
      branch: "et-2-ride-profiles",
      title: "Ride profiles",
      headSha: "4be1c7d0a52f3e9c8b6a1d7f0e2c4b5a69788f10"
    }
    yield* ofGitea({ _tag: "PullRequest", action: "opened" }, pullRequest)
    // Names are known, and Plane has been told of all that, before it refuses the key.
    yield* Effect.sleep("4 seconds")
    yield* plane.revokeToken
    const page = "https://ci.example.com/trails/enduro/318"
    yield* ofGitea({ _tag: "Status", state: "failure", description: "climb < 0 m & drawn anyway", page }, pullRequest)
    yield* post(`tasks/${question}/ask`, { question: "May map tiles of last month be deleted?", agent: "analyst" })
  })
