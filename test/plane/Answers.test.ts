import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Either, Option } from "effect"
import { CommentId, ItemId } from "../../src/domain/Ids.js"
import { StateId } from "../../src/domain/StageStates.js"
import { WorkItemKey } from "../../src/domain/WorkItemKey.js"
import type { FindError } from "../../src/plane/FindByKey.js"
import { PlaneClient } from "../../src/plane/PlaneClient.js"
import type { Reply } from "./FakePlane.js"
import { item, project, withPlane } from "./FakePlane.js"

const two = item(2, "Second")
const three = item(3, "Third")
const done = StateId("381a2833-3c4e-4be5-bd0f-be84cb946ad8")
const mine = CommentId("c0000000-0000-4000-8000-000000000001")
const theirs = "c0000000-0000-4000-8000-000000000002"
const comment = { html: "<p>x</p>", externalId: "e:1", createdAt: DateTime.unsafeMake("2026-11-24T08:30:00Z") }
const html = { comment_html: "<p>x</p>" }

type Client = PlaneClient["Type"]
const asked = (reply: Reply, ask: (plane: Client) => Effect.Effect<unknown, FindError>) => {
  const { layer, seen } = withPlane(() => reply)
  return Effect.provide(
    Effect.map(Effect.either(Effect.flatMap(PlaneClient, ask)), (result) => ({ result, seen })),
    layer
  )
}

const failed = (reply: Reply, ask: (plane: Client) => Effect.Effect<unknown, FindError>) =>
  Effect.map(asked(reply, ask), ({ result }) => Either.getOrThrow(Either.flip(result)))

const assertHas = (error: FindError, expected: Readonly<Record<string, unknown>>) => {
  const { reason, sent, status } = error._tag === "PlaneError"
    ? error
    : { reason: error._tag, sent: undefined, status: undefined }
  assert.deepStrictEqual({ reason, sent, status, ...expected }, { reason, sent, status })
}

describe("row 70: an answer about another thing is no answer", () => {
  const ok = (body: unknown): Reply => ({ status: 200, body })
  const rows: ReadonlyArray<
    readonly [string, Reply, (plane: Client) => Effect.Effect<unknown, FindError>, string]
  > = [
    [
      "a look-up with another number",
      ok(three),
      (plane) => plane.find(Either.getOrThrow(WorkItemKey.parse("ET-2"))),
      "answered"
    ],
    ["a work item with another id", ok(three), (plane) => plane.read(two.id), "answered"],
    [
      "a PATCH with another work item",
      ok({ ...three, state: done }),
      (plane) => plane.setState(two.id, done),
      "unknown"
    ],
    [
      "a comment of another work item",
      { status: 201, body: { id: mine, issue: three.id } },
      (plane) => plane.addComment(two.id, comment),
      "unknown"
    ],
    [
      "a comment with another external id",
      { status: 201, body: { id: mine, issue: two.id, external_id: "e:2" } },
      (plane) => plane.addComment(two.id, comment),
      "unknown"
    ],
    ["another comment", ok({ id: theirs, ...html }), (plane) => plane.readComment(two.id, mine), "answered"],
    [
      "a PATCH with another comment",
      ok({ id: theirs, ...html }),
      (plane) => plane.editComment(two.id, { id: mine, html: "<p>y</p>" }),
      "unknown"
    ],
    [
      "a list with a work item of another project",
      ok({ results: [two, { ...three, project: theirs }], next_page_results: false }),
      (plane) => plane.newest(),
      "answered"
    ],
    ["another project", ok({ id: theirs, identifier: "ET" }), (plane) => plane.probe, "answered"]
  ]
  it.effect.each(rows)("row 70: %s", ([, reply, ask, sent]) =>
    Effect.map(failed(reply, ask), (error) => {
      assertHas(error, { reason: "Unavailable", sent })
    }))

  it.effect("row 70: ids in either case are the same", () =>
    Effect.gen(function*() {
      const upper = ItemId(two.id.toUpperCase())
      const { result } = yield* asked(ok(two), (plane) => plane.read(upper))
      assert.isTrue(Either.isRight(result))
    }))
})

