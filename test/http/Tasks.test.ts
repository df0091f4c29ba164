import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import type { TaskView, TaskWithStory } from "../../src/views/TaskView.js"
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
      yield* Effect.repeat(Effect.delay(plane.links(id), "20 millis"), { until: (links) => links.length > 0 })
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
      // Not of /health, which on a busy machine may know only of a moment before the reports.
      const owed = Effect.map(
        request(`${url}/api/work-items/${item.key}`),
        ({ body }) => (body as { owed: number }).owed
      )
      yield* Effect.repeat(owed, { until: (count) => count === 0 })
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

  it.live("its agent asks: Plane shows the question, and the task what it waits for", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
      const url = yield* served()
      yield* send(url, "", { workItem: key })
      const question = "May <b>this</b> go?"
      const asked = yield* send(url, `/${key}/ask`, { question, agent: "analyst" })
      assert.containSubset(asked, { status: 200, body: { reason: "asked", question, agent: "analyst", state: "open" } })
      assert.deepStrictEqual((yield* send(url, `/${key}/ask`, { question, agent: "analyst" })).body, asked.body)
      const shown = yield* request(`${url}/api/tasks/${key}`)
      assert.containSubset(shown.body, { answers: [], waiting: [{ question, notices: [] }] })
      assert.containSubset((yield* request(`${url}/api/tasks`)).body, { tasks: [{ waiting: [{ question }] }] })
      const told = Effect.map(plane.comments(id), (all) =>
        all.map(({ html }) => html).filter((html) => html.includes("❓")))
      const html = yield* Effect.repeat(Effect.delay(told, "20 millis"), {
        until: (all) =>
          all.length > 0
      })
      assert.deepStrictEqual(html, ["<p>❓ analyst asks: May &lt;b&gt;this&lt;/b&gt; go?</p>"])

      const wrong = yield* send(url, `/${key}/ask`, { question: " ", agent: 7 })
      assert.containSubset(wrong, {
        status: 400,
        body: { issues: [{ field: "question" }, { field: "agent", given: 7 }] }
      })
      assert.strictEqual((yield* send(url, "/ET-404/ask", { question })).status, 404)
      const explained = yield* request(`${url}/api/work-items/${key}`)
      assert.include(JSON.stringify(explained.body), "waits for somebody (asked) at analysis")
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

  it.live("shows the links that its work item is to have, and whether Plane has them", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { key } = yield* plane.addWorkItem({ name: "Trail map" })
      const url = yield* served({ ORCH_AGENT_COMMAND: "true" })
      const links = [
        { kind: "log", title: "Log", url: "https://ci.example.com/1" },
        { kind: "run", title: "Run", url: "http://gitea:3000/runs/1" }
      ]
      yield* send(url, "", { workItem: key })
      yield* send(url, `/${key}/report`, { stage: "analysis", outcome: "passed", links })
      const shown = Effect.map(request(`${url}/api/tasks/${key}`), ({ body }) => (body as TaskWithStory).links)
      const settled = yield* Effect.repeat(Effect.delay(shown, "50 millis"), {
        until: (links) => links.length === 2 && links.every(({ givenUp, inPlane }) => inPlane || givenUp !== null)
      }).pipe(Effect.timeout("45 seconds"))
      assert.deepStrictEqual(settled.map(({ inPlane, kind, title, url }) => ({ kind, title, url, inPlane })), [
        { kind: "log", title: "Log", url: "https://ci.example.com/1", inPlane: true },
        { kind: "run", title: "Run", url: "http://gitea:3000/runs/1", inPlane: false }
      ])
      assert.isNull(settled[0]?.givenUp)
      assert.include(settled[1]?.givenUp, "set ORCH_GITEA_PUBLIC_URL")
    }).pipe(Effect.scoped, withPlane), 60_000)

  it.live("adds what agents have used, once for each report, and lists the tasks of a time with their sums", () =>
    Effect.gen(function*() {
      const url = yield* alone
      const receipt = (answer: { readonly body: unknown }) => (answer.body as TaskView).receipt
      const none = { inputTokens: null, outputTokens: null, costUsd: null }
      const started = yield* send(url, "", { workItem: "ET-1" })
      assert.deepInclude(receipt(started), { pullRequests: [], usage: { ...none, models: [] } })
      const one = { stage: "analysis", outcome: "failed", usage: { model: "opus", inputTokens: 7, costUsd: 0.1 } }
      for (const body of [one, one, { ...one, usage: { outputTokens: 3, costUsd: 0.2 }, id: "run-7" }]) {
        assert.strictEqual((yield* send(url, "/ET-1/report", body)).status, 200)
      }
      const usage = {
        inputTokens: 7,
        outputTokens: 3,
        costUsd: 0.3,
        models: [{ model: null, ...none, outputTokens: 3, costUsd: 0.2 }, {
          model: "opus",
          ...none,
          inputTokens: 7,
          costUsd: 0.1
        }]
      }
      const shown = yield* request(`${url}/api/tasks/ET-1`)
      assert.deepStrictEqual(receipt(shown).usage, usage)
      assert.containSubset(receipt(shown), {
        failedGates: 1,
        stages: [{ stage: "created" }, { stage: "analysis", attempts: 1 }]
      })

      const since = (instant: string) =>
        Effect.map(
          request(`${url}/api/tasks?since=${encodeURIComponent(instant)}`),
          ({ body }) =>
            (body as { tasks: ReadonlyArray<TaskView> }).tasks.map(({ receipt, workItem }) => [workItem, receipt.usage])
        )
      assert.deepStrictEqual(yield* since("2026-01-01T00:00:00+02:00"), [["ET-1", usage]])
      assert.deepStrictEqual(yield* since("9000-01-01T00:00:00Z"), [])
    }).pipe(Effect.scoped, withPlane))

  it.live("says what is wrong with a usage or a time by its field, and with an override", () =>
    Effect.gen(function*() {
      const url = yield* alone
      yield* send(url, "", { workItem: "ET-1" })
      const refused = [
        [{ usage: {} }, "usage", "it is empty: expected at least one of model, inputTokens"],
        [{ usage: { inputTokens: -1 } }, "usage.inputTokens", "-1 is not right: expected a whole number of tokens"],
        [{ usage: { outputTokens: 0.5 } }, "usage.outputTokens", "from 0 to 1000000000000"],
        [{ usage: { costUsd: "1" } }, "usage.costUsd", "\"1\" is not right: expected a number of US dollars"],
        [{ usage: { model: "m".repeat(101) } }, "usage.model", "expected 1 to 100 characters"],
        [{ usage: { tokens: 1 } }, "usage.tokens", "unexpected"],
        [{ id: "a b" }, "id", "is not an event id"],
        [{ usage: { costUsd: 1 }, override: true, by: "lea", reason: "x" }, "usage", "an override has none"]
      ] as const
      for (const [more, field, words] of refused) {
        const answer = yield* send(url, "/ET-1/report", { stage: "analysis", outcome: "passed", ...more })
        assert.strictEqual(answer.status, 400, JSON.stringify(more))
        assert.deepStrictEqual(fieldsOf(answer), [field])
        assert.include(JSON.stringify(answer.body), JSON.stringify(words).slice(1, -1))
      }
      for (const since of ["2026-01-01T00:00:00", "2026-02-31T00:00:00Z", "yesterday"]) {
        const answer = yield* request(`${url}/api/tasks?since=${since}`)
        assert.deepStrictEqual([answer.status, fieldsOf(answer)], [400, ["since"]])
        assert.include(JSON.stringify(answer.body), "is not an instant")
      }
      const { body } = yield* request(`${url}/api/tasks/ET-1`)
      assert.deepStrictEqual((body as TaskView).reports, [])
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
