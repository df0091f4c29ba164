import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import type { TaskView } from "../../src/views/TaskView.js"
import { fieldsOf, request, served, withPlane } from "./Server.js"

const alone = served({ ORCH_PLANE_API_TOKEN: "" })

const send = (url: string, path: string, body: unknown) =>
  request(`${url}/api/tasks${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body)
  })

const link = (url: string) => ({ kind: "log", title: "Log", url })

describe("/api/tasks", () => {
  it.live("the links of reports and events are shown in Plane; one that is not fit is refused by its name", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Login form" })
      const url = yield* served()
      yield* send(url, "", { workItem: key })
      const report = (...links: ReadonlyArray<unknown>) =>
        send(url, `/${key}/report`, { stage: "analysis", outcome: "passed", links })
      for (const wrong of ["http://u:s3cret@ci.example.com/", "https://ci.example.com/?token=s3cret"]) {
        const refused = yield* report(link("https://ci.example.com/1"), link(wrong))
        assert.strictEqual(refused.status, 400)
        assert.containSubset(refused.body, { issues: [{ field: "links.1.url" }] })
        assert.notInclude(JSON.stringify(refused.body), "s3cret")
        const event = yield* request(`${url}/api/events`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ type: "task_completed", workItem: key, links: [link(wrong)] })
        })
        assert.strictEqual(event.status, 400)
        assert.containSubset(event.body, { issues: [{ field: "links.0.url" }] })
      }
      assert.strictEqual((yield* report(link("https://ci.example.com/1"))).status, 200)
      yield* Effect.repeat(plane.links(id), { until: (links) => links.length > 0 })
      assert.containSubset(yield* plane.links(id), [{ url: "https://ci.example.com/1", title: "Log" }])
    }).pipe(Effect.scoped, withPlane))

  it.live("starts a task, takes reports, and writes to Plane what came of it", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Login form" })
      const url = yield* served()
      const started = yield* send(url, "", { workItem: item.key })
      assert.strictEqual(started.status, 200)
      assert.containSubset(started.body, {
        workItem: item.key,
        planeId: null,
        stage: "analysis",
        status: "active",
        agent: "analyst",
        verdicts: [{ gate: "reported", verdict: "pending" }, { gate: "started", verdict: "passed", reason: null }]
      })
      const path = `/${item.key.toLowerCase()}/report`
      const failed = yield* send(url, path, { stage: "analysis", outcome: "failed", reason: "no <criteria>" })
      assert.containSubset(failed.body, {
        stage: "analysis",
        verdicts: [{ gate: "reported", verdict: "failed", reason: "no <criteria>" }],
        reports: [{ stage: "analysis", outcome: "failed", reason: "no <criteria>" }]
      })
      const passed = yield* send(url, path, { stage: "analysis", outcome: "passed" })
      assert.containSubset(passed.body, { stage: "architecture", agent: "architect" })
      const pending = request(`${url}/health`).pipe(
        Effect.map(({ body }) => (body as { outbox: { pending: number } }).outbox.pending)
      )
      yield* Effect.repeat(pending, { until: (count) => count === 0 })
      const html = (yield* plane.comments(item.id)).map((comment) => comment.html).join("\n")
      assert.include(html, "QG failed at analysis: reported — no &lt;criteria&gt;")
      assert.include(html, "🔄 Stage: analysis → architecture</p>")
      assert.notInclude(html, "launching")
      assert.strictEqual((yield* plane.workItem(item.id)).state.name, "In Progress")
    }).pipe(Effect.scoped, withPlane))

  it.live("an agent named at the start is every stage's", () =>
    Effect.gen(function*() {
      const url = yield* alone
      const { body } = yield* send(url, "", { workItem: "ET-1", agent: "claude" })
      assert.containSubset(body, { stage: "analysis", agent: "claude" })
      assert.containSubset((yield* send(url, "/ET-01/advance", {})).body, { stage: "analysis", workItem: "ET-1" })
    }).pipe(Effect.scoped, withPlane))

  it.live("lists, pages and filters", () =>
    Effect.gen(function*() {
      const url = yield* alone
      for (const workItem of ["ET-1", "ET-2", "ET-3"]) yield* send(url, "", { workItem })
      const page = (query: string) =>
        Effect.map(request(`${url}/api/tasks?${query}`), ({ body }) => {
          const { nextCursor, tasks } = body as { tasks: ReadonlyArray<TaskView>; nextCursor: number | null }
          return [tasks.map(({ workItem }) => workItem), nextCursor]
        })
      assert.deepStrictEqual(yield* page("limit=2"), [["ET-3", "ET-2"], 2])
      assert.deepStrictEqual(yield* page("limit=2&cursor=2"), [["ET-1"], null])
      assert.deepStrictEqual(yield* page("status=done"), [[], null])
      assert.deepStrictEqual(yield* page("status=active&limit=1"), [["ET-3"], 3])
    }).pipe(Effect.scoped, withPlane))

  it.live("says what is wrong, field by field", () =>
    Effect.gen(function*() {
      const url = yield* alone
      yield* send(url, "", { workItem: "ET-1" })
      const refused = [
        ["", {}, ["workItem"]],
        ["", { workItem: "nokey", agent: "" }, ["workItem", "agent"]],
        ["", { workItem: "ET-1", agnet: "x" }, ["agnet"]],
        ["", ["ET-1"], ["body"]],
        ["/ET-1/report", {}, ["stage", "outcome"]],
        ["/ET-1/report", { stage: "analysis", outcome: "ok", reason: 1 }, ["outcome", "reason"]],
        ["/ET-1/report", { stage: "anlysis", outcome: "passed" }, ["stage"]],
        ["/nokey/report", { stage: "analysis", outcome: "passed" }, ["key"]]
      ] as const
      for (const [path, body, fields] of refused) {
        const answer = yield* send(url, path, body)
        assert.strictEqual(answer.status, 400, JSON.stringify(body))
        assert.sameMembers(fieldsOf(answer), [...fields])
      }
      const stage = yield* send(url, "/ET-1/report", { stage: "anlysis", outcome: "passed" })
      assert.include(JSON.stringify(stage.body), "expected one of created, analysis, architecture")
      assert.strictEqual((yield* request(`${url}/api/tasks/ET-9`)).status, 404)
      assert.strictEqual((yield* send(url, "/ET-9/report", { stage: "analysis", outcome: "passed" })).status, 404)
      assert.strictEqual((yield* send(url, "/ET-9/advance", {})).status, 404)
      assert.sameMembers(fieldsOf(yield* request(`${url}/api/tasks?status=open&limit=0`)), ["status", "limit"])
      const text = yield* request(`${url}/api/tasks`, { method: "POST", body: "{}" })
      assert.strictEqual(text.status, 415)
    }).pipe(Effect.scoped, withPlane))

  it.live("needs the token, and stands in the documentation", () =>
    Effect.gen(function*() {
      const url = yield* served({ ORCH_API_TOKEN: "s3cret" })
      assert.strictEqual((yield* request(`${url}/api/tasks`)).status, 401)
      assert.strictEqual((yield* send(url, "", { workItem: "ET-1" })).status, 401)
      const { body } = yield* request(`${url}/openapi.json`)
      assert.containSubset(body, {
        paths: {
          "/api/tasks": { get: { responses: { 200: {}, 400: {} } }, post: { responses: { 200: {}, 415: {} } } },
          "/api/tasks/{key}": { get: { responses: { 200: {}, 404: {} } } },
          "/api/tasks/{key}/report": { post: { responses: { 200: {}, 400: {}, 404: {} } } },
          "/api/tasks/{key}/advance": { post: { responses: { 200: {}, 404: {}, 409: {} } } }
        }
      })
    }).pipe(Effect.scoped, withPlane))
})