describe("row 70: what stands in a path is an id", () => {
  const ids: ReadonlyArray<string> = ["..", ".", "", "c1", "../projects", "%2e%2e", `${mine}/..`]
  it.effect.each(ids)(
    "row 70: a comment that Plane calls %j is not believed",
    (id) =>
      Effect.map(failed({ status: 201, body: { id } }, (plane) => plane.addComment(two.id, comment)), (error) => {
        assertHas(error, { reason: "Unavailable", sent: "unknown" })
      })
  )

  it.effect.each(ids)("row 70: nor a work item that Plane calls %j", (id) =>
    Effect.map(
      failed(
        { status: 200, body: { ...two, id } },
        (plane) => plane.find(Either.getOrThrow(WorkItemKey.parse("ET-2")))
      ),
      (error) => assertHas(error, { reason: "Unavailable" })
    ))

  it.effect.each(["..", ".", ""])(
    "row 70: an id %j that an older version has stored sends nothing",
    (id) =>
      Effect.gen(function*() {
        for (
          const ask of [
            (plane: Client) => plane.editComment(two.id, { id: CommentId(id), html: "<p>y</p>" }),
            (plane: Client) => plane.setState(ItemId(id), done)
          ]
        ) {
          const { result, seen } = yield* asked({ status: 200, body: two }, ask)
          assertHas(Either.getOrThrow(Either.flip(result)), { reason: "NotFound", sent: "no" })
          assert.deepStrictEqual(seen, [])
        }
      })
  )
})

describe("row 70: an answer that holds too much is not parsed", () => {
  const mebibytes16 = 16 * 1024 * 1024 - 64
  const bodies: ReadonlyArray<readonly [string, string]> = [
    ["arrays in arrays", "[".repeat(mebibytes16 / 2) + "]".repeat(mebibytes16 / 2)],
    ["arrays beside each other", `[${"[],".repeat(mebibytes16 / 3)}1]`],
    ["objects in objects", `${"{\"a\":".repeat(100_000)}1${"}".repeat(100_000)}`]
  ]
  it.live.each(bodies)("row 70: 16 MiB of %s", ([, body]) =>
    Effect.gen(function*() {
      for (const status of [200, 500]) {
        const start = process.cpuUsage()
        const error = yield* failed({ status, body }, (plane) => plane.probe)
        assert.isBelow(process.cpuUsage(start).user, 1_000_000)
        assertHas(error, { reason: "Unavailable", status: Option.some(status) })
        assert.include(error.message, "nested too deeply")
      }
    }))

  it.effect("row 70: a work item with a large description is read all the same", () =>
    Effect.gen(function*() {
      const description_html = `<p>${"[{,\"".repeat(100_000)}</p>`
      const { result } = yield* asked(
        { status: 200, body: { ...two, description_html } },
        (plane) => plane.read(two.id)
      )
      assert.isTrue(Either.isRight(result))
    }))
})

describe("row 51: no compressed answer", () => {
  it.effect("row 51: none is asked for", () =>
    Effect.gen(function*() {
      const { seen } = yield* asked({ status: 200, body: { id: project, identifier: "ET" } }, (plane) => plane.probe)
      assert.strictEqual(seen[0]?.headers["accept-encoding"], "identity")
    }))

  it.effect.each(["gzip", "br", "zstd"])("row 51: one with %s is named", (encoding) =>
    Effect.gen(function*() {
      const reply: Reply = {
        status: 200,
        body: "\u001f\uFFFD\b\u0000E\uFFFD",
        headers: { "content-encoding": encoding }
      }
      const error = yield* failed(reply, (plane) => plane.probe)
      assert.match(error.message, /the server compresses its answers.*ORCH_PLANE_API_URL/)
      assert.include(error.message, encoding)
      assert.notInclude(error.message, "\uFFFD")
    }))
})
