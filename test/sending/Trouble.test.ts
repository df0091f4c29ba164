import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Layer, TestClock } from "effect"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { inMemory, overPlane, projectStatus, received } from "./Pipeline.js"

const publish = (workItem: string, from: string, to: string) =>
  Effect.flatMap(StageEvents, (events) => events.publish(StageEvent.StageChanged({ workItem, from, to })))

const fail = (workItem: string, reason: string) =>
  Effect.flatMap(
    StageEvents,
    (events) => events.publish(StageEvent.QualityGateFailed({ workItem, stage: "review", check: "lint", reason }))
  )

const lines = (id: string) =>
  Effect.gen(function*() {
    const comments = yield* (yield* PlaneSimulator).comments(id)
    return comments.map((comment) => comment.html.replace(/<[^>]*>/g, ""))
  })

const bodyOf = ({ body }: HttpClientRequest.HttpClientRequest) =>
  body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : ""

const status = Effect.flatMap(Outbox, (outbox) => outbox.status)

/** The moments, in ms of the TestClock, at which Plane received requests of a kind. */
const moments = (method: string, path: RegExp) =>
  Effect.gen(function*() {
    const requests = yield* (yield* PlaneSimulator).requests
    return requests.filter((request) => request.method === method && path.test(request.path)).map(({ at }) => at)
  })

