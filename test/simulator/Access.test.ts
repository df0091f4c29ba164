import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { PlaneSimulator, type ProjectOptions } from "../../src/simulator/PlaneSimulator.js"
import { ask, comment, controlOf, move, type Plane, read, whoAmI, withItem } from "./support.js"

const peat: ProjectOptions = {
  id: "c4f7d6a0-61b2-4d0e-8a55-3f0b9d7e1a02",
  identifier: "PW",
  name: "Peat Works",
  states: [{ id: "c4f7d6a0-61b2-4d0e-8a55-3f0b9d7e1a21", name: "Open", group: "backlog" }]
}

const layer = PlaneSimulator.layer({ rateLimit: "off" })
const twoProjects = PlaneSimulator.layer({ rateLimit: "off", furtherProjects: [peat] })

const denied = [403, `{"detail":"You do not have permission to perform this action."}`]

const project = (plane: Plane, key = plane.token, id = plane.project.id) =>
  Effect.map(
    ask(plane, "GET", `projects/${id}/?fields=is_member,member_role,archived_at`, { key }),
    ({ status, text }) => [status, text]
  )

const as = (role: number | null) => [
  200,
  `{"is_member":${role !== null},"member_role":${role ?? "null"},"archived_at":null}`
]

describe("keys and memberships", () => {
  it.scopedLive("an API token comes and goes", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      yield* plane.revokeToken
      const revoked = yield* read(plane, item.id)
      assert.deepStrictEqual([revoked.status, revoked.text], [403, `{"detail":"Given API token is not valid"}`])
      yield* plane.restoreToken
      assert.strictEqual((yield* read(plane, item.id)).status, 200)
    }).pipe(Effect.provide(layer)))

  it.scopedLive("all of the workspace read the project and what they are in it; others do not", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      assert.deepStrictEqual(yield* project(plane), as(15))
      assert.deepStrictEqual(yield* project(plane, plane.tokens.owner), as(20))
      assert.deepStrictEqual(yield* project(plane, plane.tokens.guest), as(5))
      assert.strictEqual((yield* project(plane, plane.tokens.outsider))[0], 403)
      yield* plane.leaveProject()
      assert.deepStrictEqual(yield* project(plane), as(null))
      assert.deepStrictEqual(yield* project(plane, plane.tokens.owner), as(20))
      yield* plane.joinProject()
      assert.deepStrictEqual(yield* project(plane), as(15))
      const unknown = yield* ask(plane, "GET", "projects/5d0c7e61-0000-4000-8000-5d0c7e610000/")
      assert.deepStrictEqual(
        [unknown.status, unknown.text],
        [404, `{"error":"The requested resource does not exist."}`]
      )
    }).pipe(Effect.provide(layer)))

  it.scopedLive("who was put out is refused all below the project, and finds nothing in it", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      yield* comment(plane, item.id, "before")
      const [{ id: commentId } = { id: "" }] = yield* plane.comments(item.id)
      const below = `projects/${plane.project.id}/`
      const state = plane.stateId("Done")
      const requests: ReadonlyArray<readonly [method: string, path: string, body?: unknown]> = [
        ["GET", `${below}states/`],
        ["GET", `${below}states/${state}/`],
        ["GET", `${below}members/`],
        ["GET", `${below}work-items/`],
        ["POST", `${below}work-items/`, { name: "x" }],
        ["GET", `${below}work-items/${item.id}/`],
        ["PATCH", `${below}work-items/${item.id}/`, { state }],
        ["DELETE", `${below}work-items/${item.id}/`],
        ["GET", `${below}work-items/${item.id}/comments/`],
        ["POST", `${below}work-items/${item.id}/comments/`, { comment_html: "x" }],
        ["GET", `${below}work-items/${item.id}/comments/${commentId}/`],
        ["PATCH", `${below}work-items/${item.id}/comments/${commentId}/`, { comment_html: "x" }],
        ["DELETE", `${below}work-items/${item.id}/comments/${commentId}/`],
        ["GET", `work-items/${item.key}/`]
      ]
      yield* plane.leaveProject()
      for (const [method, path, body] of requests) {
        const { status, text } = yield* ask(plane, method, path, body === undefined ? {} : { body })
        assert.deepStrictEqual([status, text], denied, `${method} ${path}`)
      }
      const search = yield* ask(plane, "GET", "work-items/search/?search=lake")
      assert.deepStrictEqual([search.status, search.text], [200, `{"issues":[]}`])
      const listed = yield* ask(plane, "GET", "projects/?fields=identifier,is_member,member_role")
      assert.include(listed.text, `"results":[{"is_member":false,"member_role":null,"identifier":"ET"}]`)
      assert.strictEqual((yield* whoAmI(plane)).status, 200)
      assert.lengthOf(yield* plane.comments(item.id), 1)
      yield* plane.joinProject()
      for (const [method, path] of requests.filter(([method]) => method === "GET")) {
        assert.strictEqual((yield* ask(plane, method, path)).status, 200, path)
      }
      assert.include((yield* ask(plane, "GET", "work-items/search/?search=lake")).text, item.id)
    }).pipe(Effect.provide(layer)))

  it.scopedLive("is of one project: in another all goes on, and members can be listed, also the one put out", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      const other = yield* plane.addWorkItem({ name: "Cut the lake peat", projectId: peat.id })
      yield* plane.leaveProject()
      assert.deepStrictEqual(yield* project(plane, plane.token, peat.id), as(15))
      assert.strictEqual((yield* ask(plane, "GET", `work-items/${other.key}/`)).status, 200)
      const found = yield* ask(plane, "GET", "work-items/search/?search=lake")
      assert.include(found.text, other.id)
      assert.notInclude(found.text, item.id)
      const members = yield* ask(plane, "GET", `projects/${plane.project.id}/members/`)
      assert.strictEqual(members.status, 200)
      assert.include(members.text, plane.bot.id)
      yield* plane.leaveProject(peat.id)
      assert.strictEqual((yield* ask(plane, "GET", `projects/${plane.project.id}/members/`)).status, 403)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(plane.leaveProject("no project"))))
    }).pipe(Effect.provide(twoProjects)))
})

