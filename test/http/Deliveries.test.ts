import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Outbox } from "../../src/outbox/Outbox.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { Storage } from "../../src/StorageLayers.js"
import { fieldsOf, folder, post, request, served, unfit, withPlane } from "./Server.js"

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
  it.live(
    "counts, retries and discards those that match, and none that came after a person has looked",
    () =>
      Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        yield* plane.addWorkItem({ name: "Trail map" })
        const url = yield* served()
        for (const workItem of ["XX-1", "XX-2"]) yield* post(url, failed(workItem))
        yield* untilCounts(url, { pending: 0, dead: 2 })
        const seen = (query: string) =>
          Effect.map(request(`${url}/api/deliveries?${query}`), ({ body }) => {
            const { deliveries, total } = body as {
              readonly total: number
              readonly deliveries: ReadonlyArray<
                { readonly id: number; readonly workItem: string; readonly settledAt: string }
              >
            }
            return { total, deliveries }
          })
        const { deliveries: [newest] } = yield* seen("code=wrong_project&project=&limit=1")
        assert(newest !== undefined)
        assert.strictEqual(newest.workItem, "XX-2")
        assert.deepStrictEqual(
          yield* Effect.forEach(
            [
              "limit=1",
              "project=ET",
              "project=",
              `upTo=${newest.id - 1}`,
              "until=2026-01-01T00:00:00Z",
              `since=${encodeURIComponent(newest.settledAt)}`
            ],
            (query) => Effect.map(seen(query), ({ total }) => total > 0)
          ),
          [true, false, true, true, false, true]
        )
        assert.strictEqual((yield* seen("limit=1")).total, 2)
        yield* post(url, failed("XX-3"))
        yield* untilCounts(url, { pending: 0, dead: 3 })
        const those = { code: "wrong_project", project: "", since: null, until: null, upTo: newest.id }
        assert.deepStrictEqual((yield* act(url, "/discard", JSON.stringify(those))).body, { discarded: 2 })
        assert.deepStrictEqual((yield* seen("limit=9")).deliveries.map(({ workItem }) => workItem), ["XX-3"])
        const nothing = yield* act(url, "/discard", JSON.stringify({ code: null }))
        assert.strictEqual(nothing.status, 400)
        assert.include(JSON.stringify(nothing.body), "expected at least one of code, project, since, until and upTo")
        assert.include(JSON.stringify((yield* request(`${url}/api/overview`)).body), "Discard it")
      }).pipe(Effect.scoped, withPlane),
    30_000
  )

  it.live("lists dead letters, retries them at once, and discards them", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
      yield* plane.misbehave(Fault.Status({ match: { method: "POST" }, count: 2, status: 400 }))
      const url = yield* served({ ORCH_PLANE_QUIET: "100 millis" })
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
      const shown = { occurredAt: "2026-11-20T08:30:00.000Z", answer: 400, attempts: 2 }
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
