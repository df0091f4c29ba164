import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { comment, controlOf, itemUrl, move, read, send, until, whoAmI, withItem } from "./support.js"

const layer = PlaneSimulator.layer({ rateLimit: "off" })

const inserted = (id: string) =>
  Effect.flatMap(PlaneSimulator, (plane) => plane.comments(id)).pipe(
    Effect.map((all) => all.map((each) => each.externalId))
  )

const unanswered = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.map(Effect.timeoutOption(effect, "150 millis"), Option.isNone)

describe("faults over HTTP", () => {
  it.scopedLive("down: the connection is dropped, for as many requests as said", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      yield* plane.misbehave(Fault.Down({ count: 2 }))
      assert.isTrue(Either.isLeft(yield* Effect.either(comment(plane, item.id, "a"))))
      assert.isTrue(Either.isLeft(yield* Effect.either(read(plane, item.id))))
      assert.strictEqual((yield* read(plane, item.id)).status, 200)
      assert.deepStrictEqual(yield* inserted(item.id), [])
      const [first] = yield* plane.requests
      assert.deepInclude(first, { fault: "Down", status: null, applied: false, clientGone: false })
    }).pipe(Effect.provide(layer)))

  it.scopedLive("silent: never answered, applied or not as said", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      yield* plane.misbehave(Fault.Silent({ count: 1 }))
      yield* plane.misbehave(Fault.Silent({ count: 1, when: "after" }))
      assert.isTrue(yield* unanswered(comment(plane, item.id, "before")))
      assert.isTrue(yield* unanswered(comment(plane, item.id, "after")))
      assert.deepStrictEqual(yield* inserted(item.id), ["after"])
      yield* until(Effect.map(plane.requests, (all) => all.every((each) => each.clientGone)))
      assert.deepStrictEqual((yield* plane.requests).map((each) => each.clientGone), [true, true])
    }).pipe(Effect.provide(layer)))

  it.scopedLive("byte by byte: the headers at once, the body at its pace", () =>
    Effect.gen(function*() {
      const { plane } = yield* withItem
      yield* plane.misbehave(Fault.ByteByByte({ everyMillis: 10 }))
      const start = yield* Clock.currentTimeMillis
      const response = yield* Effect.promise((signal) => fetch(`${plane.url}/api/v1/users/me/`, { signal }))
      const headersAt = yield* Clock.currentTimeMillis
      const text = yield* Effect.promise(() => response.text())
      const bodyAt = yield* Clock.currentTimeMillis
      assert.strictEqual(response.status, 401)
      assert.isAtLeast(bodyAt - start, 10 * text.length)
      assert.isAtLeast(bodyAt - headersAt, 5 * text.length)
    }).pipe(Effect.provide(layer)))

  it.scopedLive("a status before or after applying, as JSON or a proxy's page", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      yield* plane.misbehave(Fault.Status({ status: 503, count: 1, headers: { "Retry-After": "7" } }))
      yield* plane.misbehave(Fault.Status({ status: 502, count: 1, when: "after", html: true }))
      const before = yield* comment(plane, item.id, "before")
      const after = yield* comment(plane, item.id, "after")
      assert.strictEqual(before.status, 503)
      assert.strictEqual(before.headers.get("Retry-After"), "7")
      assert.strictEqual(after.status, 502)
      assert.include(after.headers.get("Content-Type") ?? "", "text/html")
      assert.isTrue(after.text.startsWith("<html>"))
      assert.deepStrictEqual(yield* inserted(item.id), ["after"])
      assert.deepStrictEqual((yield* plane.requests).map((each) => [each.status, each.applied]), [
        [503, false],
        [502, true]
      ])
    }).pipe(Effect.provide(layer)))

  it.scopedLive("a reset before applying, after it, and amid the body", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      for (const when of ["before", "after", "midBody"] as const) {
        yield* plane.misbehave(Fault.Reset({ when, count: 1 }))
        assert.isTrue(Either.isLeft(yield* Effect.either(comment(plane, item.id, when))))
      }
      assert.deepStrictEqual(yield* inserted(item.id), ["after", "midBody"])
    }).pipe(Effect.provide(layer)))

  it.scopedLive("answers that cannot be used: cut, empty, without an id", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      yield* plane.misbehave(Fault.Truncated({ count: 1 }))
      yield* plane.misbehave(Fault.EmptyOk({ count: 1 }))
      yield* plane.misbehave(Fault.NoId({ count: 1 }))
      const cut = yield* comment(plane, item.id, "cut")
      assert.strictEqual(cut.status, 201)
      assert.throws(() => void JSON.parse(cut.text))
      const empty = yield* comment(plane, item.id, "empty")
      assert.deepStrictEqual([empty.status, empty.text], [200, ""])
      const noId = yield* comment(plane, item.id, "no id")
      assert.strictEqual(noId.status, 201)
      assert.notInclude(noId.text, `"id":`)
      assert.deepStrictEqual(yield* inserted(item.id), ["cut", "no id"])
    }).pipe(Effect.provide(layer)))

  it.scopedLive("too many: nothing is written, with or without Retry-After", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      yield* plane.misbehave(Fault.TooMany({ count: 1, retryAfter: "12" }))
      yield* plane.misbehave(Fault.TooMany({ count: 1 }))
      const told = yield* comment(plane, item.id, "a")
      const untold = yield* comment(plane, item.id, "a")
      assert.deepStrictEqual([told.status, told.headers.get("Retry-After")], [429, "12"])
      assert.deepStrictEqual([untold.status, untold.headers.get("Retry-After")], [429, null])
      assert.isNull(untold.headers.get("X-RateLimit-Remaining"))
      assert.deepStrictEqual(yield* inserted(item.id), [])
    }).pipe(Effect.provide(layer)))

  it.scopedLive("applied late, though the client has left", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      yield* plane.misbehave(Fault.ApplyLate({ afterMillis: 600, count: 1 }))
      assert.isTrue(yield* unanswered(move(plane, item.id, "Done")))
      assert.strictEqual((yield* plane.workItem(item.id)).state.name, "Todo")
      yield* until(Effect.map(plane.workItem(item.id), ({ state }) => state.name === "Done"))
      assert.strictEqual((yield* plane.workItem(item.id)).state.name, "Done")
      assert.deepInclude((yield* plane.requests)[0], { applied: true, clientGone: true })
    }).pipe(Effect.provide(layer)))

  it.scopedLive("a move that is ignored with 200", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      yield* plane.misbehave(Fault.IgnoreState({}))
      const answer = yield* move(plane, item.id, "Done")
      assert.strictEqual(answer.status, 200)
      assert.include(answer.text, `"state":"${plane.stateId("Todo")}"`)
      assert.deepStrictEqual(yield* plane.stateChanges(item.id), [])
    }).pipe(Effect.provide(layer)))

  it.scopedLive("only what matches, the first that does, until calm", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      const other = yield* plane.addWorkItem({ name: "Measure the ridge" })
      yield* plane.misbehave(Fault.Status({ status: 500, match: { method: "POST", workItem: item.id } }))
      yield* plane.misbehave(Fault.Status({ status: 504, match: { kind: "comments" } }))
      yield* plane.misbehave(Fault.Status({ status: 508, match: { workItem: other.id, kind: "identifier" } }))
      const identifier = (key: string) =>
        send(`${plane.url}/api/v1/workspaces/${plane.workspace}/work-items/${key}/`, "GET", { key: plane.token })
      assert.strictEqual((yield* comment(plane, item.id, "a")).status, 500)
      assert.strictEqual((yield* comment(plane, other.id, "b")).status, 504)
      assert.strictEqual((yield* read(plane, item.id)).status, 200)
      assert.strictEqual((yield* identifier(item.key)).status, 200)
      assert.strictEqual((yield* identifier(other.key)).status, 508)
      yield* plane.calm
      assert.strictEqual((yield* comment(plane, item.id, "a")).status, 201)
    }).pipe(Effect.provide(layer)))

  it.scopedLive("only a comment that says something, however its JSON is written", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      yield* plane.misbehave(Fault.Status({
        status: 400,
        match: { method: "POST", kind: "comments", text: "яд & <b>poison</b>" }
      }))
      const post = (body: string, type = "application/json") =>
        Effect.promise(async () => {
          const headers = { "X-API-Key": plane.token, "Content-Type": type }
          const response = await fetch(`${itemUrl(plane, item.id)}comments/`, { method: "POST", headers, body })
          return response.status
        })
      assert.strictEqual(yield* post(`{"comment_html": "<p>яд & <b>poison</b></p>"}`), 400)
      assert.strictEqual(yield* post(`{"comment_html":"<p>\\u044f\\u0434 \\u0026 \\u003cb>poison<\\/b></p>"}`), 400)
      assert.strictEqual(
        yield* post("comment_html=%D1%8F%D0%B4+%26+%3Cb%3Epoison%3C%2Fb%3E", "application/x-www-form-urlencoded"),
        400
      )
      assert.strictEqual(yield* post(`{"comment_html": "<p>яд & poison</p>"}`), 201)
      const elsewhere = { comment_html: "<p>x</p>", external_source: "яд & <b>poison</b>", external_id: "a" }
      assert.strictEqual(yield* post(JSON.stringify(elsewhere)), 201)
      // No comment_html: the body as it came.
      assert.strictEqual(yield* post(`{"access": "яд & <b>poison</b>"}`), 400)
      assert.lengthOf(yield* plane.comments(item.id), 2)
    }).pipe(Effect.provide(layer)))

  it.scopedLive("a 400 for what was written nevertheless", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      yield* plane.misbehave(Fault.Status({ status: 400, when: "after", match: { method: "PATCH", kind: "item" } }))
      yield* plane.misbehave(Fault.Status({
        status: 400,
        when: "after",
        match: { method: "POST", kind: "comments", text: "<p>a</p>" }
      }))
      assert.strictEqual((yield* move(plane, item.id, "Done")).status, 400)
      assert.strictEqual((yield* plane.workItem(item.id)).state.name, "Done")
      assert.strictEqual((yield* comment(plane, item.id, "a")).status, 400)
      assert.strictEqual((yield* comment(plane, item.id, "b")).status, 201)
      assert.deepStrictEqual(yield* inserted(item.id), ["a", "b"])
      assert.deepStrictEqual((yield* plane.requests).map((each) => [each.status, each.applied, each.fault]), [
        [400, true, "Status"],
        [400, true, "Status"],
        [201, true, null]
      ])
    }).pipe(Effect.provide(layer)))

  it.scopedLive("at random, the same for the same seed", () => {
    const drawn = Effect.gen(function*() {
      const { plane } = yield* withItem
      yield* plane.misbehave(Fault.Random({
        probability: 0.5,
        seed: 7,
        faults: [Fault.Status({ status: 502 }), Fault.Status({ status: 503, when: "after" })]
      }))
      return yield* Effect.forEach(Array.from({ length: 24 }), () => Effect.map(whoAmI(plane), ({ status }) => status))
    })
    return Effect.gen(function*() {
      const first = yield* drawn.pipe(Effect.provide(PlaneSimulator.layer({ rateLimit: "off" })))
      const second = yield* drawn.pipe(Effect.provide(PlaneSimulator.layer({ rateLimit: "off" })))
      assert.deepStrictEqual(first, second)
      assert.sameMembers([...new Set(first)], [200, 502, 503])
    })
  })

  it.scopedLive("the control path is served however Plane fares", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      const control = controlOf(plane)
      assert.strictEqual((yield* control("POST", "faults", { _tag: "Down" })).status, 201)
      assert.isTrue(Either.isLeft(yield* Effect.either(whoAmI(plane))))
      const made = yield* control("POST", "work-items", { name: "By another process", number: 20, state: "Done" })
      assert.deepInclude(JSON.parse(made.text), { key: "ET-20", name: "By another process" })
      assert.strictEqual((yield* control("POST", `work-items/${item.id}/move`, { state: "Done" })).status, 200)
      assert.strictEqual((yield* control("POST", `work-items/${item.id}/comments`, { html: "<p>hm</p>" })).status, 201)
      assert.include((yield* control("GET", `work-items/${item.id}/comments`)).text, "<p>hm</p>")
      assert.include((yield* control("GET", `work-items/${item.id}/state-changes`)).text, plane.person.name)
      assert.strictEqual((yield* control("DELETE", "faults")).status, 200)
      assert.strictEqual((yield* read(plane, item.id)).status, 200)
      assert.include((yield* control("GET", "requests?after=1")).text, itemUrl(plane, item.id).slice(plane.url.length))
      const fault = { _tag: "Status", status: 400, match: { text: "<p>poison</p>" } }
      assert.strictEqual((yield* control("POST", "faults", fault)).status, 201)
      assert.strictEqual((yield* comment(plane, item.id, "poison")).status, 400)
      assert.strictEqual((yield* comment(plane, item.id, "food")).status, 201)
      assert.strictEqual((yield* control("DELETE", "token")).status, 200)
      assert.strictEqual((yield* whoAmI(plane)).status, 403)
    }).pipe(Effect.provide(layer)))

  it.scopedLive("the control path says what is wrong with a request", () =>
    Effect.gen(function*() {
      const { plane } = yield* withItem
      const control = controlOf(plane)
      const unknownFault = yield* control("POST", "faults", { _tag: "Asleep" })
      assert.strictEqual(unknownFault.status, 400)
      assert.include(unknownFault.text, "Asleep")
      assert.strictEqual((yield* control("POST", "work-items", { name: "x", nubmer: 2 })).status, 400)
      assert.strictEqual((yield* control("GET", "work-items/none")).status, 404)
      assert.strictEqual((yield* control("GET", "weather")).status, 404)
    }).pipe(Effect.provide(layer)))
})
