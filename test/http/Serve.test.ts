import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Http from "node:http"
import { connect } from "node:net"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { fieldsOf, folder, post, request, served, withPlane } from "./Server.js"

const moved = { type: "stage_changed", workItem: "ET-1", from: "analysis", to: "architecture", agent: "architect" }

describe("POST /api/events", () => {
  it.live("commits an event, which Plane is told", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Login form" })
      const url = yield* served()
      const accepted = yield* post(url, JSON.stringify({ ...moved, id: "e1", occurredAt: "2026-11-20T08:30:00Z" }))
      assert.deepStrictEqual([accepted.status, accepted.body], [202, { id: "e1", duplicate: false }])
      // Not of /health, which on a busy machine may know only of a moment before the event.
      const owed = Effect.map(request(`${url}/api/work-items/et-1`), ({ body }) => (body as { owed: number }).owed)
      yield* Effect.repeat(owed, { until: (count) => count === 0 })
      const comments = yield* plane.comments(item.id)
      assert.deepStrictEqual(comments.map(({ html }) => html), [
        "<p>🔄 Stage: analysis → architecture (launching architect)</p>"
      ])
      assert.strictEqual((yield* plane.workItem(item.id)).state.name, "In Progress")
      const { body } = yield* request(`${url}/api/work-items/et-1`)
      assert.containSubset(body, {
        key: "et-1",
        workItem: item.id,
        owed: 0,
        events: [{ id: "e1", status: "delivered", occurredAt: "2026-11-20T08:30:00.000Z" }],
        deliveries: [{ kind: "comment", status: "delivered", planeId: comments[0]?.id }, { kind: "state" }]
      })
    }).pipe(Effect.scoped, withPlane))

  it.live("takes the same id twice, and refuses it with other content", () =>
    Effect.gen(function*() {
      const url = yield* served({ ORCH_PLANE_API_TOKEN: "" })
      const event = JSON.stringify({ type: "task_completed", workItem: "ET-1", id: "e1" })
      assert.deepStrictEqual((yield* post(url, event)).body, { id: "e1", duplicate: false })
      assert.deepStrictEqual((yield* post(url, event)).body, { id: "e1", duplicate: true })
      const other = yield* post(url, JSON.stringify({ type: "task_completed", workItem: "ET-2", id: "e1" }))
      assert.strictEqual(other.status, 409)
      assert.include(JSON.stringify(other.body), "the first stands")
    }).pipe(Effect.scoped, withPlane))

  it.live("names what is wrong, field by field, and stores nothing", () =>
    Effect.gen(function*() {
      const url = yield* served()
      const refused = [
        [{ ...moved, type: "nope" }, ["type"]],
        [{ workItem: "ET-1" }, ["type"]],
        [{ type: "stage_changed", workItem: "ET-1" }, ["from", "to"]],
        [{ ...moved, from: 1, agent: null }, ["from", "agent"]],
        [{ ...moved, workItem: "ET-1/../.." }, ["workItem"]],
        [{ ...moved, id: "a b", occurredAt: "yesterday" }, ["id", "occurredAt"]],
        [{ ...moved, occurredAt: "2026-13-45T00:00:00Z" }, ["occurredAt"]],
        [{ ...moved, occurredAt: "2026-02-31T00:00:00Z" }, ["occurredAt"]],
        [{ ...moved, occurredAt: "2027-02-29T00:00:00.5+0200" }, ["occurredAt"]],
        [{ ...moved, agnet: "x" }, ["agnet"]],
        [[moved], ["body"]],
        ["text", ["body"]]
      ] as const
      for (const [event, fields] of refused) {
        const answer = yield* post(url, JSON.stringify(event))
        assert.strictEqual(answer.status, 400, JSON.stringify(event))
        assert.sameMembers(fieldsOf(answer), [...fields])
      }
      const deep = "[".repeat(100_000) + "]".repeat(100_000)
      for (const broken of ["", "{", "\u0000", deep, `{"workItem":${deep}}`]) {
        const answer = yield* post(url, broken)
        assert.deepStrictEqual([answer.status, fieldsOf(answer)], [400, ["body"]])
      }
      const large = yield* post(url, " ".repeat(2_000_000))
      assert.deepStrictEqual([large.status, fieldsOf(large)], [413, ["body"]])
      for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"]) {
        assert.strictEqual((yield* post(url, JSON.stringify(moved), { "content-type": type })).status, 415)
      }
      assert.deepStrictEqual((yield* request(`${url}/api/events`)).body, { events: [], nextCursor: null })
    }).pipe(Effect.scoped, withPlane))

  it.live("counts the bytes of a body that does not say its length", () =>
    Effect.gen(function*() {
      const url = yield* served()
      const status = yield* Effect.async<number | undefined>((resume) => {
        const sending = Http.request(`${url}/api/events`, {
          method: "POST",
          headers: { "content-type": "application/json" }
        }, (response) => {
          response.resume()
          resume(Effect.succeed(response.statusCode))
        })
        for (let i = 0; i < 40; i++) sending.write(" ".repeat(50_000))
        sending.end()
      })
      assert.strictEqual(status, 413)
    }).pipe(Effect.scoped, withPlane))
})

