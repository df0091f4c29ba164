import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { controlOf, withItem } from "./support.js"

describe("links of a work item", () => {
  it.scopedLive("are shown, added and deleted by the control API", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      const control = controlOf(plane)
      const links = `work-items/${item.id}/links`
      const made = yield* control("POST", links, { url: "https://ci.example.com/1" })
      assert.strictEqual(made.status, 201)
      const [link] = yield* plane.links(item.id)
      assert.deepStrictEqual(JSON.parse((yield* control("GET", links)).text), [link])
      assert.strictEqual((yield* control("DELETE", `links/${link?.id ?? ""}`)).status, 200)
      assert.strictEqual((yield* control("DELETE", `links/${link?.id ?? ""}`)).status, 404)
      assert.deepStrictEqual(yield* plane.links(item.id), [])
    }).pipe(Effect.provide(PlaneSimulator.layer())))
})
