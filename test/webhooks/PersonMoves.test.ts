import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { withPlane } from "../http/Server.js"
import { circle, circleWith, comesTo, post, told } from "./Circle.js"
import { changed } from "./Fixtures.js"
import { alone, moveBody, pullBody, scene, sha, states, uuid } from "./Scene.js"

type Scene = Effect.Effect.Success<ReturnType<typeof scene>>

const backlog = { id: "5e2b7d3f-8a64-4f0e-9d21-0c6f8a7b9e10", group: "backlog" }
const review = { id: "7a1c9e55-3b1d-4c8e-8f27-2d4e6f8a0b1c", group: "unstarted" }

/** A body that says that a work item has been in a state since a moment. */
const body = (number: number, state: { readonly id: string; readonly group: string }, at: number | string) =>
  changed("plane/issue_updated_state", {
    data: {
      id: uuid(number),
      sequence_id: number,
      state,
      updated_at: typeof at === "string" ? at : new Date(at).toISOString().replace("Z", "000Z")
    }
  })

/** The task as the API shows it. */
const shown = (at: Scene, number: number) =>
  Effect.promise(() =>
    fetch(`${at.url}/api/tasks/ET-${number}`).then(
      (answer) =>
        answer.json() as Promise<
          {
            readonly why: string | null
            readonly startedAt: string
            readonly status: string
            readonly entry: string
            readonly verdicts: ReadonlyArray<unknown>
            readonly reports: ReadonlyArray<unknown>
          }
        >
    )
  )

const launches = (at: Scene) => at.sql`SELECT agent FROM plane_sync_launch`