describe("GET /api", () => {
  it.live("pages through the events, and filters them", () =>
    Effect.gen(function*() {
      const url = yield* served({ ORCH_PLANE_API_TOKEN: "" })
      for (const workItem of ["ET-1", "ET-2", "ET-1"]) {
        yield* post(url, JSON.stringify({ type: "task_completed", workItem }))
      }
      const page = (query: string) =>
        Effect.map(request(`${url}/api/events?${query}`), ({ body }) => {
          const { events, nextCursor } = body as {
            events: ReadonlyArray<{ sequence: number }>
            nextCursor: number | null
          }
          return [events.map(({ sequence }) => sequence), nextCursor]
        })
      assert.deepStrictEqual(yield* page("limit=2"), [[3, 2], 2])
      assert.deepStrictEqual(yield* page("limit=2&cursor=2"), [[1], null])
      assert.deepStrictEqual(yield* page("workItem=et-1&status=pending"), [[3, 1], null])
      assert.deepStrictEqual(yield* page("status=dead"), [[], null])
      const wrong = yield* request(`${url}/api/events?limit=0&status=x&workItem=zz&cursor=-1`)
      assert.strictEqual(wrong.status, 400)
      assert.sameMembers(fieldsOf(wrong), ["limit", "status", "workItem", "cursor"])
      assert.strictEqual((yield* request(`${url}/api/work-items/ET-9`)).status, 404)
      assert.strictEqual((yield* request(`${url}/api/work-items/nokey`)).status, 400)
    }).pipe(Effect.scoped, withPlane))

  it.live("answers in JSON where there is nothing, or not by this method", () =>
    Effect.gen(function*() {
      const url = yield* served()
      const nothing = yield* request(`${url}/nope`)
      assert.deepStrictEqual([nothing.status, nothing.body], [404, { error: "There is nothing at /nope: see /docs" }])
      const method = yield* request(`${url}/api/events`, { method: "DELETE" })
      assert.deepStrictEqual([method.status, method.headers.get("allow")], [405, "POST, GET"])
    }).pipe(Effect.scoped, withPlane))

  it.live("names a path that is not encoded rightly", () =>
    Effect.gen(function*() {
      const url = yield* served()
      for (
        const [method, path] of [
          ["GET", "/api/work-items/%E0%A4%A"],
          ["GET", "/api/tasks/%E0%A4%A"],
          ["POST", "/api/tasks/%ff/report"],
          ["POST", "/api/tasks/%/advance"],
          ["GET", "/api/deliveries/%E0%A4%A"],
          ["POST", "/api/deliveries/%E0%A4%A/retry"],
          ["POST", "/api/deliveries/%E0%A4%A/discard"]
        ] as const
      ) {
        const answer = yield* request(`${url}${path}?limit=5`, { method })
        assert.strictEqual(answer.status, 400, path)
        assert.deepStrictEqual(fieldsOf(answer), ["path"])
        assert.include(JSON.stringify(answer.body), path)
      }
      const long = yield* request(`${url}/api/work-items/ET-${"9".repeat(4_000)}`)
      assert.deepStrictEqual([long.status, fieldsOf(long)], [400, ["path"]])
      assert.include(JSON.stringify(long.body), "longer than any key")
      assert.isBelow(JSON.stringify(long.body).length, 700)
      // What can be decoded is no key.
      assert.deepStrictEqual(fieldsOf(yield* request(`${url}/api/work-items/%E0%A4%A4`)), ["key"])
    }).pipe(Effect.scoped, withPlane))

  it.live("documents itself, without a network", () =>
    Effect.gen(function*() {
      const url = yield* served()
      const { body } = yield* request(`${url}/openapi.json`)
      const text = JSON.stringify(body)
      assert.containSubset(body, { paths: { "/api/events": { post: { responses: { 202: {}, 400: {}, 409: {} } } } } })
      const retry = { post: { responses: { 200: {}, 400: {}, 404: {}, 409: {}, 503: {} } } }
      assert.containSubset(body, { paths: { "/api/deliveries/{id}/retry": retry, "/api/deliveries": { get: {} } } })
      assert.notInclude(text, "HttpApiDecodeError")
      const docs = yield* request(`${url}/docs`)
      assert.strictEqual(docs.status, 200)
      assert.notMatch(String(docs.body), /<(script|link)[^>]+(src|href)=/)
    }).pipe(Effect.scoped, withPlane))
})

