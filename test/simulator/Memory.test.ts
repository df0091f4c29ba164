import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { ClockMillis, Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { itemUrl, type Plane, withItem } from "./support.js"

const whoAmI = (plane: Plane) =>
  Effect.flatMap(
    HttpClient.HttpClient,
    (client) => client.get(`${plane.url}/api/v1/users/me/`, { headers: { "X-API-Key": plane.token } })
  )

const comment = (plane: Plane, id: string, externalId: string) =>
  Effect.flatMap(HttpClient.HttpClient, (client) =>
    HttpClientRequest.post(`${itemUrl(plane, id)}comments/`).pipe(
      HttpClientRequest.setHeader("X-API-Key", plane.token),
      HttpClientRequest.bodyUnsafeJson({ comment_html: "<p>ok</p>", external_id: externalId, external_source: "test" }),
      client.execute
    ))

describe("in memory, under a TestClock", () => {
  it.scoped("answers like the server", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      const made = yield* comment(plane, item.id, "a")
      assert.strictEqual(made.status, 201)
      assert.strictEqual(made.headers["x-ratelimit-remaining"], "59")
      assert.strictEqual(made.headers["x-ratelimit-reset"], "60")
      const body = yield* made.json
      assert.deepInclude(body, { external_id: "a", external_source: "test" })
      assert.strictEqual((yield* comment(plane, item.id, "a")).status, 409)
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())))

  it.scoped("a slot of the rate limit frees a window after the arrival that took it", () =>
    Effect.gen(function*() {
      const { plane } = yield* withItem
      const ask = Effect.map(whoAmI(plane), (answer) => [answer.status, answer.headers["retry-after"]])
      yield* ask
      yield* TestClock.adjust("10 seconds")
      yield* Effect.forEach(Array.from({ length: 59 }), () => whoAmI(plane))
      assert.deepStrictEqual(yield* ask, [429, "50"])
      yield* TestClock.adjust("49999 millis")
      assert.deepStrictEqual(yield* ask, [429, "1"])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* ask, [200, undefined])
      assert.deepStrictEqual(yield* ask, [429, "10"])
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())))

  it.scoped("a write goes on after its client, on the client's clock", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      const fiber = yield* Effect.fork(comment(plane, item.id, "late"))
      yield* TestClock.adjust("5 seconds")
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
      assert.lengthOf(yield* plane.comments(item.id), 0)
      yield* TestClock.adjust("25 seconds")
      assert.lengthOf(yield* plane.comments(item.id), 1)
      assert.deepInclude((yield* plane.requests)[0], {
        at: ClockMillis(0),
        answeredAt: ClockMillis(30_000),
        applied: true,
        clientGone: true
      })
    }).pipe(Effect.provide(PlaneSimulator.layerMemory({ insertDelay: "30 seconds" }))))

  it.scoped("a body that comes byte by byte takes its time, and can be interrupted", () =>
    Effect.gen(function*() {
      const { plane } = yield* withItem
      yield* plane.misbehave(Fault.ByteByByte({ everyMillis: 1000 }))
      const answer = yield* whoAmI(plane)
      const length = Number(answer.headers["content-length"])
      const fiber = yield* Effect.fork(Effect.zip(answer.text, Clock.currentTimeMillis))
      const impatient = yield* Effect.fork(Effect.either(Effect.timeout(answer.text, "10 seconds")))
      yield* TestClock.adjust(length * 1000)
      assert.strictEqual((yield* Fiber.join(fiber))[1], length * 1000)
      assert.isTrue(Either.isLeft(yield* Fiber.join(impatient)))
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())))

  it.scoped("faults are errors of the client", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      const failure = (fault: Fault) =>
        plane.misbehave(fault).pipe(
          Effect.zipRight(comment(plane, item.id, fault._tag)),
          Effect.flatMap((answer) => answer.json),
          Effect.flip,
          Effect.map((error) => [error._tag, error.reason])
        )
      assert.deepStrictEqual(yield* failure(Fault.Down({ count: 1 })), ["RequestError", "Transport"])
      assert.deepStrictEqual(yield* failure(Fault.Reset({ count: 1, when: "after" })), ["RequestError", "Transport"])
      assert.deepStrictEqual(yield* failure(Fault.Reset({ count: 1, when: "midBody" })), ["ResponseError", "Decode"])
      assert.deepStrictEqual(yield* failure(Fault.Truncated({ count: 1 })), ["ResponseError", "Decode"])
      yield* plane.misbehave(Fault.Silent({ count: 1 }))
      const silent = yield* Effect.fork(Effect.either(Effect.timeout(whoAmI(plane), "1 hour")))
      yield* TestClock.adjust("1 hour")
      assert.isTrue(Either.isLeft(yield* Fiber.join(silent)))
      const lost = yield* Effect.flip(
        Effect.flatMap(HttpClient.HttpClient, (client) => client.get("http://other.test/"))
      )
      assert.strictEqual(lost._tag, "RequestError")
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())))
})
