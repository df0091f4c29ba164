import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Either, Layer } from "effect"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { CommentId, LinkId } from "../../src/domain/Ids.js"
import { WorkItemKey } from "../../src/domain/WorkItemKey.js"
import { PlaneClient } from "../../src/plane/PlaneClient.js"
import type { Slot } from "../../src/plane/RateBudget.js"
import { RateBudget } from "../../src/plane/RateBudget.js"
import { firstClient } from "../support/FirstClient.js"
import type { Reply, Seen } from "./FakePlane.js"
import { fakeHttp, gone, item, noSuchPath, settings } from "./FakePlane.js"

type Call = (plane: PlaneClient["Type"], slot: Slot) => Effect.Effect<unknown, unknown>

const one = item(2, "Second")
const key = (text: string) => Either.getOrThrow(WorkItemKey.parse(text))
const comment = { html: "<p>x</p>", externalId: "e:1", createdAt: DateTime.unsafeMake(0) }
const commentId = CommentId("c1")
const link = { url: "https://ci.example.com/7", title: "Log" }
const read = { id: commentId, html: "<p>x</p>" }
const commentJson = { id: commentId, comment_html: "<p>x</p>", external_source: "plane-sync", external_id: "e:1" }

const answer = ({ method, path }: Seen): Reply => {
  if (path.includes("/links/")) return { status: 200, body: { results: [] } }
  if (path.includes("/activities/")) return { status: 200, body: { results: [] } }
  if (path.includes("/search/")) return { status: 200, body: { issues: [] } }
  if (path.endsWith("/comments/") && method === "GET") return { status: 200, body: { results: [commentJson] } }
  if (path.includes("/comments/")) return { status: 200, body: commentJson }
  if (path.endsWith("ET-9/")) return gone
  return path.endsWith("/work-items/") || path.endsWith("/issues/")
    ? { status: 200, body: { results: [one], next_page_results: false } }
    : { status: 200, body: one }
}

/** How many slots are in use by the end of a call that is given one, and how many requests Plane has seen. */
const using = (call: Call, reply: (seen: Seen) => Reply = answer, more: Record<string, string> = {}) => {
  const { layer, seen } = fakeHttp(reply)
  return Effect.gen(function*() {
    const budget = yield* RateBudget
    const plane = yield* PlaneClient
    // The first request goes alone.
    yield* (yield* budget.admit()).answered({ status: 200 })
    const slot = yield* budget.admit()
    yield* Effect.ignore(call(plane, slot))
    const used = (yield* budget.status).used - 1
    yield* slot.release
    return { requests: seen.length, used, after: (yield* budget.status).used - 1 }
  }).pipe(
    Effect.provide(firstClient.pipe(
      Layer.provideMerge(RateBudget.layer),
      Layer.provide([projectsLayer, layer]),
      Layer.provide(settings(more))
    ))
  )
}

describe("a slot that PlaneClient is given", () => {
  const calls: ReadonlyArray<readonly [string, number, Call]> = [
    ["find, by its number", 1, (plane, slot) => plane.find(key("ET-2"), slot)],
    ["find, by a name and then its number", 2, (plane, slot) => plane.find(key("ET-002"), slot)],
    ["find, by its number and then a name", 2, (plane, slot) => plane.find(key("ET-9"), slot)],
    ["newest", 1, (plane, slot) => plane.newest(slot)],
    ["read", 1, (plane, slot) => plane.read(one.id, slot)],
    ["setState", 1, (plane, slot) => plane.setState(one.id, one.state, slot)],
    ["addComment", 1, (plane, slot) => plane.addComment(one.id, comment, slot)],
    ["readComment", 1, (plane, slot) => plane.readComment(one.id, commentId, slot)],
    ["findComment", 1, (plane, slot) => plane.findComment(one.id, "e:1", slot)],
    ["editComment", 1, (plane, slot) => plane.editComment(one.id, read, slot)],
    ["moves", 1, (plane, slot) => plane.moves(one.id, slot)],
    ["signedComments", 1, (plane, slot) => plane.signedComments(one.id, slot)],
    ["deleteComment", 1, (plane, slot) => plane.deleteComment(one.id, commentId, slot)],
    ["addLink", 1, (plane, slot) => plane.addLink(one.id, link, slot)],
    ["findLink", 1, (plane, slot) => plane.findLink(one.id, link.url, slot)],
    ["removeLink", 1, (plane, slot) => plane.removeLink(one.id, LinkId("l1"), slot)]
  ]
  it.effect.each(calls)(
    "is the first request's, and each other has its own: %s",
    ([, requests, call]) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* using(call), { requests, used: requests, after: requests })
      })
  )

  it.effect.each(calls)(
    "is not used a second time for the other family of paths: %s",
    ([, requests, call]) =>
      Effect.gen(function*() {
        const old = (seen: Seen) => seen.path.includes("/work-items/") ? noSuchPath : answer(seen)
        // The family is found out by the first request, and known from then on.
        const expected = requests + 1
        assert.deepStrictEqual(yield* using(call, old), { requests: expected, used: expected, after: expected })
      })
  )

  it.effect("is still the caller's when nothing was sent", () =>
    Effect.gen(function*() {
      const nothing = { requests: 0, used: 1, after: 0 }
      assert.deepStrictEqual(yield* using((plane, slot) => plane.find(key("MS-2"), slot)), nothing)
      const withoutToken = yield* using(
        (plane, slot) => plane.read(one.id, slot),
        answer,
        { ORCH_PLANE_API_TOKEN: "" }
      )
      assert.deepStrictEqual(withoutToken, nothing)
    }))
})