describe("row 28: a person moves the work item of a task", () => {
  it.live("to Done: the task ends as theirs, at its stage, and nothing more is said or launched", () =>
    Effect.gen(function*() {
      const at = yield* scene(alone)
      yield* at.plane(moveBody({ number: 7, to: "inProgress", at: 1 }))
      assert.strictEqual(yield* at.stage(7), "analysis active")
      const before = (yield* at.events).length
      const ends = { ...states.done, name: "Done" }
      yield* at.plane(body(7, ends, "2026-10-05T08:00:02.250000Z"))
      assert.strictEqual(yield* at.stage(7), "analysis done")
      assert.strictEqual((yield* shown(at, 7)).why, "lea moved the work item to Done in Plane")
      yield* at.reported(7)
      const pull = { number: 3, workItem: 7, head: sha("x") }
      yield* at.gitea("pull_request", pullBody("pull_request_closed_merged", pull))
      assert.strictEqual(yield* at.stage(7), "analysis done")
      assert.lengthOf(yield* at.events, before)
      assert.lengthOf(yield* launches(at), 0)
      // Nor does a cancel after that, or a move back to Todo, change anything.
      yield* at.plane(moveBody({ number: 7, to: "cancelled", at: 3 }))
      yield* at.plane(moveBody({ number: 7, to: "todo", at: 4 }))
      assert.strictEqual(yield* at.stage(7), "analysis done")
    }).pipe(Effect.scoped, withPlane))

  it.live("to Backlog or Todo: it pauses, its reports are kept, and count when it goes on", () =>
    Effect.gen(function*() {
      const at = yield* scene(alone)
      for (const [number, state] of [[7, backlog], [8, states.todo]] as const) {
        yield* at.plane(moveBody({ number, to: "inProgress", at: 1 }))
        assert.strictEqual(yield* at.stage(number), "analysis active")
        const { entry } = yield* shown(at, number)
        yield* at.plane(body(number, state, "2026-10-05T08:00:02.250000Z"))
        assert.strictEqual(yield* at.stage(number), "analysis paused")
        assert.match((yield* shown(at, number)).why ?? "", /^lea moved the work item to /)
        yield* at.reported(number)
        assert.strictEqual(yield* at.stage(number), "analysis paused")
        // Moved to another column where nothing is done, it stays paused.
        yield* at.plane(body(number, review, "2026-10-05T08:00:03.250000Z"))
        assert.deepInclude<object>(yield* shown(at, number), { status: "paused", entry })
        yield* at.plane(moveBody({ number, to: "inProgress", at: 4 }))
        assert.strictEqual(yield* at.stage(number), "development active")
        assert.isNull((yield* shown(at, number)).why)
      }
    }).pipe(Effect.scoped, withPlane))

  it.live("to the state of its own stage: that is never a pause, and a paused task goes on, whatever the group", () =>
    Effect.gen(function*() {
      const table = JSON.stringify({ analysis: states.inProgress.id, architecture: review.id })
      const at = yield* scene({ ...alone, ORCH_PLANE_STAGE_STATES: table })
      yield* at.plane(moveBody({ number: 7, to: "inProgress", at: 1 }))
      yield* at.settled
      yield* post(`${at.url}/api/tasks/ET-7/report`, { stage: "analysis", outcome: "passed" })
      assert.strictEqual(yield* at.stage(7), "architecture active")
      yield* at.plane(body(7, review, "2026-10-05T08:00:02.250000Z"))
      assert.strictEqual(yield* at.stage(7), "architecture active")
      yield* at.plane(moveBody({ number: 7, to: "todo", at: 3 }))
      assert.strictEqual(yield* at.stage(7), "architecture paused")
      yield* at.plane(body(7, review, "2026-10-05T08:00:04.250000Z"))
      assert.strictEqual(yield* at.stage(7), "architecture active")
    }).pipe(Effect.scoped, withPlane))

  it.live(
    "to Done while Plane cannot be written to: what was told before is told, and no state undoes the move",
    () =>
      Effect.gen(function*() {
        const { at, plane } = yield* circleWith({ ORCH_PLANE_QUIET: "1 second" })
        const { id, number } = yield* plane.addWorkItem({ name: "North climb", state: "Todo" })
        yield* post(`${at.url}/api/tasks`, { workItem: `ET-${number}` })
        yield* told(at)
        assert.strictEqual((yield* plane.workItem(id)).state.name, "In Progress")
        yield* plane.moveWorkItem(id, "Backlog")
        yield* comesTo(at, number, "analysis paused")
        yield* plane.moveWorkItem(id, "In Progress")
        yield* comesTo(at, number, "analysis active")
        yield* at.sql`UPDATE plane_sync_lane SET asked = NULL, read_at = NULL`
        yield* plane.misbehave(Fault.Down({}))
        yield* post(`${at.url}/api/tasks/ET-${number}/report`, { stage: "analysis", outcome: "passed" })
        yield* comesTo(at, number, "architecture active")
        yield* plane.moveWorkItem(id, "Done")
        yield* comesTo(at, number, "architecture done")
        yield* plane.calm
        yield* told(at)
        assert.strictEqual((yield* plane.workItem(id)).state.name, "Done")
        assert.lengthOf(
          (yield* plane.comments(id)).filter(({ html }) => html.includes("analysis → architecture")),
          1
        )
        assert.strictEqual(yield* at.stage(number), "architecture done")

        // Started again by hand, it starts anew, and Plane shows so, although that state was asked for before.
        yield* post(`${at.url}/api/tasks`, { workItem: `ET-${number}` })
        yield* comesTo(at, number, "analysis active")
        yield* told(at)
        assert.strictEqual((yield* plane.workItem(id)).state.name, "In Progress")
        yield* Effect.sleep("300 millis")
        assert.strictEqual(yield* at.stage(number), "analysis active")
      }).pipe(Effect.scoped),
    90_000
  )

  it.live("to Done, of which no webhook tells: a state that is owed does not undo it", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const at = yield* scene()
      const { id, number } = yield* plane.addWorkItem({ name: "North climb", state: "Todo" })
      yield* post(`${at.url}/api/tasks`, { workItem: `ET-${number}` })
      yield* told(at)
      yield* plane.moveWorkItem(id, "Done")
      yield* at.sql`UPDATE plane_sync_lane SET asked = NULL, read_at = NULL`
      yield* post(`${at.url}/api/tasks/ET-${number}/report`, { stage: "analysis", outcome: "passed" })
      yield* told(at)
      assert.strictEqual((yield* plane.workItem(id)).state.name, "Done")
    }).pipe(Effect.scoped, withPlane), 90_000)
})

describe("row 28: what is no person's move", () => {
  it.live("the hook of a creation in Backlog or Done that comes after the task was started by hand", () =>
    Effect.gen(function*() {
      const at = yield* scene(alone)
      for (const [number, state] of [[7, backlog], [8, states.done], [9, states.cancelled]] as const) {
        yield* post(`${at.url}/api/tasks`, { workItem: `ET-${number}` })
        const data = {
          id: uuid(number),
          sequence_id: number,
          state,
          updated_at: new Date().toISOString().replace("Z", "000Z")
        }
        yield* at.plane(changed("plane/issue_created", { data, activity: { field: null } }))
        assert.strictEqual(yield* at.stage(number), "analysis active")
      }
    }).pipe(Effect.scoped, withPlane))

  it.live(
    "a completion from before the task was started by hand, of which nothing was heard",
    () =>
      Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const at = yield* scene()
        const { id, number } = yield* plane.addWorkItem({ name: "North climb", state: "Done" })
        yield* post(`${at.url}/api/tasks`, { workItem: `ET-${number}` })
        yield* told(at)
        assert.strictEqual((yield* plane.workItem(id)).state.name, "In Progress")
        assert.strictEqual(yield* at.stage(number), "analysis active")
      }).pipe(Effect.scoped, withPlane),
    90_000
  )
})