describe("trouble", () => {
  it.effect("Plane away: nothing is lost, no attempt is spent, and it goes on by itself", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Trail map" })
      yield* plane.misbehave(Fault.Down({}))
      yield* publish(item.key, "created", "analysis")
      yield* publish(item.key, "analysis", "architecture")
      yield* TestClock.adjust("2 hours")
      assert.deepInclude(yield* status, { pending: 2, dead: 0 })
      yield* plane.calm
      yield* TestClock.adjust("3 minutes")
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 2 })
      assert.deepStrictEqual(yield* lines(item.id), [
        "🔄 Stage: created → analysis · 1970-01-01 00:00:00 UTC🔄 Stage: analysis → architecture · 1970-01-01 00:00:00 UTC"
      ])
    }).pipe(Effect.provide(inMemory())))

  it.effect("Plane away, with a time until when: not even the probe is sent before", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Trail map" })
      yield* TestClock.adjust("1 seconds")
      yield* plane.forgetRequests
      yield* plane.misbehave(Fault.Status({ match: {}, status: 503, headers: { "retry-after": "300" } }))
      yield* publish(item.key, "created", "analysis")
      yield* TestClock.adjust("290 seconds")
      assert.lengthOf(yield* plane.requests, 2)
      yield* plane.calm
      yield* TestClock.adjust("20 seconds")
      assert.deepInclude(yield* status, { pending: 0, delivered: 1 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("a comment whose outcome is unknown is not repeated before 30 s, and never doubled", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Trail map" })
      yield* plane.misbehave(Fault.ApplyLate({ match: { method: "POST" }, count: 1, afterMillis: 25_000 }))
      yield* fail(item.key, "two errors")
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(yield* lines(item.id), ["⚠️ QG failed at review: lint — two errors"])
      const [first, second, ...more] = yield* moments("POST", /comments/)
      assert.deepStrictEqual(more, [])
      assert.isAtLeast((second ?? 0) - (first ?? 0), 30_000)
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 1 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("an event that always fails becomes a dead letter after 8 attempts, and its work item goes on", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Trail map" })
      const other = yield* plane.addWorkItem({ name: "Other" })
      yield* publish(item.key, "created", "analysis")
      yield* TestClock.adjust("1 seconds")
      yield* plane.misbehave(Fault.Status({ match: { method: "POST", workItem: item.id }, count: 8, status: 500 }))
      yield* fail(item.key, "poison")
      yield* fail(item.key, "fine")
      yield* fail(other.key, "nobody waits for it")
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(yield* lines(other.id), ["⚠️ QG failed at review: lint — nobody waits for it"])
      yield* TestClock.adjust("10 minutes")
      assert.deepInclude(yield* status, { pending: 0, dead: 1, delivered: 3 })
      assert.deepStrictEqual(yield* lines(item.id), [
        "🔄 Stage: created → analysis",
        "⚠️ QG failed at review: lint — fine"
      ])
      const [dead] = yield* (yield* Outbox).events({ status: "dead", limit: 10 })
      assert.match(dead?.reason ?? "", /500/)
    }).pipe(Effect.provide(inMemory())))

  it.effect("one work item that is answered 503 with Retry-After stops no other", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Trail map" })
      const other = yield* plane.addWorkItem({ name: "Other" })
      yield* plane.misbehave(Fault.Status({
        match: { method: "POST", workItem: item.id },
        status: 503,
        headers: { "retry-after": "300" }
      }))
      yield* fail(item.key, "poison")
      yield* TestClock.adjust("5 seconds")
      yield* fail(other.key, "nobody waits for it")
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* lines(other.id), ["⚠️ QG failed at review: lint — nobody waits for it"])
      yield* TestClock.adjust("9 minutes")
      const [first = NaN, second = NaN, ...more] = yield* moments("POST", new RegExp(item.id))
      assert.deepStrictEqual(more, [])
      assert.isAtLeast(second - first, 300_000)
    }).pipe(Effect.provide(inMemory())))

  it.effect("one work item that is always answered 500 holds up none of 99 others", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Trail map" })
      const others = yield* Effect.forEach(
        Array.from({ length: 99 }),
        (_, i) => plane.addWorkItem({ name: `Task ${i}` })
      )
      yield* plane.misbehave(Fault.Status({ match: { method: "POST", workItem: item.id }, status: 500 }))
      for (const { key } of [item, ...others]) yield* fail(key, "told")
      // Of 60 a minute a page, 99 comments, and what the one costs meanwhile: attempts and a probe each.
      yield* TestClock.adjust("121 seconds")
      assert.deepInclude(yield* status, { dead: 0, delivered: 99 })
      for (const { id } of others) assert.lengthOf(yield* lines(id), 1)
      yield* TestClock.adjust("5 minutes")
      assert.deepInclude(yield* status, { pending: 0, dead: 1, delivered: 99 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("a look-up that always fails: the dead letter tells how often it was tried, and Plane's last answer", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Trail map" })
      yield* plane.misbehave(Fault.Status({ match: { method: "GET", kind: "identifier" }, status: 500 }))
      yield* fail(item.key, "unheard")
      yield* TestClock.adjust("30 minutes")
      const [letter] = yield* (yield* Outbox).deadLetters({ limit: 10 })
      assert.deepInclude(letter, { code: "attempts", attempts: 8, answer: 500 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("a bug while sending is its event's own trouble: a dead letter in the end, and all else goes on", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Trail map" })
      const other = yield* plane.addWorkItem({ name: "Other" })
      yield* Effect.gen(function*() {
        yield* fail(item.key, "poison")
        yield* fail(item.key, "fine")
        yield* TestClock.adjust("1 seconds")
        yield* fail(other.key, "nobody waits for it")
        yield* TestClock.adjust("1 seconds")
        assert.deepStrictEqual(yield* lines(other.id), ["⚠️ QG failed at review: lint — nobody waits for it"])
        assert.deepInclude(yield* status, { pending: 2, dead: 0 })
        yield* TestClock.adjust("5 minutes")
        assert.deepStrictEqual(yield* lines(item.id), ["⚠️ QG failed at review: lint — fine"])
        assert.deepInclude(yield* status, { pending: 0, dead: 1, delivered: 2 })
        const [letter] = yield* (yield* Outbox).deadLetters({ limit: 10 })
        assert.deepInclude(letter, { code: "attempts", attempts: 3 })
        assert.match(letter?.reason ?? "", /a bug in plane-sync: .*cannot read/)
      }).pipe(Effect.provide(
        overPlane({ settings: { ORCH_PLANE_MAX_ATTEMPTS: "3" } }).pipe(
          Layer.provide(Layer.effect(
            HttpClient.HttpClient,
            Effect.map(
              HttpClient.HttpClient,
              HttpClient.transform((effect, request) =>
                bodyOf(request).includes("poison") ? Effect.die(new TypeError("cannot read properties")) : effect
              )
            )
          ))
        )
      ))
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())))

  it.effect("others use the API token up, and the probe meets a 429 as well: nothing is closed, and nobody is alarmed", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Trail map" })
      // It is open by then.
      yield* TestClock.adjust("1 seconds")
      yield* plane.misbehave(Fault.Status({ match: { kind: "comments" }, count: 1, status: 500 }))
      yield* plane.misbehave(Fault.TooMany({ match: { kind: "project" }, retryAfter: "20" }))
      yield* fail(item.key, "two errors")
      yield* TestClock.adjust("10 seconds")
      const requests = yield* plane.requests
      assert.strictEqual(requests.filter((request) => request.status === 429).length, 1)
      assert.deepStrictEqual((yield* projectStatus).destination, { open: true })
      yield* plane.calm
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(yield* lines(item.id), ["⚠️ QG failed at review: lint — two errors"])
    }).pipe(Effect.provide(inMemory())))

  it.effect("a key that nobody has yet is looked for at 0, 5 s, 30 s, 2, 5 and 10 minutes", () =>
    Effect.gen(function*() {
      yield* fail("ET-77", "who?")
      yield* TestClock.adjust("20 minutes")
      const looks = yield* moments("GET", /ET-77/)
      assert.deepStrictEqual(
        looks.map((at) => Math.round((at - (looks[0] ?? 0)) / 1000)),
        [0, 5, 30, 120, 300, 600]
      )
      assert.deepInclude(yield* status, { pending: 0, dead: 1 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("a work item that appears later gets what was published for its key, in order", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      yield* publish("ET-002", "created", "analysis")
      yield* fail("ET-002", "second")
      yield* publish("ET-002", "analysis", "architecture")
      yield* TestClock.adjust("1 minutes")
      yield* plane.addWorkItem({ name: "One" })
      const item = yield* plane.addWorkItem({ name: "Two", number: 2 })
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(yield* lines(item.id), [
        "🔄 Stage: created → analysis",
        "⚠️ QG failed at review: lint — second",
        "🔄 Stage: analysis → architecture"
      ])
    }).pipe(Effect.provide(inMemory())))

  it.effect("a deleted work item: what is owed are dead letters; a later event costs one look", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Trail map" })
      yield* publish(item.key, "created", "analysis")
      yield* TestClock.adjust("1 seconds")
      yield* plane.deleteWorkItem(item.id)
      yield* publish(item.key, "deploy", "done")
      yield* TestClock.adjust("1 minutes")
      assert.deepInclude(yield* status, { pending: 0, dead: 1, delivered: 1 })
      yield* plane.forgetRequests
      yield* publish(item.key, "created", "analysis")
      yield* TestClock.adjust("30 minutes")
      assert.strictEqual((yield* received).length, 1)
      assert.deepInclude(yield* status, { pending: 0, dead: 2 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("a wrong prefix is a dead letter that names the known one, without a request", () =>
    Effect.gen(function*() {
      yield* fail("XX-1", "whose?")
      yield* TestClock.adjust("1 minutes")
      const [dead] = yield* (yield* Outbox).events({ status: "dead", limit: 10 })
      assert.match(dead?.reason ?? "", /"ET-"/)
      assert.deepStrictEqual(yield* received, [])
    }).pipe(Effect.provide(inMemory())))

  it.effect("the API token revoked: closed, and open again when it is renewed; nothing is lost", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Trail map" })
      yield* plane.revokeToken
      yield* publish(item.key, "created", "analysis")
      yield* TestClock.adjust("1 hours")
      assert.deepInclude(yield* status, { pending: 1, dead: 0 })
      yield* plane.restoreToken
      yield* TestClock.adjust("2 minutes")
      assert.deepInclude(yield* status, { pending: 0, delivered: 1 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("the API token revoked while Plane is away: logged once more, because a person has to mend it", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "Trail map" })
      yield* plane.misbehave(Fault.Down({}))
      yield* publish(item.key, "created", "analysis")
      yield* TestClock.adjust("10 minutes")
      yield* plane.revokeToken
      yield* plane.calm
      yield* TestClock.adjust("1 hours")
      const now = (yield* projectStatus).destination
      assert.match(now.open ? "" : now.reason, /API token/)
      assert.strictEqual(now.open ? undefined : DateTime.toEpochMillis(now.since), 0)
      yield* plane.restoreToken
      yield* TestClock.adjust("2 minutes")
      assert.deepInclude(yield* status, { pending: 0, delivered: 1 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("an identifier that is not the project's: closed, and no event becomes a dead letter", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      yield* plane.addWorkItem({ name: "Trail map" })
      yield* publish("XX-1", "created", "analysis")
      yield* TestClock.adjust("10 minutes")
      assert.deepInclude(yield* status, { pending: 1, dead: 0 })
    }).pipe(Effect.provide(inMemory({ settings: { ORCH_PLANE_PROJECT_IDENTIFIER: "XX" } }))))

  it.effect("no token: nothing is sent, what is published is kept", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      yield* publish("ET-1", "created", "analysis")
      yield* TestClock.adjust("1 hours")
      assert.deepInclude(yield* status, { pending: 1, dead: 0 })
      assert.deepStrictEqual(yield* plane.requests, [])
    }).pipe(Effect.provide(inMemory({ settings: { ORCH_PLANE_API_TOKEN: "" } }))))

  it.effect("the budget of 60 a minute: no 429, and no minute is wasted", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const items = yield* Effect.forEach(
        Array.from({ length: 75 }),
        (_, i) => plane.addWorkItem({ name: `Task ${i}` })
      )
      yield* Effect.forEach(items, (item) => publish(item.key, "created", "analysis"), { discard: true })
      // A state and a comment each, and a page of the list each minute: 153 requests.
      yield* TestClock.adjust("121 seconds")
      assert.deepInclude(yield* status, { pending: 0, delivered: 75 })
      const requests = yield* plane.requests
      // Up to 8 more looks: where a minute ended between a look-up and its state, what was read is no longer fresh.
      assert.isAtLeast(requests.length, 151)
      assert.isAtMost(requests.length, 161)
      assert.isTrue(requests.every((request) => request.status !== 429))
      // The last as early as the limit lets it, but for the margin between two clocks.
      const windows = Math.ceil(requests.length / 60) - 1
      assert.isAtMost(requests.at(-1)?.at ?? Infinity, windows * 60_000 * 1.05)
    }).pipe(Effect.provide(inMemory())))
})
