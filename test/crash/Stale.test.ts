import { assert, describe, it } from "@effect/vitest"
import type { Recorded } from "./Plane.js"
import type { Planned } from "./Stale.js"
import { atOnce, mostWithin, staleOf, tooMany } from "./Stale.js"

const request: Recorded = {
  sequence: 1,
  at: 100,
  answeredAt: 110,
  method: "POST",
  path: "/work-items/item-1/comments/",
  body: "",
  kind: "comments",
  status: 201,
  applied: true,
  clientGone: false,
  fault: null
}
const comment = (at: number, externalId: string, but: Partial<Recorded> = {}): Recorded => ({
  ...request,
  at,
  answeredAt: at + 10,
  body: JSON.stringify({ comment_html: "<p>a</p>", external_id: externalId }),
  ...but
})
const state = (at: number, id: string): Recorded => ({
  ...request,
  at,
  answeredAt: at + 10,
  method: "PATCH",
  path: "/work-items/item-1/",
  kind: "item",
  body: JSON.stringify({ state: id })
})

const planned = (id: number, plannedAt: number, but: Partial<Planned>): Planned => ({
  id,
  workItem: "item-1",
  kind: "comment",
  externalId: null,
  body: "",
  commentId: null,
  plannedAt,
  ...but
})
const comments = [planned(1, 0, { externalId: "one" }), planned(2, 200, { externalId: "two" })]

describe("staleOf", () => {
  it("finds a comment that was sent again after the answer to a later one", () => {
    const { stale, unplanned } = staleOf([comment(100, "one"), comment(300, "two"), comment(400, "one")], comments)
    assert.lengthOf(stale, 1)
    assert.include(stale[0], "1970-01-01T00:00:00.400Z")
    assert.deepStrictEqual(unplanned, [])
  })

  it("lets a comment be repeated before, and while nothing later is known to be done", () => {
    const open = comment(300, "two", { answeredAt: null, status: null })
    assert.deepStrictEqual(
      staleOf([comment(100, "one"), comment(150, "one"), open, comment(320, "one")], comments).stale,
      []
    )
  })

  it("finds a state that a former leader has set after a later one, and none that was planned anew", () => {
    const states = [planned(1, 0, { kind: "state", body: "todo" }), planned(2, 200, { kind: "state", body: "done" })]
    const sent = [state(100, "todo"), state(300, "done"), state(400, "todo")]
    assert.lengthOf(staleOf(sent, states).stale, 1)
    assert.deepStrictEqual(staleOf(sent, [...states, planned(3, 350, { kind: "state", body: "todo" })]).stale, [])
  })

  it("names a write that was sent before the database knew of it", () => {
    assert.lengthOf(staleOf([comment(100, "two")], comments).unplanned, 1)
    assert.lengthOf(staleOf([comment(100, "three")], comments).unplanned, 1)
  })
})

describe("atOnce", () => {
  const of = (...requests: ReadonlyArray<Recorded>) => atOnce(requests, new Set(["item-1", "item-2"]))

  it("finds a write that comes while an earlier one is being worked on, whatever came between", () => {
    const long = comment(100, "one", { answeredAt: 1_100, clientGone: true })
    const found = of(long, state(1_099, "todo"), comment(1_109, "two"))
    assert.lengthOf(found, 1)
    assert.include(found[0], "1970-01-01T00:00:01.099Z")
    assert.lengthOf(of(long, state(200, "todo"), state(300, "todo")), 2)
  })

  it("lets writes follow each other, those to other work items come beside, and reads too", () => {
    const other = comment(105, "two", { path: "/work-items/item-2/comments/" })
    const read = comment(106, "", { method: "GET" })
    assert.deepStrictEqual(of(comment(100, "one"), other, read, comment(110, "three"), state(120, "todo")), [])
    assert.deepStrictEqual(of(comment(100, "one", { answeredAt: null, fault: "Reset" }), comment(101, "one")), [])
  })
})

describe("tooMany", () => {
  it("does not count a 429 that was ordered", () => {
    assert.strictEqual(tooMany([{ ...request, status: 429 }, { ...request, status: 429, fault: "TooMany" }]), 1)
  })
})

describe("mostWithin", () => {
  it("counts what came within a window, wherever that begins", () => {
    const at = [0, 900, 1_000, 1_100, 1_950].map((at) => ({ ...request, at }))
    const unheard = { ...request, at: 950, applied: false, fault: "Reset" }
    assert.strictEqual(mostWithin([...at, unheard], 1_000), 3)
  })
})
