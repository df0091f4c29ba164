import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { comment, itemUrl, move, read, until, withItem } from "./support.js"

const quick = { rateLimit: "off" } as const

describe("writing", () => {
  it.scopedLive("parallel requests with one external id all pass, later ones conflict", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      const answers = yield* Effect.all(Array.from({ length: 8 }, () => comment(plane, item.id, "same")), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(answers.map(({ status }) => status), Array.from({ length: 8 }, () => 201))
      assert.strictEqual((yield* comment(plane, item.id, "same")).status, 409)
    }).pipe(Effect.provide(PlaneSimulator.layer({ ...quick, insertDelay: "400 millis" }))))

  it.scopedLive("is finished though the client has left", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      const answer = yield* Effect.timeoutOption(comment(plane, item.id, "left"), "150 millis")
      assert.isTrue(Option.isNone(answer))
      assert.lengthOf(yield* plane.comments(item.id), 0)
      yield* until(Effect.map(plane.comments(item.id), (all) => all.length > 0))
      assert.deepStrictEqual((yield* plane.comments(item.id)).map((each) => each.externalId), ["left"])
      assert.deepInclude((yield* plane.requests)[0], { applied: true, clientGone: true })
    }).pipe(Effect.provide(PlaneSimulator.layer({ ...quick, insertDelay: "500 millis" }))))

  it.scopedLive("to deleted and archived items", () =>
    Effect.gen(function*() {
      const { item: deleted, plane } = yield* withItem
      const archived = yield* plane.addWorkItem({ name: "Measure the ridge" })
      yield* plane.deleteWorkItem(deleted.id)
      yield* plane.archiveWorkItem(archived.id)
      assert.strictEqual((yield* comment(plane, deleted.id, "a")).status, 201)
      assert.strictEqual((yield* comment(plane, deleted.id, "a")).status, 409)
      assert.strictEqual((yield* read(plane, deleted.id)).status, 404)
      assert.strictEqual((yield* move(plane, deleted.id, "Done")).status, 404)
      assert.strictEqual((yield* read(plane, archived.id)).status, 404)
      assert.strictEqual((yield* move(plane, archived.id, "Done")).status, 200)
    }).pipe(Effect.provide(PlaneSimulator.layer(quick))))

  it.scopedLive("keeps who moved what, and when", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      yield* move(plane, item.id, "In Progress")
      yield* move(plane, item.id, "In Progress")
      yield* plane.moveWorkItem(item.id, "Cancelled")
      assert.deepStrictEqual(
        (yield* plane.stateChanges(item.id)).map(({ by, from, to }) => [from.name, to.name, by]),
        [["Todo", "In Progress", plane.bot.name], ["In Progress", "Cancelled", plane.person.name]]
      )
      assert.strictEqual((yield* plane.workItem(item.id)).state.name, "Cancelled")
    }).pipe(Effect.provide(PlaneSimulator.layer(quick))))
})

describe("options", () => {
  it.effect("that are wrong are named", () =>
    Effect.gen(function*() {
      const refusal = (options: Parameters<typeof PlaneSimulator.layer>[0]) =>
        Effect.map(Effect.flip(Layer.launch(PlaneSimulator.layer(options))), (error) => error.message)
      assert.include(yield* refusal({ port: 70_000 }), "port 70000")
      assert.include(yield* refusal({ workspace: "a b" }), "workspace")
      assert.include(yield* refusal({ rateLimit: { limit: 0, windowMillis: 1 } }), "rateLimit.limit 0")
      assert.include(yield* refusal({ record: 0 }), "record 0")
      assert.include(yield* refusal({ webhook: { url: "nowhere", secret: "s" } }), "webhook.url")
      const project = { id: "x", identifier: "ET", name: "x", states: [] }
      assert.include(yield* refusal({ project }), "project id")
    }))

  it.scopedLive("a port in use is said", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const port = Number(new URL(plane.url).port)
      const error = yield* Effect.flip(Layer.launch(PlaneSimulator.layer({ port })))
      assert.strictEqual(error.reason, "CannotListen")
      assert.include(error.message, String(port))
    }).pipe(Effect.provide(PlaneSimulator.layer())))

  it.scoped("the record can be bounded", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const client = yield* HttpClient.HttpClient
      yield* Effect.forEach(Array.from({ length: 12 }), () => client.get(`${plane.url}/api/v1/nowhere/`))
      assert.deepStrictEqual((yield* plane.requests).map((each) => each.sequence), [10, 11, 12])
      assert.include(itemUrl(plane, "x"), "/work-items/x/")
    }).pipe(Effect.provide(PlaneSimulator.layerMemory({ record: 3 }))))
})
