import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { ask, comment, controlOf, move, type Plane, until, withItem } from "./support.js"

const layer = PlaneSimulator.layer({ rateLimit: "off" })

const missing: readonly [number, string] = [404, `{"error":"The requested resource does not exist."}`]

const get = (plane: Plane, path: string) =>
  Effect.map(ask(plane, "GET", path), ({ status, text }): readonly [number, string] => [status, text])

const standing = (plane: Plane) =>
  Effect.map(
    get(plane, `projects/${plane.project.id}/?fields=is_member,archived_at`),
    ([status, text]) => `${status} ${text.replace(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/, "a moment")}`
  )

describe("an archived project", () => {
  it.scopedLive("says so, hides all that is in it, and takes writes", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      yield* comment(plane, item.id, "before")
      const [{ id: commentId } = { id: "" }] = yield* plane.comments(item.id)
      const below = `projects/${plane.project.id}/`
      const lists = [`${below}work-items/`, `${below}states/`, `${below}work-items/${item.id}/comments/`]
      const single = [
        `${below}work-items/${item.id}/`,
        `${below}work-items/${item.id}/comments/${commentId}/`,
        `${below}states/${plane.stateId("Done")}/`,
        `work-items/${item.key}/`
      ]
      assert.strictEqual(yield* standing(plane), `200 {"is_member":true,"archived_at":null}`)

      yield* plane.archiveProject()
      assert.strictEqual(yield* standing(plane), `200 {"is_member":true,"archived_at":a moment}`)
      for (const path of lists) {
        const [status, text] = yield* get(plane, path)
        assert.strictEqual(status, 200, path)
        assert.include(text, `"total_count":0`, path)
        assert.include(text, `"results":[]`, path)
      }
      for (const path of single) assert.deepStrictEqual(yield* get(plane, path), missing, path)
      assert.deepStrictEqual(yield* get(plane, "work-items/search/?search=lake"), [200, `{"issues":[]}`])
      assert.strictEqual((yield* move(plane, item.id, "Done")).status, 200)
      assert.strictEqual((yield* comment(plane, item.id, "after")).status, 201)
      assert.strictEqual((yield* plane.workItem(item.id)).state.name, "Done")
      assert.deepStrictEqual((yield* plane.comments(item.id)).map((each) => each.externalId), ["before", "after"])

      yield* plane.restoreProject()
      assert.strictEqual(yield* standing(plane), `200 {"is_member":true,"archived_at":null}`)
      for (const path of [...lists, ...single]) {
        const [status, text] = yield* get(plane, path)
        assert.strictEqual(status, 200, path)
        assert.notInclude(text, `"results":[]`, path)
      }
      assert.include((yield* get(plane, "work-items/search/?search=lake"))[1], item.id)
    }).pipe(Effect.provide(layer)))

  it.scopedLive("is told of by no webhook; what is written to it is", () => {
    const told: Array<string> = []
    return Effect.gen(function*() {
      const { item, plane } = yield* withItem
      yield* plane.archiveProject()
      yield* comment(plane, item.id, "after")
      yield* plane.restoreProject()
      yield* move(plane, item.id, "Done")
      yield* until(Effect.sync(() => told.length >= 3))
      assert.sameMembers(told, ["issue", "issue_comment", "issue"])
    }).pipe(Effect.provide(PlaneSimulator.layer({
      rateLimit: "off",
      webhook: {
        url: "http://receiver.test/",
        secret: "plane_wh_3f9c",
        send: ({ headers }) =>
          Effect.sync(() => {
            told.push(headers["X-Plane-Event"] ?? "")
            return 200
          })
      }
    })))
  })

  it.scopedLive("is archived and restored by the control API too; one there is not cannot be", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const control = controlOf(plane)
      assert.strictEqual((yield* control("PUT", "archived")).status, 200)
      assert.strictEqual(yield* standing(plane), `200 {"is_member":true,"archived_at":a moment}`)
      assert.strictEqual((yield* control("DELETE", "archived")).status, 200)
      assert.strictEqual(yield* standing(plane), `200 {"is_member":true,"archived_at":null}`)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(plane.archiveProject("no project"))))
    }).pipe(Effect.provide(layer)))
})

describe("a state", () => {
  it.scopedLive("that was removed is refused, and when it is restored it is where it was", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      const path = `projects/${plane.project.id}/states/`
      const before = yield* get(plane, path)
      const id = plane.stateId("In Progress")
      yield* plane.removeState(id)
      const refused = yield* move(plane, item.id, "In Progress")
      assert.strictEqual(refused.status, 400)
      assert.include(refused.text, "object does not exist")
      assert.deepStrictEqual(yield* get(plane, `${path}${id}/`), missing)
      assert.include((yield* get(plane, path))[1], `"total_count":4`)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(plane.restoreState(plane.stateId("Done")))))
      yield* plane.restoreState(id)
      assert.deepStrictEqual(yield* get(plane, path), before)
      assert.strictEqual((yield* move(plane, item.id, "In Progress")).status, 200)
    }).pipe(Effect.provide(layer)))

  it.scopedLive("is removed and restored by the control API too", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      const control = controlOf(plane)
      const path = `states/${plane.stateId("Done")}`
      assert.strictEqual((yield* control("PUT", path)).status, 404)
      assert.strictEqual((yield* control("DELETE", path)).status, 200)
      assert.strictEqual((yield* move(plane, item.id, "Done")).status, 400)
      assert.strictEqual((yield* control("PUT", path)).status, 200)
      assert.strictEqual((yield* move(plane, item.id, "Done")).status, 200)
    }).pipe(Effect.provide(layer)))
})
