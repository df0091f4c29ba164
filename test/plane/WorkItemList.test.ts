import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, TestClock } from "effect"
import { WorkItemKey } from "../../src/domain/WorkItemKey.js"
import { PlaneClient } from "../../src/plane/PlaneClient.js"
import type { Reply, Seen } from "./FakePlane.js"
import { gone, item, noSuchPath, withPlane } from "./FakePlane.js"

const key = (text: string) => Either.getOrThrow(WorkItemKey.parse(text))

/** `find` as a lane calls it: again and again while the list is unread. */
const find = (text: string) =>
  Effect.flatMap(
    PlaneClient,
    (plane) => Effect.retry(plane.find(key(text)), { while: ({ _tag }) => _tag === "ListUnread" })
  )

type Item = ReturnType<typeof item>

interface Version {
  readonly family: "issues" | "work-items"
  readonly byNumber?: boolean
  readonly search?: boolean
}

/** A Plane of an older version: it has its list, its work items by id, and what is said besides. */
const older = (version: Version, items: Array<Item>) => ({ path, query }: Seen): Reply => {
  const [, , first = "", second = "", third = "", fourth = ""] = path.split("/")
  if (first !== "projects") {
    if (first !== version.family) return noSuchPath
    if (second === "search") return version.search === true ? { status: 200, body: { issues: [] } } : noSuchPath
    if (version.byNumber !== true) return noSuchPath
    const one = items.find(({ sequence_id }) => `ET-${sequence_id}` === second)
    return one === undefined ? gone : { status: 200, body: one }
  }
  if (third !== version.family) return noSuchPath
  if (fourth !== "") {
    const one = items.find(({ id }) => id === fourth)
    return one === undefined ? gone : { status: 200, body: one }
  }
  const size = Number(query["per_page"])
  const page = Number((query["cursor"] ?? "100:0:0").split(":")[1])
  const newest = items.toReversed()
  return {
    status: 200,
    body: {
      results: newest.slice(page * size, (page + 1) * size),
      next_page_results: newest.length > (page + 1) * size,
      next_cursor: `${size}:${page + 1}:0`
    }
  }
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => item(index + 1, `Task ${index + 1}`))

/** What was asked since the last look, by kind. */
const counting = (seen: Array<Seen>) => () => {
  const counts = { byNumber: 0, search: 0, page: 0, byId: 0 }
  for (const { path } of seen.splice(0)) {
    if (path.includes("/search/")) counts.search += 1
    else if (!path.includes("/projects/")) counts.byNumber += 1
    else if (/(?:issues|work-items)\/$/.test(path)) counts.page += 1
    else counts.byId += 1
  }
  return counts
}