describe("row 3: a task that is reopened after its end", () => {
  const finished = (at: Scene) =>
    Effect.gen(function*() {
      yield* at.plane(moveBody({ number: 7, to: "inProgress", at: 1 }))
      yield* at.settled
      yield* at.reported(7)
      const pull = { number: 3, workItem: 7, head: sha("x") }
      const merged = { merged_at: "2026-10-05T08:00:05Z", updated_at: "2026-10-05T08:00:05Z" }
      yield* at.gitea("pull_request", pullBody("pull_request_closed_merged", { ...pull, change: merged }))
      assert.strictEqual(yield* at.stage(7), "done done")
    })

  it.live("starts anew at the moment of the person's move, and what was merged before does not count", () =>
    Effect.gen(function*() {
      const at = yield* scene(alone)
      yield* finished(at)
      const before = yield* shown(at, 7)
      assert.strictEqual(before.startedAt, "2026-10-05T08:00:01.250Z")
      // Our own last state, late or not, is no reopening.
      yield* at.plane(moveBody({ number: 7, to: "done", at: 8 }))
      assert.strictEqual(yield* at.stage(7), "done done")
      yield* at.plane(moveBody({ number: 7, to: "inProgress", at: 9 }))
      assert.strictEqual(yield* at.stage(7), "analysis active")
      const after = yield* shown(at, 7)
      assert.strictEqual(after.startedAt, "2026-10-05T08:00:09.250Z")
      assert.notStrictEqual(after.entry, before.entry)
      assert.deepStrictEqual(after.reports, [])
      assert.deepInclude(yield* at.task(7), { pullRequest: null })
      yield* at.reported(7)
      assert.strictEqual(yield* at.stage(7), "development active")
      const ways = (yield* at.events).filter(({ to }) => to === "analysis")
      assert.lengthOf(ways, 2)
    }).pipe(Effect.scoped, withPlane))

  it.live("starts anew also by hand", () =>
    Effect.gen(function*() {
      const at = yield* scene(alone)
      yield* finished(at)
      const began = Date.now()
      yield* post(`${at.url}/api/tasks`, { workItem: "ET-7" })
      assert.strictEqual(yield* at.stage(7), "analysis active")
      assert.isAtLeast(Date.parse((yield* shown(at, 7)).startedAt), began)
      yield* at.reported(7)
      assert.strictEqual(yield* at.stage(7), "development active")
    }).pipe(Effect.scoped, withPlane))

  it.live(
    "with Plane's own webhooks: done by us, reopened by a person, and told once more, without a loop",
    () =>
      Effect.gen(function*() {
        const { at, plane } = yield* circle
        const { id, number } = yield* plane.addWorkItem({ name: "North climb" })
        yield* plane.moveWorkItem(id, "In Progress")
        yield* comesTo(at, number, "analysis active")
        yield* at.reported(number)
        const pull = { number: 3, workItem: number, head: sha("x") }
        const now = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString().replace(/\.\d+Z$/, "Z")
        const merged = { merged_at: now(1), updated_at: now(1) }
        yield* at.gitea("pull_request", pullBody("pull_request_closed_merged", { ...pull, change: merged }))
        yield* comesTo(at, number, "done done")
        yield* told(at)
        assert.strictEqual((yield* plane.workItem(id)).state.name, "Done")
        yield* Effect.sleep("2100 millis")
        yield* plane.moveWorkItem(id, "In Progress")
        yield* comesTo(at, number, "analysis active")
        yield* at.reported(number)
        yield* told(at)
        yield* Effect.sleep("500 millis")
        assert.strictEqual(yield* at.stage(number), "development active")
        assert.strictEqual((yield* plane.workItem(id)).state.name, "In Progress")
        assert.lengthOf((yield* plane.comments(id)).filter(({ html }) => html.includes("Task completed")), 1)
      }).pipe(Effect.scoped),
    90_000
  )
})