describe("roles", () => {
  it.scopedLive("a guest reads and comments and moves nothing", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      yield* plane.setRole("guest")
      assert.deepStrictEqual(yield* project(plane), as(5))
      assert.strictEqual((yield* read(plane, item.id)).status, 200)
      assert.strictEqual((yield* comment(plane, item.id, "as a guest")).status, 201)
      const moved = yield* move(plane, item.id, "Done")
      assert.deepStrictEqual([moved.status, moved.text], denied)
      assert.deepStrictEqual(yield* plane.stateChanges(item.id), [])
      yield* plane.leaveProject()
      assert.deepStrictEqual(yield* project(plane), as(null))
      yield* plane.joinProject()
      assert.deepStrictEqual(yield* project(plane), as(5))
      yield* plane.setRole("member")
      assert.deepStrictEqual(yield* project(plane), as(15))
      assert.strictEqual((yield* move(plane, item.id, "Done")).status, 200)
    }).pipe(Effect.provide(layer)))

  it.scopedLive("an admin may delete what others made, in this project alone", () =>
    Effect.gen(function*() {
      const { item, plane } = yield* withItem
      const other = yield* plane.addWorkItem({ name: "Cut the lake peat", projectId: peat.id })
      const remove = (projectId: string, id: string) => ask(plane, "DELETE", `projects/${projectId}/work-items/${id}/`)
      yield* plane.setRole("admin")
      assert.deepStrictEqual(yield* project(plane), as(20))
      assert.strictEqual((yield* remove(peat.id, other.id)).status, 403)
      assert.strictEqual((yield* remove(plane.project.id, item.id)).status, 204)
      yield* plane.setRole("guest", peat.id)
      assert.deepStrictEqual(yield* project(plane, plane.token, peat.id), as(5))
      assert.deepStrictEqual(yield* project(plane), as(20))
    }).pipe(Effect.provide(twoProjects)))

  it.scopedLive("are the control API's to give, as memberships are", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const control = controlOf(plane)
      assert.strictEqual((yield* control("PUT", "role", { role: "guest" })).status, 200)
      assert.deepStrictEqual(yield* project(plane), as(5))
      const wrong = yield* control("PUT", "role", { role: "king" })
      assert.strictEqual(wrong.status, 400)
      assert.strictEqual((yield* control("DELETE", "membership")).status, 200)
      assert.deepStrictEqual(yield* project(plane), as(null))
      assert.strictEqual((yield* control("PUT", "membership")).status, 200)
      assert.deepStrictEqual(yield* project(plane), as(5))
    }).pipe(Effect.provide(layer)))
})