describe("who may ask", () => {
  it.live("whoever has the token, when one is set", () =>
    Effect.gen(function*() {
      const url = yield* served({ ORCH_API_TOKEN: "s3cret" })
      const events = (headers: Readonly<Record<string, string>>) => request(`${url}/api/events`, { headers })
      const refused = yield* events({})
      assert.deepStrictEqual([refused.status, refused.headers.get("www-authenticate")], [401, "Bearer"])
      for (const wrong of ["s3cre", "s3creT", "x3cret"]) {
        assert.strictEqual((yield* events({ authorization: `Bearer ${wrong}` })).status, 401, wrong)
      }
      assert.strictEqual((yield* events({ authorization: "Bearer s3cret" })).status, 200)
      assert.strictEqual((yield* post(url, "{", { authorization: "Bearer x" })).status, 401)
      assert.strictEqual((yield* request(`${url}/health`)).status, 200)
    }).pipe(Effect.scoped, withPlane))

  it.live("no page of another origin", () =>
    Effect.gen(function*() {
      const url = yield* served()
      const from = (origin: string) => request(`${url}/health`, { headers: { origin } })
      assert.strictEqual((yield* from("http://evil.example")).status, 403)
      assert.strictEqual((yield* from("null")).status, 403)
      assert.strictEqual((yield* from(url)).status, 200)
    }).pipe(Effect.scoped, withPlane))
})

describe("the end", () => {
  it.live("does not wait for idle or slow clients", () =>
    Effect.gen(function*() {
      const database = `${yield* folder}/events.sqlite`
      yield* Effect.scoped(Effect.gen(function*() {
        const url = yield* served({ ORCH_DATABASE_URL: database, ORCH_PLANE_API_TOKEN: "" })
        // An idle connection, which fetch keeps alive, and a request that never ends.
        yield* request(`${url}/health`)
        const socket = connect(Number(new URL(url).port), "127.0.0.1")
        socket.on("error", () => undefined)
        socket.write("POST /api/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
        socket.write("Content-Length: 100\r\n\r\n{")
        const accepted = yield* post(url, JSON.stringify({ type: "task_completed", workItem: "ET-1" }))
        assert.strictEqual(accepted.status, 202)
      })).pipe(Effect.timeout("3 seconds"))
      const url = yield* served({ ORCH_DATABASE_URL: database, ORCH_PLANE_API_TOKEN: "" })
      assert.containSubset((yield* request(`${url}/health`)).body, { status: "degraded", outbox: { pending: 1 } })
    }).pipe(Effect.scoped, withPlane))
})