describe("row 31: a sender's clock that is ahead", () => {
  const moved = (at: Scene, number: number, to: keyof typeof states, moment: number | string) =>
    at.plane(body(number, states[to], moment))

  it.live("an hour, a minute or 7,973 years ahead, then corrected: the cancel is heard", () =>
    Effect.gen(function*() {
      const at = yield* scene(alone)
      const firsts: ReadonlyArray<() => number | string> = [
        () => Date.now() + 3_600_000,
        () => Date.now() + 60_000,
        () => Date.now() + 86_400_000,
        // Row 71.
        () => "9999-12-31T23:59:59.999999Z"
      ]
      for (const [index, first] of firsts.entries()) {
        const number = 10 + index
        const before = Date.now()
        yield* moved(at, number, "inProgress", first())
        assert.strictEqual(yield* at.stage(number), "analysis active")
        const started = Date.parse((yield* shown(at, number)).startedAt)
        assert.isTrue(started >= before && started <= Date.now(), "not in the future")
        yield* moved(at, number, "cancelled", Date.now())
        assert.strictEqual(yield* at.stage(number), "analysis stopped")
        yield* moved(at, number, "inProgress", Date.now() + 800)
        assert.strictEqual(yield* at.stage(number), "analysis active")
        yield* moved(at, number, "todo", Date.now() + 1_600)
        assert.strictEqual(yield* at.stage(number), "analysis paused")
      }
    }).pipe(Effect.scoped, withPlane), 90_000)

  it.live("that stays ahead: moves are heard in their order, and a late one is old", () =>
    Effect.gen(function*() {
      const at = yield* scene(alone)
      for (const [number, ahead] of [[10, 1_500], [11, 20_000], [12, 300_000], [13, 3_600_000]] as const) {
        const first = Date.now() + ahead
        yield* moved(at, number, "inProgress", first)
        assert.strictEqual(yield* at.stage(number), "analysis active")
        yield* moved(at, number, "cancelled", first + 2)
        assert.strictEqual(yield* at.stage(number), "analysis stopped")
        // Another body, as Plane's second hook of the same change is.
        yield* at.plane(JSON.stringify({ ...JSON.parse(body(number, states.inProgress, first)), late: true }))
        yield* at.plane(JSON.stringify({ ...JSON.parse(body(number, states.inProgress, first + 1)), late: true }))
        assert.strictEqual(yield* at.stage(number), "analysis stopped", String(ahead))
      }
    }).pipe(Effect.scoped, withPlane), 90_000)
})

describe("rows 29 and 30: old and new senders", () => {
  const started = { sequence_id: 7, state: states.inProgress, updated_at: "2026-10-05T08:00:01.250000Z" }

  it.live("row 29: what is created with a field named is no new work item, and starts no task", () =>
    Effect.gen(function*() {
      const at = yield* scene(alone)
      for (const [index, field] of ["modules", "cycles", "link", "attachment", "blocked_by", "reaction"].entries()) {
        const number = 20 + index
        const data = { ...started, id: uuid(number), sequence_id: number }
        yield* at.plane(changed("plane/issue_created", { data, activity: { field, new_value: "x" } }))
        assert.strictEqual(yield* at.stage(number), "- -", field)
      }
      // One that names none is new, and one that names the state is a move.
      for (const [index, activity] of [{ field: null }, { field: "state" }, { field: "state_id" }].entries()) {
        const number = 30 + index
        const data = { ...started, id: uuid(number), sequence_id: number }
        yield* at.plane(changed("plane/issue_created", { data, activity }))
        assert.strictEqual(yield* at.stage(number), "analysis active", JSON.stringify(activity))
      }
    }).pipe(Effect.scoped, withPlane))

  it.live("row 30: both spellings of what was done, and of what it was done to, move a task", () =>
    Effect.gen(function*() {
      const at = yield* scene(alone)
      const printed = "WebhookScope.ScopeChoices.WORK_ITEM_UPDATED"
      const spellings: ReadonlyArray<readonly [object, string]> = [
        [{ event: printed, action: "update", entity_type: "issue" }, printed],
        [{ event: printed, action: "updated", entity_type: "issue" }, "issue"],
        [{ event: "issue", action: "update" }, "issue"],
        [{ event: "work_item.updated", action: undefined }, "work_item"],
        [{ event: "WebhookScope.ScopeChoices.WORK_ITEM_CREATED", action: "create", entity_type: "work_item" }, "x"],
        [{ event: undefined, action: "update", entity_type: "issue" }, ""],
        [{ event: undefined, action: "update" }, "issue"],
        [{ event: "WebhookScope.ScopeChoices.ANYTHING", action: "update" }, "issue"]
      ]
      for (const [index, [spelling, header]] of spellings.entries()) {
        const number = 40 + index
        const text = moveBody({ number, to: "inProgress", at: 1 })
        yield* at.plane(JSON.stringify({ ...JSON.parse(text), ...spelling }), { event: header })
        assert.strictEqual(yield* at.stage(number), "analysis active", JSON.stringify(spelling))
      }
    }).pipe(Effect.scoped, withPlane))
})
