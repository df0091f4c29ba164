import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as Http from "node:http"
import { connect } from "node:net"
import { Outbox } from "../../src/outbox/Outbox.js"
import { Storage } from "../../src/outbox/Storage.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import type { Answer } from "./Served.js"
import { folder, post, request, served, unfit } from "./Served.js"

const withPlane = Effect.provide(PlaneSimulator.layer())

const moved = { type: "stage_changed", workItem: "ET-1", from: "analysis", to: "architecture", agent: "architect" }

const fieldsOf = ({ body }: Answer) => {
  const { issues } = body as { readonly issues: ReadonlyArray<{ readonly field: string }> }
  return issues.map(({ field }) => field)
}

describe("POST /api/events", () => {
  it.live("commits an event, which Plane is told", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Login form" })
      const url = yield* served()
      const accepted = yield* post(url, JSON.stringify({ ...moved, id: "e1", occurredAt: "2026-11-20T08:30:00Z" }))
      assert.deepStrictEqual([accepted.status, accepted.body], [202, { id: "e1", duplicate: false }])
      const pending = request(`${url}/health`).pipe(
        Effect.map(({ body }) => (body as { outbox: { pending: number } }).outbox.pending)
      )
      yield* Effect.repeat(pending, { until: (count) => count === 0 })
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
        [{ ...moved, agnet: "x" }, ["agnet"]],
        [[moved], ["body"]],
        ["text", ["body"]]
      ] as const
      for (const [event, fields] of refused) {
        const answer = yield* post(url, JSON.stringify(event))
        assert.strictEqual(answer.status, 400, JSON.stringify(event))
        assert.sameMembers(fieldsOf(answer), [...fields])
      }
      for (const broken of ["", "{", "\u0000"]) {
        const answer = yield* post(url, broken)
        assert.deepStrictEqual([answer.status, fieldsOf(answer)], [400, ["body"]])
      }
      assert.strictEqual((yield* post(url, " ".repeat(2_000_000))).status, 413)
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

const act = (url: string, path: string, body?: string) =>
  request(`${url}/api/deliveries${path}`, {
    method: "POST",
    ...(body === undefined ? {} : { body, headers: { "content-type": "application/json" } })
  })

const untilCounts = (url: string, wanted: { readonly pending: number; readonly dead: number }) =>
  Effect.repeat(Effect.zipRight(Effect.sleep("10 millis"), request(`${url}/health`)), {
    until: ({ body }) => {
      const { outbox } = body as { readonly outbox: typeof wanted }
      return outbox.pending === wanted.pending && outbox.dead === wanted.dead
    }
  })

const failed = (workItem: string) =>
  JSON.stringify({
    type: "quality_gate_failed",
    workItem,
    stage: "review",
    check: "lint",
    reason: "one",
    occurredAt: "2026-11-20T08:30:00Z"
  })

describe("/api/deliveries", () => {
  it.live("lists dead letters, owes them again at once, and gives them up", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
      yield* plane.misbehave(Fault.Status({ match: { method: "POST" }, count: 1, status: 400 }))
      const url = yield* served()
      yield* post(url, failed(key))
      yield* untilCounts(url, { pending: 0, dead: 1 })
      for (let i = 0; i < 3; i++) yield* post(url, failed("XX-1"))
      yield* untilCounts(url, { pending: 0, dead: 4 })

      const { body } = yield* request(`${url}/api/deliveries?code=refused`)
      const { deliveries: [letter] } = body as { readonly deliveries: ReadonlyArray<{ readonly id: number }> }
      const path = `/${letter?.id ?? 0}`
      assert.containSubset(body, {
        deliveries: [{ kind: "comment", code: "refused", workItem: key }],
        nextCursor: null
      })
      const shown = { occurredAt: "2026-11-20T08:30:00.000Z", answer: 400, attempts: 1 }
      assert.containSubset((yield* request(`${url}/api/deliveries${path}`)).body, shown)
      const first = (yield* request(`${url}/api/deliveries?limit=3`)).body as {
        readonly deliveries: ReadonlyArray<unknown>
        readonly nextCursor: number
      }
      assert.strictEqual(first.deliveries.length, 3)
      const { body: second } = yield* request(`${url}/api/deliveries?limit=3&cursor=${first.nextCursor}`)
      assert.containSubset(second, { deliveries: [{ id: letter?.id }], nextCursor: null })

      assert.deepStrictEqual((yield* act(url, `${path}/retry`)).body, { retried: 1 })
      yield* untilCounts(url, { pending: 0, dead: 3 })
      assert.strictEqual((yield* plane.comments(id)).length, 1)
      for (const what of ["retry", "discard"]) {
        const gone = yield* act(url, `${path}/${what}`)
        assert.deepStrictEqual([gone.status, gone.body], [404, {
          error: `${path.slice(1)} is not the id of a dead letter`
        }])
      }
      assert.strictEqual((yield* request(`${url}/api/deliveries${path}`)).status, 404)

      const wrongProject = JSON.stringify({ code: "wrong_project" })
      assert.deepStrictEqual((yield* act(url, "/discard", wrongProject)).body, { discarded: 3 })
      assert.deepStrictEqual((yield* act(url, "/retry", wrongProject)).body, { retried: 0 })
      yield* untilCounts(url, { pending: 0, dead: 0 })

      // Told again, the same failure is a new count: a delivery of its own kind.
      yield* post(url, failed(key))
      yield* untilCounts(url, { pending: 0, dead: 0 })
      const { body: item } = yield* request(`${url}/api/work-items/${key}`)
      assert.containSubset(item, { deliveries: [{ kind: "recount", status: "delivered" }, { kind: "comment" }] })
    }).pipe(Effect.scoped, withPlane))

  it.live("says that what can never be told cannot be retried", () =>
    Effect.gen(function*() {
      const database = `${yield* folder}/events.sqlite`
      yield* Effect.provide(
        Effect.flatMap(Outbox, (outbox) => outbox.publish(unfit)),
        Layer.provide(Outbox.layer, Storage.layerFile(database))
      )
      const url = yield* served({ ORCH_DATABASE_URL: database })
      for (
        const answer of [yield* act(url, "/1/retry"), yield* act(url, "/retry", JSON.stringify({ code: "unfit" }))]
      ) {
        assert.strictEqual(answer.status, 409)
        assert.include(JSON.stringify(answer.body), "cannot be retried, only discarded: no key")
      }
      assert.deepStrictEqual((yield* act(url, "/1/discard")).body, { discarded: 1 })
    }).pipe(Effect.scoped, withPlane))

  it.live("names what is wrong, and the codes there are", () =>
    Effect.gen(function*() {
      const url = yield* served()
      const wrong = [
        [yield* act(url, "/retry", JSON.stringify({ code: "nope" })), "code"],
        [yield* act(url, "/discard", "{}"), "code"],
        [yield* act(url, "/discard", JSON.stringify({ code: "gone", id: 1 })), "id"],
        [yield* request(`${url}/api/deliveries?code=nope`), "code"],
        [yield* request(`${url}/api/deliveries?limit=0`), "limit"],
        [yield* request(`${url}/api/deliveries/x`), "id"],
        [yield* act(url, "/0/retry"), "id"]
      ] as const
      for (const [answer, field] of wrong) assert.deepStrictEqual([answer.status, fieldsOf(answer)], [400, [field]])
      assert.include(JSON.stringify(wrong[0][0].body), "expected one of unfit, wrong_project, ambiguous, not_found")
      assert.include(JSON.stringify(wrong[3][0].body), "expected one of unfit, wrong_project, ambiguous, not_found")
      assert.strictEqual((yield* act(url, "/retry")).status, 415)
      assert.strictEqual((yield* act(url, "/9/retry")).status, 404)
      const method = yield* request(`${url}/api/deliveries/retry`, { method: "DELETE" })
      assert.deepStrictEqual([method.status, method.headers.get("allow")], [405, "GET, POST"])
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
      assert.strictEqual((yield* events({ authorization: "Bearer s3cre" })).status, 401)
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
