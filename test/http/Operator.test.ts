import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Outbox } from "../../src/outbox/Outbox.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { Storage } from "../../src/StorageLayers.js"
import { developed, pullBody, sha, statusBody } from "../webhooks/Scene.js"
import type { Answer } from "./Server.js"
import { fieldsOf, folder, request, served, unfit, withPlane } from "./Server.js"

const agents = "agents-8f2c"
const operators = "operators-51d0"
const both = { ORCH_PLANE_API_TOKEN: "", ORCH_API_TOKEN: agents, ORCH_OPERATOR_TOKEN: operators }

/** A request with one of the tokens, or with none. */
const ask = (url: string, token: string | undefined, method: "GET" | "POST", path: string, body?: unknown) =>
  request(`${url}/api${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" })
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })

const override = (stage: string, reason = "merged by hand") => ({
  stage,
  outcome: "passed",
  override: true,
  by: "lea",
  reason
})

/** All that only an operator may do, where there is an operator's token; each does something when it is allowed. */
const acts = [
  ["/deliveries/1/retry", undefined],
  ["/deliveries/retry", { code: "unfit" }],
  ["/deliveries/1/discard", undefined],
  ["/deliveries/discard", { code: "unfit" }],
  ["/notices/1/retry", undefined],
  ["/notices/retry", undefined],
  ["/notices/1/discard", undefined],
  ["/notices/discard", undefined],
  ["/tasks/ET-1/advance", undefined],
  ["/tasks/ET-1/pause", undefined],
  ["/tasks/ET-2/answer", { text: "the new one" }],
  ["/tasks/ET-2/pause", { by: "lea", reason: "waits for legal" }],
  ["/tasks/ET-3/report", override("analysis")]
] as const

const statuses = (url: string, token: string | undefined) =>
  Effect.forEach(acts, ([path, body]) => ask(url, token, "POST", path, body))

/** Three tasks at analysis, and a dead letter. */
const withWork = (settings: Readonly<Record<string, string>>) =>
  Effect.gen(function*() {
    const database = `${yield* folder}/events.sqlite`
    yield* Effect.provide(
      Effect.flatMap(Outbox, (outbox) => outbox.publish(unfit)),
      Layer.provide(Outbox.layer, Storage.layerFile(database))
    )
    const url = yield* served({ ORCH_DATABASE_URL: database, ...settings })
    for (const workItem of ["ET-1", "ET-2", "ET-3"]) {
      const { status } = yield* ask(url, settings["ORCH_API_TOKEN"], "POST", "/tasks", { workItem })
      assert.strictEqual(status, 200)
    }
    const asked = yield* ask(url, settings["ORCH_API_TOKEN"], "POST", "/tasks/ET-2/ask", { question: "Which one?" })
    assert.strictEqual(asked.status, 200)
    return url
  })

const words = ({ body }: Answer) => (body as { readonly error: string }).error

// What can never be told cannot be retried: whoever may retry is told so.
// What was given up is not there, or is none.
const allowed = [409, 409, 200, 200, 404, 200, 404, 200, 200, 200, 200, 200, 200]

describe("row 27: who may act", () => {
  it.live("agents' token is refused for each act of an operator, in words, and does nothing", () =>
    Effect.gen(function*() {
      const url = yield* withWork(both)
      // But for the time that the tasks have taken, which goes on.
      const all = Effect.map(
        Effect.all([ask(url, agents, "GET", "/tasks"), ask(url, agents, "GET", "/deliveries")]),
        (answers) => answers.map(({ body }) => JSON.stringify(body).replaceAll(/"seconds":\d+/g, ""))
      )
      const before = yield* all
      for (const answer of yield* statuses(url, agents)) {
        assert.deepStrictEqual([answer.status, words(answer)], [
          403,
          "This needs the token of ORCH_OPERATOR_TOKEN. That of ORCH_API_TOKEN, which agents have, is not enough"
        ])
      }
      assert.deepStrictEqual(yield* all, before)
      for (const wrong of [undefined, "operators-51d1", "operators-51d", `${agents}${operators}`]) {
        for (const answer of yield* statuses(url, wrong)) {
          assert.deepStrictEqual([answer.status, answer.headers.get("www-authenticate")], [401, "Bearer"])
          assert.match(words(answer), /with the token of (ORCH_API_TOKEN or )?ORCH_OPERATOR_TOKEN$/)
        }
      }
    }).pipe(Effect.scoped, withPlane))

  it.live("the operator's token is accepted for each of them, and for all that agents do", () =>
    Effect.gen(function*() {
      const url = yield* withWork(both)
      const reported = { stage: "analysis", outcome: "failed", reason: "no" }
      for (
        const [method, path, body, status] of [
          ["GET", "/tasks", undefined, 200],
          ["GET", "/events", undefined, 200],
          ["GET", "/deliveries/1", undefined, 200],
          ["GET", "/work-items/ET-1", undefined, 200],
          ["POST", "/events", { type: "task_completed", workItem: "ET-9" }, 202],
          ["POST", "/tasks", { workItem: "ET-9" }, 200],
          ["POST", "/tasks/ET-9/report", reported, 200]
        ] as const
      ) {
        assert.strictEqual((yield* ask(url, operators, method, path, body)).status, status, path)
        // An override that is none is a report like any other.
        const ofAgents = path.endsWith("report") ? { ...reported, override: false } : body
        assert.strictEqual((yield* ask(url, agents, method, path, ofAgents)).status, status, path)
      }
      assert.deepStrictEqual((yield* statuses(url, operators)).map(({ status }) => status), allowed)
      const { body } = yield* ask(url, operators, "GET", "/tasks/ET-3")
      assert.containSubset(body, { stage: "architecture", status: "active" })
    }).pipe(Effect.scoped, withPlane))

  it.live("without an operator's token the other one may do everything, and without both everybody may", () =>
    Effect.gen(function*() {
      for (const settings of [{ ORCH_API_TOKEN: agents }, {}]) {
        const url = yield* withWork({ ORCH_PLANE_API_TOKEN: "", ...settings })
        const token = "ORCH_API_TOKEN" in settings ? agents : undefined
        assert.deepStrictEqual((yield* statuses(url, token)).map(({ status }) => status), allowed)
      }
    }).pipe(Effect.scoped, withPlane))

  it.live("with an operator's token alone, reading and reporting stay open, and the acts need it", () =>
    Effect.gen(function*() {
      const url = yield* withWork({ ORCH_PLANE_API_TOKEN: "", ORCH_OPERATOR_TOKEN: operators })
      for (const token of [undefined, "anything"]) {
        assert.strictEqual((yield* ask(url, token, "GET", "/tasks")).status, 200)
        for (const answer of yield* statuses(url, token)) {
          assert.deepStrictEqual([answer.status, words(answer)], [
            401,
            "Expected the header Authorization: Bearer, with the token of ORCH_OPERATOR_TOKEN"
          ])
        }
      }
      assert.deepStrictEqual((yield* statuses(url, operators)).map(({ status }) => status), allowed)
    }).pipe(Effect.scoped, withPlane))

  it.live("a token counts only behind the word Bearer", () =>
    Effect.gen(function*() {
      const url = yield* served(both)
      const status = (authorization: string) =>
        Effect.map(request(`${url}/api/tasks`, { headers: { authorization } }), ({ status }) => status)
      for (
        const wrong of [
          `XXXXXX ${agents}`,
          `XXXXXXX${agents}`,
          agents,
          `Basic  ${agents}`,
          `Bearer${agents}`,
          "Bearer ",
          ""
        ]
      ) {
        assert.strictEqual(yield* status(wrong), 401, wrong)
      }
      for (const right of [`Bearer ${agents}`, `bearer ${agents}`, `BEARER  ${operators}`]) {
        assert.strictEqual(yield* status(right), 200, right)
      }
    }).pipe(Effect.scoped, withPlane))

  it.live("the documentation says which token each endpoint needs", () =>
    Effect.gen(function*() {
      const url = yield* served(both)
      const { body } = yield* request(`${url}/openapi.json`)
      const { components, paths } = body as {
        readonly components: { readonly securitySchemes: Readonly<Record<string, { readonly description: string }>> }
        readonly paths: Readonly<
          Record<string, Readonly<Record<string, { security: unknown; responses: object; requestBody?: unknown }>>>
        >
      }
      const needing = (scheme: string) =>
        Object.entries(paths).flatMap(([path, methods]) =>
          Object.entries(methods)
            .filter(([, { security }]) => JSON.stringify(security) === JSON.stringify([{ [scheme]: [] }]))
            .map(([method, { responses }]) => `${method} ${path}${"403" in responses ? " 403" : ""}`)
        )
      assert.sameMembers(needing("operator"), [
        "post /api/deliveries/{id}/retry 403",
        "post /api/deliveries/{id}/discard 403",
        "post /api/deliveries/retry 403",
        "post /api/probe 403",
        "post /api/deliveries/discard 403",
        "post /api/notices/{id}/retry 403",
        "post /api/notices/{id}/discard 403",
        "post /api/notices/retry 403",
        "post /api/notices/discard 403",
        "post /api/tasks/{key}/answer 403",
        "post /api/tasks/{key}/pause 403",
        "post /api/tasks/{key}/advance 403"
      ])
      assert.sameMembers(needing("bearer"), [
        "post /api/events",
        "get /api/events",
        "get /api/history",
        "get /api/overview",
        "get /api/board",
        "get /api/live",
        "get /metrics",
        "get /api/work-items/{key}",
        "get /api/deliveries",
        "get /api/deliveries/{id}",
        "get /api/notices",
        "get /api/tasks",
        "get /api/tasks/{key}",
        "post /api/tasks",
        "post /api/tasks/{key}/ask",
        "post /api/tasks/{key}/report 403"
      ])
      assert.match(components.securitySchemes["operator"]?.description ?? "", /ORCH_OPERATOR_TOKEN/)
      assert.match(components.securitySchemes["bearer"]?.description ?? "", /ORCH_API_TOKEN/)
      assert.containSubset(paths["/api/tasks/{key}/pause"]?.["post"], { requestBody: { required: false } })
      const report = JSON.stringify(body).match(/"ReportStage":\{.*?"additionalProperties":false\}/)?.[0] ?? ""
      for (const field of ["stage", "outcome", "reason", "override", "by"]) assert.include(report, `"${field}":`)
    }).pipe(Effect.scoped, withPlane))
})

describe("POST /api/tasks/{key}/report with override", () => {
  it.live("row 27: a pull request closed by hand: nobody can move the task but an operator", () =>
    Effect.gen(function*() {
      const pull = { number: 88, workItem: 7, head: sha("one") }
      const at = yield* developed(7, { ORCH_OPERATOR_TOKEN: operators })
      yield* at.gitea("pull_request", pullBody("pull_request_opened", pull))
      yield* at.gitea("pull_request", pullBody("pull_request_closed_unmerged", { ...pull, at: 5 }))
      yield* at.gitea("status", statusBody({ id: 1, sha: pull.head }))
      assert.strictEqual(yield* at.stage(7), "development active")
      assert.strictEqual(
        (yield* ask(at.url, undefined, "POST", "/tasks/ET-7/report", override("development"))).status,
        401
      )
      const { body } = yield* ask(at.url, operators, "POST", "/tasks/et-007/report", override("development"))
      assert.containSubset(body, {
        stage: "review",
        status: "active",
        agent: "reviewer",
        overruled: { from: "development", to: "review", by: "lea: merged by hand" }
      })
      assert.strictEqual(yield* at.stage(7), "review active")
      assert.containSubset((yield* at.events).at(-1), { to: "review", overruledBy: "lea: merged by hand" })
    }).pipe(Effect.scoped, withPlane))

  it.live("row 27: merged by the command line: the task is completed, and Plane is told who says so", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Login form" })
      const url = yield* served({ ...both, ORCH_PLANE_API_TOKEN: plane.token })
      const send = (path: string, body: unknown) => ask(url, operators, "POST", path, body)
      const told = Effect.repeat(request(`${url}/health`), {
        until: ({ body }) => (body as { outbox: { pending: number } }).outbox.pending === 0
      })
      yield* send("/tasks", { workItem: item.key })
      const reason = "merged by <the command line>"
      for (const stage of ["analysis", "architecture", "development", "review", "testing"]) {
        yield* send(`/tasks/${item.key}/report`, override(stage))
      }
      yield* told
      const last = yield* send(`/tasks/${item.key}/report`, override("deploy", reason))
      assert.containSubset(last.body, { stage: "done", status: "done" })
      yield* told
      const html = (yield* plane.comments(item.id)).map(({ html }) => html)
      const all = html.join("\n")
      // Some of these stages share a comment, with a time behind each.
      assert.include(all, "🔄 Stage: testing → deploy (overruled by lea: merged by hand)")
      assert.include(all, "🔄 Stage: deploy → done (overruled by lea: merged by &lt;the command line&gt;)")
      assert.include(all, "✅ Task completed! PR merged and deployed.")
      assert.strictEqual(all.match(/overruled by/g)?.length, 6)
      assert.strictEqual((yield* plane.workItem(item.id)).state.name, "Done")
    }).pipe(Effect.scoped, withPlane))

  it.live("sent again it overrules no second stage, and says where the task is", () =>
    Effect.gen(function*() {
      const url = yield* withWork(both)
      const twice = yield* Effect.all(
        Array.from({ length: 4 }, () => ask(url, operators, "POST", "/tasks/ET-1/report", override("analysis"))),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(twice.map(({ status }) => status).sort(), [200, 409, 409, 409])
      const again = yield* ask(url, operators, "POST", "/tasks/ET-1/report", override("analysis"))
      assert.deepStrictEqual([again.status, words(again)], [
        409,
        "The task of ET-1 is at architecture, not at analysis: overrule the stage that it is at"
      ])
      yield* ask(url, operators, "POST", "/tasks/ET-1/pause")
      const paused = yield* ask(url, operators, "POST", "/tasks/ET-1/report", override("architecture"))
      assert.strictEqual(paused.status, 409)
      assert.match(words(paused), /^The task of ET-1 is paused at architecture: start it again/)
      assert.strictEqual((yield* ask(url, operators, "POST", "/tasks/ET-9/report", override("analysis"))).status, 404)
    }).pipe(Effect.scoped, withPlane))

  it.live("says field by field what it lacks, and stores nothing", () =>
    Effect.gen(function*() {
      const url = yield* withWork(both)
      const passed = override("analysis")
      const refused = [
        [{ ...passed, by: undefined }, ["by"]],
        [{ ...passed, by: undefined, reason: undefined }, ["by", "reason"]],
        [{ ...passed, reason: " \n" }, ["reason"]],
        [{ ...passed, by: " " }, ["by"]],
        [{ ...passed, by: "x".repeat(201) }, ["by"]],
        [{ ...passed, outcome: "failed" }, ["outcome"]],
        [{ ...passed, override: "yes" }, ["override"]],
        [{ ...passed, override: false }, ["by"]],
        [{ ...passed, overide: true }, ["overide"]],
        [{ ...passed, stage: "anlysis" }, ["stage"]]
      ] as const
      for (const [body, fields] of refused) {
        const answer = yield* ask(url, operators, "POST", "/tasks/ET-1/report", body)
        assert.strictEqual(answer.status, 400, JSON.stringify(body))
        assert.sameMembers(fieldsOf(answer), [...fields], JSON.stringify(answer.body))
      }
      assert.containSubset((yield* ask(url, operators, "GET", "/tasks/ET-1")).body, { stage: "analysis", reports: [] })
    }).pipe(Effect.scoped, withPlane))
})

describe("POST /api/tasks/{key}/pause", () => {
  it.live("pauses with or without a body, again and again, until the task is started", () =>
    Effect.gen(function*() {
      const url = yield* withWork(both)
      const pause = (body?: unknown) => ask(url, operators, "POST", "/tasks/ET-1/pause", body)
      for (const body of [undefined, {}, { by: "lea" }, { by: "lea", reason: "waits for legal" }]) {
        assert.containSubset((yield* pause(body)).body, { stage: "analysis", status: "paused" })
      }
      // What an agent reports meanwhile is kept.
      yield* ask(url, agents, "POST", "/tasks/ET-1/report", { stage: "analysis", outcome: "passed" })
      const refused = yield* ask(url, operators, "POST", "/tasks/ET-1/advance")
      assert.deepStrictEqual([refused.status, words(refused)], [
        409,
        "The task of ET-1 is paused at analysis: it does not advance"
      ])
      const started = yield* ask(url, agents, "POST", "/tasks", { workItem: "ET-1" })
      assert.containSubset(started.body, { stage: "architecture", status: "active" })
      for (
        const [body, fields] of [[{ by: 1 }, ["by"]], [{ why: "x" }, ["why"]], [{ reason: "" }, ["reason"]]] as const
      ) {
        const answer = yield* pause(body)
        assert.deepStrictEqual([answer.status, fieldsOf(answer)], [400, [...fields]])
      }
      const text = yield* request(`${url}/api/tasks/ET-1/pause`, {
        method: "POST",
        body: "why",
        headers: { authorization: `Bearer ${operators}` }
      })
      assert.strictEqual(text.status, 415)
      assert.strictEqual((yield* ask(url, operators, "POST", "/tasks/ET-9/pause")).status, 404)
      for (const stage of ["architecture", "development", "review", "testing", "deploy"]) {
        yield* ask(url, operators, "POST", "/tasks/ET-1/report", override(stage))
      }
      const done = yield* pause()
      assert.deepStrictEqual([done.status, words(done)], [
        409,
        "The task of ET-1 is done at done: there is nothing to pause"
      ])
    }).pipe(Effect.scoped, withPlane))
})
