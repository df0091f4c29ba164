import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Option } from "effect"
import { ItemId } from "../../src/domain/Ids.js"
import { PlaneMoment } from "../../src/domain/PlaneMoment.js"
import { WorkItemKey } from "../../src/domain/WorkItemKey.js"
import { findAmong } from "../../src/plane/FindAmong.js"
import { PlaneClient } from "../../src/plane/PlaneClient.js"
import { item, project, withPlane } from "./FakePlane.js"

const key = (text: string) => Either.getOrThrow(WorkItemKey.parse(text))

const workItem = (number: number, name: string) => ({
  id: ItemId(`item-${number}`),
  number,
  name,
  stateId: Option.none(),
  stateGroup: Option.none(),
  updatedBy: Option.none(),
  updatedAt: PlaneMoment("2026-11-24T08:00:00.000000Z")
})

const items = [
  workItem(2, "Second"),
  workItem(20, "Twentieth"),
  workItem(7, "[et-002] Login form"),
  workItem(8, "Do ET-5, then rest"),
  workItem(9, "ET-6 here"),
  workItem(10, "and ET-6 there"),
  workItem(11, "ET-006"),
  workItem(12, "ET-006 again")
]

describe("findAmong", () => {
  const cases: ReadonlyArray<readonly [string, string, boolean, number | undefined]> = [
    ["a plain key is its number", "ET-2", false, 2],
    ["whatever is not among them", "ET-2", true, 2],
    ["a number that is not among some of them", "ET-5", false, undefined],
    ["nobody's number, and a name among all of them", "ET-5", true, 8],
    ["nobody's number, and several names", "ET-6", true, undefined],
    ["nobody's number and name", "ET-3", true, undefined],
    ["leading zeros, when others may carry the name", "ET-020", false, undefined],
    ["leading zeros that a name among some of them carries, and perhaps another", "ET-002", false, undefined],
    ["leading zeros that one name of all carries, whatever has the number", "ET-002", true, 7],
    ["leading zeros that no name of all carries: the number", "ET-020", true, 20],
    ["leading zeros that several names carry", "ET-006", true, undefined]
  ]
  it.each(cases)("%s: %s (all: %s)", (_, text, all, number) => {
    assert.strictEqual(Option.getOrUndefined(findAmong(key(text), items, all))?.number, number)
  })

  it("a number that two have is nobody's", () => {
    assert.isTrue(Option.isNone(findAmong(key("ET-2"), [...items, workItem(2, "Copied")], true)))
  })
})

describe("PlaneClient.newest", () => {
  it.effect("is one request for what a look-up needs, newest first", () => {
    const { layer, seen } = withPlane(() => ({
      status: 200,
      body: { results: [item(3, "Third"), item(2, "Second")], next_page_results: true, next_cursor: "100:1:0" }
    }))
    return Effect.gen(function*() {
      const page = yield* (yield* PlaneClient).newest()
      assert.deepStrictEqual(page.items.map(({ name, number }) => [number, name]), [[3, "Third"], [2, "Second"]])
      assert.isFalse(page.all)
      assert.deepStrictEqual(seen.map(({ method, path, query }) => ({ method, path, query })), [{
        method: "GET",
        path: `workspaces/ag_proj/projects/${project}/work-items/`,
        query: {
          fields: "id,sequence_id,name,state,updated_at,project",
          expand: "state",
          order_by: "-created_at",
          per_page: "100"
        }
      }])
    }).pipe(Effect.provide(layer))
  })
})