describe("row 43: a Plane that lacks an endpoint is asked for its list", () => {
  it.effect("row 43: no search (0.20 to 0.27): the number is asked for, names are looked up in the list", () => {
    const items = [...numbered(250), item(251, "ET-002: login")]
    const { layer, seen } = withPlane(older({ family: "issues", byNumber: true }, items), {
      ORCH_PLANE_RATE_LIMIT: "1000/minute"
    })
    const counts = counting(seen)
    return Effect.gen(function*() {
      assert.strictEqual((yield* find("ET-7")).number, 7)
      // work-items/ is not there: found out once.
      assert.deepStrictEqual(counts(), { byNumber: 2, search: 0, page: 0, byId: 0 })
      assert.strictEqual((yield* find("ET-002")).number, 251)
      assert.deepStrictEqual(counts(), { byNumber: 0, search: 2, page: 3, byId: 1 })
      yield* TestClock.adjust("10 minutes")
      // Of the list only the newest page is read again.
      assert.strictEqual((yield* find("ET-003")).number, 3)
      assert.deepStrictEqual(counts(), { byNumber: 0, search: 0, page: 1, byId: 1 })
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual((yield* Effect.flip(find("ET-999")))._tag, "WorkItemNotFound")
      assert.deepStrictEqual(counts(), { byNumber: 1, search: 0, page: 1, byId: 0 })
    }).pipe(Effect.provide(layer))
  })

  it.effect("row 43: neither: a number is read as soon as its page was, and costs one request from then on", () => {
    const { layer, seen } = withPlane(older({ family: "issues" }, numbered(250)), {
      ORCH_PLANE_RATE_LIMIT: "1000/minute"
    })
    const counts = counting(seen)
    return Effect.gen(function*() {
      assert.strictEqual((yield* find("ET-130")).number, 130)
      assert.deepStrictEqual(counts(), { byNumber: 2, search: 0, page: 3, byId: 0 })
      for (const number of [250, 131, 140]) assert.strictEqual((yield* find(`ET-${number}`)).number, number)
      assert.deepStrictEqual(counts(), { byNumber: 0, search: 0, page: 0, byId: 3 })
      assert.strictEqual((yield* find("ET-2")).number, 2)
      assert.deepStrictEqual(counts(), { byNumber: 0, search: 0, page: 1, byId: 0 })
    }).pipe(Effect.provide(layer))
  })

  it.effect("row 43: all keys that wait are served by the same pages", () => {
    const { layer, seen } = withPlane(older({ family: "work-items" }, numbered(450)), {
      ORCH_PLANE_RATE_LIMIT: "1000/minute"
    })
    const counts = counting(seen)
    return Effect.gen(function*() {
      const keys = Array.from({ length: 60 }, (_, index) => `ET-00${index * 7 + 1}`)
      const found = yield* Effect.forEach(keys, find, { concurrency: 8 })
      assert.deepStrictEqual(found.map(({ number }) => number), keys.map((text) => key(text).number))
      const { byId, page } = counts()
      // Five pages, and the newest once more for those who came while they were read.
      assert.isAtMost(page, 7)
      assert.isAtMost(byId, 60)
    }).pipe(Effect.provide(layer))
  })

  it.effect("row 43: what is new since is found, also when it is more than a page", () => {
    const items = numbered(150)
    const { layer, seen } = withPlane(older({ family: "issues" }, items), { ORCH_PLANE_RATE_LIMIT: "1000/minute" })
    const counts = counting(seen)
    return Effect.gen(function*() {
      yield* Effect.flip(find("ET-151"))
      counts()
      yield* TestClock.adjust("1 minutes")
      items.push(item(151, "New"), item(152, "ET-0007 in the title"))
      assert.strictEqual((yield* find("ET-151")).number, 151)
      assert.strictEqual((yield* find("ET-0007")).number, 152)
      assert.deepStrictEqual(counts(), { byNumber: 0, search: 2, page: 1, byId: 1 })
      yield* TestClock.adjust("2 minutes")
      for (let number = 153; number <= 400; number++) items.push(item(number, `Task ${number}`))
      assert.strictEqual((yield* find("ET-160")).number, 160)
      assert.isAtMost(counts().page, 4)
    }).pipe(Effect.provide(layer))
  })

  it.effect("row 43: an upgrade is noticed within the hour, and the list is read at most once in it", () => {
    const items = numbered(150)
    let version: Version = { family: "issues" }
    const { layer, seen } = withPlane((one) => older(version, items)(one), { ORCH_PLANE_RATE_LIMIT: "1000/minute" })
    const counts = counting(seen)
    return Effect.gen(function*() {
      yield* Effect.flip(find("ET-999"))
      // One of them to work-items/, which is not there.
      assert.deepStrictEqual(counts(), { byNumber: 2, search: 0, page: 3, byId: 0 })
      version = { family: "work-items", byNumber: true, search: true }
      yield* TestClock.adjust("61 minutes")
      assert.strictEqual((yield* find("ET-9")).number, 9)
      assert.strictEqual(counts().page, 0)
    }).pipe(Effect.provide(layer))
  })

  it.effect("row 43: two names that carry the key are no answer, and a work item that was deleted is none", () => {
    const items = [...numbered(3), item(4, "ET-0002 one"), item(5, "ET-0002 two")]
    const { layer } = withPlane(older({ family: "issues" }, items))
    return Effect.gen(function*() {
      const error = yield* Effect.flip(find("ET-0002"))
      assert.isTrue(error._tag === "AmbiguousName" && error.items.length === 2)
      assert.strictEqual((yield* find("ET-3")).number, 3)
      items.splice(2, 1)
      assert.strictEqual((yield* Effect.flip(find("ET-3")))._tag, "WorkItemNotFound")
    }).pipe(Effect.provide(layer))
  })

  it.effect("row 43: where the list is missing too, the address is wrong, and nothing is kept", () => {
    let isRight = false
    const right = older({ family: "issues", byNumber: true }, numbered(3))
    const { layer } = withPlane((one) => isRight ? right(one) : noSuchPath)
    return Effect.gen(function*() {
      const error = yield* Effect.flip(find("ET-2"))
      assert.isTrue(error._tag === "PlaneError" && error.reason === "WrongAddress")
      isRight = true
      assert.strictEqual((yield* find("ET-2")).number, 2)
    }).pipe(Effect.provide(layer))
  })
})
