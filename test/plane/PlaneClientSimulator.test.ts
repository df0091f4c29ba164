import { assert, describe, it } from "@effect/vitest"
import { DateTime, Duration, Effect, Either, Layer, Option } from "effect"
import { connections } from "../../src/base/Connections.js"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { ItemId } from "../../src/domain/Ids.js"
import { StateId } from "../../src/domain/StageStates.js"
import { WorkItemKey } from "../../src/domain/WorkItemKey.js"
import { meansLinkTaken } from "../../src/plane/Links.js"
import { PlaneClient } from "../../src/plane/PlaneClient.js"
import { RateBudget } from "../../src/plane/RateBudget.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { firstClient } from "../support/FirstClient.js"
import { settings } from "./FakePlane.js"

const client = Layer.unwrapEffect(Effect.map(PlaneSimulator, ({ token, url }) =>
  firstClient.pipe(
    Layer.provideMerge(Layer.merge(projectsLayer, RateBudget.layer)),
    Layer.provide(settings({ ORCH_PLANE_API_URL: url, ORCH_PLANE_API_TOKEN: token, ORCH_PLANE_TIMEOUT: "500 millis" }))
  )))

const overHttp = client.pipe(Layer.provide(connections), Layer.provideMerge(PlaneSimulator.layer()))
const inMemory = client.pipe(Layer.provideMerge(PlaneSimulator.layerMemory()))

const key = (text: string) => Either.getOrThrow(WorkItemKey.parse(text))
const comment = (externalId: string) => ({
  html: "<p>🔄 Stage: a → b</p>",
  externalId,
  createdAt: DateTime.unsafeMake("2026-11-24T08:30:00Z")
})

for (const [name, layer] of [["over HTTP", overHttp], ["in memory", inMemory]] as const) {
  describe(`PlaneClient against the simulated Plane ${name}`, () => {
    it.scopedLive("finds, reads, moves and comments", () =>
      Effect.gen(function*() {
        const simulator = yield* PlaneSimulator
        const plane = yield* PlaneClient
        const one = yield* simulator.addWorkItem({ name: "Login form" })
        const id = ItemId(one.id)
        const two = yield* simulator.addWorkItem({ name: `ET-0077: logout` })
        assert.strictEqual((yield* plane.find(key(one.key))).id, one.id)
        assert.strictEqual((yield* plane.find(key("ET-0077"))).id, two.id)
        assert.strictEqual((yield* plane.find(key(one.key.replace("-", "-00")))).id, one.id)
        assert.strictEqual((yield* Effect.flip(plane.find(key("ET-99"))))._tag, "WorkItemNotFound")
        assert.strictEqual((yield* simulator.requests).length, 1 + 2 + 2 + 2)

        const done = StateId(simulator.stateId("Done"))
        assert.deepStrictEqual((yield* plane.setState(id, done)).stateId, Option.some(done))
        assert.deepStrictEqual((yield* plane.read(id)).stateId, Option.some(done))
        const first = yield* plane.addComment(id, comment("a"))
        const again = yield* plane.addComment(id, comment("a"))
        assert.deepStrictEqual([first.adopted, again.adopted, again.id], [false, true, first.id])
        const comments = yield* simulator.comments(one.id)
        assert.strictEqual(comments.length, 1)

        yield* simulator.moveWorkItem(id, "Cancelled")
        const moves = yield* plane.moves(id)
        assert.deepStrictEqual(moves.map(({ by, to }) => `${Option.getOrNull(by)} ${Option.getOrNull(to)}`), [
          `${simulator.person.id} ${simulator.stateId("Cancelled")}`,
          `${simulator.bot.id} ${done}`
        ])
        const commentId = Option.getOrThrow(first.id)
        const [own] = yield* plane.signedComments(id)
        assert.deepInclude(own, {
          id: commentId,
          source: Option.some("plane-sync"),
          madeBy: first.by,
          editedBy: Option.none()
        })
        assert.strictEqual(String(Option.getOrThrow(first.by)), simulator.bot.id)
        yield* plane.deleteComment(id, commentId)
        // One that is gone is what was wanted.
        yield* plane.deleteComment(id, commentId)
        assert.lengthOf(yield* simulator.comments(one.id), 0)
        const link = { url: "https://ci.example.com/7", title: "Log" }
        const linkId = yield* plane.addLink(id, link)
        assert.isTrue(meansLinkTaken(yield* Effect.flip(plane.addLink(id, link))))
        assert.deepStrictEqual(yield* plane.findLink(id, link.url), Option.some(linkId))
        assert.isTrue(Option.isNone(yield* plane.findLink(id, `${link.url}/`)))
        const refused = yield* Effect.flip(plane.addLink(id, { ...link, url: "http://gitea:3000/7" }))
        assert.deepInclude(refused, { reason: "Refused", words: "url: Invalid URL format." })
        yield* plane.removeLink(id, linkId)
        yield* plane.removeLink(id, linkId)
        assert.lengthOf(yield* simulator.links(one.id), 0)
        assert.strictEqual((yield* plane.states).length, 5)
        yield* plane.probe
        assert.strictEqual((yield* Effect.flatMap(RateBudget, (budget) => budget.status)).used, 24)
      }).pipe(Effect.provide(layer)))

    it.scopedLive("tells its faults apart", () =>
      Effect.gen(function*() {
        const simulator = yield* PlaneSimulator
        const plane = yield* PlaneClient
        const id = ItemId((yield* simulator.addWorkItem({ name: "Login form" })).id)
        const outcome = Effect.map(
          Effect.flip(plane.addComment(id, comment("b"))),
          ({ reason, sent }) => [reason, sent]
        )
        const under = (fault: Fault) =>
          Effect.zipRight(simulator.calm, Effect.zipRight(simulator.misbehave(fault), outcome))

        assert.deepStrictEqual(yield* under(Fault.Silent({})), ["Unavailable", "unknown"])
        assert.deepStrictEqual(yield* under(Fault.ByteByByte({ everyMillis: 100 })), ["Unavailable", "unknown"])
        assert.deepStrictEqual(yield* under(Fault.Truncated({})), ["Unavailable", "unknown"])
        assert.deepStrictEqual(yield* under(Fault.Reset({ when: "after" })), ["Unavailable", "unknown"])
        assert.deepStrictEqual(yield* under(Fault.EmptyOk({})), ["Unavailable", "unknown"])
        assert.deepStrictEqual(yield* under(Fault.Status({ status: 503 })), ["Unavailable", "answered"])
        assert.deepStrictEqual(yield* under(Fault.Status({ status: 502, html: true })), ["Unavailable", "unknown"])
        yield* simulator.calm
        yield* simulator.revokeToken
        assert.deepStrictEqual(yield* outcome, ["KeyRefused", "answered"])
        yield* simulator.restoreToken
        yield* simulator.leaveProject()
        assert.deepStrictEqual(yield* outcome, ["PermissionDenied", "answered"])
        yield* simulator.joinProject()
        yield* simulator.deleteWorkItem(id)
        assert.strictEqual((yield* Effect.flip(plane.read(id))).reason, "NotFound")
        yield* simulator.misbehave(Fault.TooMany({ retryAfter: "7" }))
        const refused = yield* Effect.flip(plane.read(id))
        assert.deepStrictEqual([refused.reason, refused.retryAfter], ["RateLimited", Option.some(Duration.seconds(7))])
      }).pipe(Effect.provide(layer)))
  })
}
