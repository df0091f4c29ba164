import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { withPlane } from "../http/Server.js"
import { circle, comesTo, post, publishAnalysis, told } from "./Circle.js"
import { changed, fixture } from "./Fixtures.js"
import { alone, moveBody, pullBody, scene, sha, states, uuid } from "./Scene.js"

describe("POST /webhooks/plane", () => {
  it.live("a person's move to a started state makes a task; cancelled stops it; other moves are remembered", () =>
    Effect.gen(function*() {
      const at = yield* scene(alone)
      yield* at.plane(moveBody({ number: 7, to: "todo", at: 1 }))
      assert.strictEqual(yield* at.stage(7), "- -")
      yield* at.plane(moveBody({ number: 7, to: "inProgress", at: 2 }))
      assert.strictEqual(yield* at.stage(7), "analysis active")
      assert.deepStrictEqual(yield* at.task(7), {
        workItem: "ET-7",
        itemId: uuid(7),
        stage: "analysis",
        status: "active",
        pullRequest: null
      })
      yield* at.plane(moveBody({ number: 7, to: "cancelled", at: 3 }))
      assert.strictEqual(yield* at.stage(7), "analysis stopped")
      assert.deepStrictEqual((yield* at.events).map(({ to }) => to), ["analysis"])
    }).pipe(Effect.scoped, withPlane))

  it.live("cancelled stops also a task that was started by hand, whose key was not looked up; not another's", () =>
    Effect.gen(function*() {
      const at = yield* scene(alone)
      for (const [number, key] of [[7, "ET-7"], [8, "ET-008"]] as const) {
        yield* Effect.map(post(`${at.url}/api/tasks`, { workItem: key }), ({ ok }) => assert.isTrue(ok))
        assert.deepInclude(yield* at.task(number), { itemId: null, status: "active" })
        yield* at.plane(moveBody({ number, to: "cancelled", at: 1 }))
        assert.match(yield* at.stage(number), / stopped$/)
      }
      yield* at.plane(moveBody({ number: 9, to: "inProgress", at: 1 }))
      yield* at.plane(moveBody({ number: 9, id: uuid(99), to: "cancelled", at: 2 }))
      assert.strictEqual(yield* at.stage(9), "analysis active")
    }).pipe(Effect.scoped, withPlane))

  it.live(
    "a key with zeros is the work item that Plane's look-up found, and the number's is another",
    () =>
      Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const at = yield* scene()
        const items = yield* Effect.forEach([1, 2, 3, 4, 5], (n) => plane.addWorkItem({ name: `Leg ${n}` }))
        const [, two, , , five] = items.map(({ id }) => id)
        const north = yield* plane.addWorkItem({ name: "ET-005 north climb" })
        const stage = Effect.map(
          at.sql<{ key: string; itemId: string | null; now: string }>`SELECT key, plane_id AS "itemId",
          stage || ' ' || status AS now FROM plane_sync_task ORDER BY id`,
          (rows) => rows.map(({ key, now, itemId }) => [key, itemId ?? null, now])
        )

        yield* post(`${at.url}/api/tasks`, { workItem: "ET-005" })
        yield* told(at)
        assert.strictEqual((yield* plane.workItem(north.id)).state.name, "In Progress")
        yield* at.plane(moveBody({ number: 5, id: five ?? "", to: "cancelled", at: 1 }))
        yield* at.settled
        assert.deepStrictEqual(yield* stage, [["ET-005", null, "analysis active"]])
        yield* plane.moveWorkItem(five ?? "", "In Progress")
        yield* at.plane(moveBody({ number: 5, id: five ?? "", to: "inProgress", at: 2 }))
        yield* told(at)
        assert.deepStrictEqual(yield* stage, [["ET-005", null, "analysis active"], ["ET-5", five, "analysis active"]])
        // By its number it is the same task.
        yield* post(`${at.url}/api/tasks/ET-6/report`, { stage: "analysis", outcome: "passed" })
        yield* at.settled
        assert.deepStrictEqual((yield* stage)[0], ["ET-005", null, "architecture active"])

        const second = yield* plane.addWorkItem({ name: "ET-002 south climb" })
        yield* publishAnalysis(at, "ET-002")
        yield* plane.moveWorkItem(two ?? "", "In Progress")
        yield* at.plane(moveBody({ number: 2, id: two ?? "", to: "inProgress", at: 1 }))
        yield* told(at)
        assert.strictEqual((yield* plane.workItem(second.id)).state.name, "In Progress")
        yield* post(`${at.url}/api/tasks`, { workItem: "ET-002" })
        yield* post(`${at.url}/api/tasks/ET-002/report`, { stage: "analysis", outcome: "passed" })
        yield* at.settled
        assert.deepStrictEqual((yield* stage).slice(2), [["ET-2", two, "analysis active"], [
          "ET-002",
          null,
          "architecture active"
        ]])
        const pull = { number: 3, workItem: 2, head: sha("x") }
        yield* at.gitea("pull_request", pullBody("pull_request_closed_merged", pull))
        for (const key of ["ET-002", "ET-2"]) {
          yield* post(`${at.url}/api/tasks/${key}/report`, { stage: "analysis", outcome: "passed" })
          yield* post(`${at.url}/api/tasks/${key}/report`, { stage: "architecture", outcome: "passed" })
        }
        yield* at.settled
        assert.deepStrictEqual((yield* stage).slice(2), [["ET-2", two, "done done"], [
          "ET-002",
          null,
          "development active"
        ]])
      }).pipe(Effect.scoped, withPlane),
    90_000
  )

  it.live("one work item is one task, by its number and by the key in its name", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const at = yield* scene()
      const { id, number } = yield* plane.addWorkItem({ name: "ET-005 north climb" })
      yield* at.plane(moveBody({ number, id, to: "inProgress", at: 1 }))
      yield* publishAnalysis(at, "ET-005")
      yield* told(at)
      yield* post(`${at.url}/api/tasks`, { workItem: "ET-005" })
      assert.lengthOf(yield* at.sql`SELECT 1 FROM plane_sync_task`, 1)
    }).pipe(Effect.scoped, withPlane), 90_000)

  it.live("a task that was stopped goes on when a person takes its work item back", () =>
    Effect.gen(function*() {
      const { at, plane } = yield* circle
      const { id, number } = yield* plane.addWorkItem({ name: "North climb" })
      for (
        const [state, stage] of [["In Progress", "active"], ["Cancelled", "stopped"], [
          "In Progress",
          "active"
        ]] as const
      ) {
        yield* plane.moveWorkItem(id, state)
        yield* comesTo(at, number, `analysis ${stage}`)
        yield* told(at)
      }
      assert.strictEqual((yield* plane.workItem(id)).state.name, "In Progress")
      assert.deepStrictEqual((yield* at.events).map(({ to }) => to), ["analysis"])
    }).pipe(Effect.scoped), 90_000)

  it.live("a person's move to what is owed, while Plane is not told, is a move; an active task stays as it is", () =>
    Effect.gen(function*() {
      const at = yield* scene(alone)
      const entry = Effect.map(
        at.sql<{ entry: string }>`SELECT entry FROM plane_sync_task`,
        (rows) => rows.map((row) => row.entry)
      )
      yield* at.plane(moveBody({ number: 7, to: "inProgress", at: 1 }))
      assert.strictEqual(yield* at.stage(7), "analysis active")
      const before = yield* entry
      yield* at.plane(moveBody({ number: 7, to: "todo", at: 2 }))
      yield* at.plane(moveBody({ number: 7, to: "inProgress", at: 3 }))
      assert.strictEqual(yield* at.stage(7), "analysis active")
      assert.deepStrictEqual(yield* entry, before)
      yield* at.plane(moveBody({ number: 7, to: "cancelled", at: 4 }))
      assert.strictEqual(yield* at.stage(7), "analysis stopped")
      yield* at.plane(moveBody({ number: 7, to: "inProgress", at: 5 }))
      assert.strictEqual(yield* at.stage(7), "analysis active")
      assert.deepStrictEqual((yield* at.events).map(({ to }) => to), ["analysis"])
    }).pipe(Effect.scoped, withPlane))

  it.live("another change of a work item that was in a started state before the first webhook makes no task", () =>
    Effect.gen(function*() {
      const at = yield* scene(alone)
      const item = { sequence_id: 7, state: states.inProgress, updated_at: "2026-10-05T08:00:01.250000Z" }
      yield* at.plane(changed("plane/issue_updated_name", { data: { id: uuid(7), ...item } }))
      yield* at.plane(changed("plane/issue_updated_priority", { data: { id: uuid(7), ...item } }))
      assert.strictEqual(yield* at.stage(7), "- -")
      // The state's own hook of the same save.
      yield* at.plane(moveBody({ number: 7, to: "inProgress", at: 1 }))
      assert.strictEqual(yield* at.stage(7), "analysis active")
      yield* at.plane(changed("plane/issue_created", { data: { ...item, id: uuid(8), sequence_id: 8 } }))
      assert.strictEqual(yield* at.stage(8), "analysis active")
    }).pipe(Effect.scoped, withPlane))

  it.live("what is not newer than what is known is no move, in whatever order it comes", () =>
    Effect.gen(function*() {
      const at = yield* scene(alone)
      yield* at.plane(moveBody({ number: 7, to: "cancelled", at: 9 }))
      yield* at.plane(moveBody({ number: 7, to: "inProgress", at: 5 }))
      assert.strictEqual(yield* at.stage(7), "- -")
      yield* at.plane(moveBody({ number: 8, to: "inProgress", at: 5 }))
      yield* at.plane(moveBody({ number: 8, to: "todo", at: 4 }))
      yield* at.plane(moveBody({ number: 8, to: "cancelled", at: 5 }))
      assert.strictEqual(yield* at.stage(8), "analysis active")
    }).pipe(Effect.scoped, withPlane))

  it.live(
    "both versions of a body, and both names of the field, say the same; a copy says nothing new",
    () =>
      Effect.gen(function*() {
        const at = yield* scene()
        const page = changed("plane/issue_updated_state", { activity: { field: "state_id" } })
        yield* at.plane(page)
        yield* at.plane(page)
        yield* at.plane(fixture("plane/issue_updated_state"))
        // This Plane does not have the work item of the fixture, as the look before the launch finds.
        yield* comesTo(at, 7, "analysis stopped")
        // It only names the state: Plane says which group that is.
        yield* at.plane(changed("plane/workitem_updated_v2", { data: { id: uuid(9), sequence_id: 9 } }))
        yield* comesTo(at, 9, "analysis stopped")
        const { length } = (yield* at.events).filter(({ to }) => to === "analysis")
        assert.strictEqual(length, 2)
        const [, copy] = yield* at.inbox
        assert.strictEqual(copy?.status, "skipped")
      }).pipe(Effect.scoped, withPlane),
    90_000
  )

  it.live("comments, other projects, deleted things and what cannot be read move nothing, and say why", () =>
    Effect.gen(function*() {
      const at = yield* scene(alone)
      yield* at.plane(fixture("plane/issue_comment_created"), { event: "issue_comment" })
      yield* at.plane(fixture("plane/issue_comment_updated_comment_html"), { event: "issue_comment" })
      yield* at.plane(moveBody({ number: 7, to: "inProgress", at: 1, project: uuid(99) }))
      yield* at.plane(changed("plane/issue_updated_state", { data: { updated_at: null } }))
      yield* at.plane("{\"event\":\"module\",\"data\":{}}")
      assert.strictEqual(yield* at.stage(7), "- -")
      const inbox = yield* at.inbox
      assert.isTrue(inbox.every(({ status }) => status === "skipped"))
      assert.include(inbox[2]?.reason, uuid(99))
      assert.include(inbox[3]?.reason, "updated_at")
    }).pipe(Effect.scoped, withPlane))
})
