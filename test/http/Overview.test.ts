import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule, Schema } from "effect"
import { Overview } from "../../src/overview/OverviewView.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { moveBody, pullBody, scene, sha, statusBody } from "../webhooks/Scene.js"
import { post, request, served, withPlane } from "./Server.js"

const read = (url: string, headers: Readonly<Record<string, string>> = {}) =>
  Effect.map(request(`${url}/api/overview`, { headers }), ({ body }) => Schema.decodeUnknownSync(Overview)(body))

const until = (url: string, holds: (seen: typeof Overview.Type) => boolean) =>
  Effect.repeat(read(url), { until: holds, schedule: Schedule.spaced("20 millis") }).pipe(
    Effect.zipRight(read(url)),
    Effect.timeout("20 seconds")
  )

describe("/api/overview", () => {
  it.live("names a revoked key, a question and a red build, and what to do about each", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      yield* plane.revokeToken
      const at = yield* scene({ ORCH_COMMANDS: "mira@example.org" })
      for (const number of [1, 2]) yield* at.plane(moveBody({ number, to: "inProgress", at: 1 }))
      yield* at.settled
      const asked = yield* request(`${at.url}/api/tasks/ET-1/ask`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ question: "May the old table be dropped?", agent: "analyst" })
      })
      assert.strictEqual(asked.status, 200)
      yield* at.reported(2)
      yield* at.settled
      yield* at.gitea("pull_request", pullBody("pull_request_opened", { number: 12, workItem: 2, head: sha("red") }))
      yield* at.gitea("status", statusBody({ id: 1, sha: sha("red"), state: "failure", context: "build/tiles" }))
      yield* at.settled
      const seen = yield* until(at.url, ({ needs }) => needs.length === 3)
      assert.deepStrictEqual(seen.headline, [
        "Plane is closed: it refuses the key of ET.",
        "An agent asks a question and a build is red."
      ])
      assert.match(seen.below, /^Nothing is lost\. The \d+ events that are owed are told as soon as Plane/)
      assert.strictEqual(seen.severity, "broken")
      assert.deepStrictEqual(
        seen.needs.map(({ actions, label, title }) => [label, title, actions[0]?.label]),
        [
          ["Key refused", "Plane does not take the key of ET", "Open Plane"],
          ["Question", "ET-1 Mark the river crossing", "Answer in Plane"],
          ["Red build", "ET-2 Mark the river crossing", "Open the build"]
        ]
      )
      const [key, question, build] = seen.needs.map(({ remedy }) => remedy)
      assert.include(key, "set it as `ORCH_PLANE_API_TOKEN`, and restart")
      assert.include(question, "Comment `/answer` and your words on ET-1")
      assert.include(build, "Push a fix to pull request 12")
      assert.deepInclude(seen.projects[0], { project: "ET", state: "closed", lastToldAt: null })
    }).pipe(Effect.scoped, withPlane), 60_000)

  it.live("says that all is told, when Plane took it, and how the budget is", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { key } = yield* plane.addWorkItem({ name: "Trail map" })
      const url = yield* served()
      yield* post(url, JSON.stringify({ type: "task_completed", workItem: key }))
      const seen = yield* until(url, ({ projects: [first] }) => first?.lastToldAt !== null)
      yield* until(url, ({ owed }) => owed === 0)
      const after = yield* read(url)
      assert.deepStrictEqual(after.headline, ["All told. Nothing needs you."])
      assert.deepStrictEqual([after.severity, after.needsYou, after.dead], ["fine", 0, 0])
      assert.strictEqual(after.toldLastHour, 1)
      assert.strictEqual(seen.projects[0]?.state, "open")
      assert.strictEqual(after.projects[0]?.budget.limit, 60)
      assert.isAbove(after.projects[0]?.budget.used ?? 0, 0)
    }).pipe(Effect.scoped, withPlane))

  it.live("is for those with a token, where one is set", () =>
    Effect.gen(function*() {
      const url = yield* served({ ORCH_API_TOKEN: "api-token-of-the-test" })
      assert.strictEqual((yield* request(`${url}/api/overview`)).status, 401)
      const seen = yield* read(url, { authorization: "Bearer api-token-of-the-test" })
      assert.strictEqual(seen.projects.length, 1)
    }).pipe(Effect.scoped, withPlane))
})
