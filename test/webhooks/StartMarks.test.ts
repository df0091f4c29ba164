import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { Fault } from "../../src/simulator/PlaneSimulator.js"
import { withPlane } from "../http/Server.js"
import { circleWith, comesTo, told } from "./Circle.js"
import { changed } from "./Fixtures.js"
import { alone, moveBody, scene, sha, states, uuid } from "./Scene.js"

type Scene = Effect.Effect.Success<ReturnType<typeof scene>>

const label = (name: string) => ({ id: uuid(Number.parseInt(sha(name).slice(0, 8), 16)), name, color: "" })
const [agent, ui, other] = [label("agent"), label("ui"), label("Agent")]
const user = (name: string) => ({ id: label(name).id, email: `${name}@trails.test`, display_name: name })
const [bot, lea] = [user("bot"), user("lea")]

interface Mark {
  readonly id: string
  readonly name?: string
  readonly email?: string
}

interface Change {
  readonly number?: number
  readonly at?: number
  readonly field?: "labels" | "label_ids" | "assignees" | "assignee_ids"
  readonly old?: ReadonlyArray<Mark>
  /** What was asked for; the work item has them, if `has` does not say otherwise. */
  readonly wanted?: ReadonlyArray<Mark>
  readonly has?: ReadonlyArray<Mark>
  readonly state?: keyof typeof states
  readonly data?: object
  readonly actor?: object
}

const time = (at: number) => new Date(Date.UTC(2026, 9, 5, 8, 0, at)).toISOString().replace("000Z", "250000Z")

/** A body about labels or assignees, as Plane sends it: by default somebody adds the label in Plane's pages. */
const body = (
  {
    actor = {},
    at = 1,
    data = {},
    field = "label_ids",
    number = 7,
    old = [],
    state = "todo",
    wanted = [agent],
    ...more
  }: Change
) =>
  changed("plane/issue_updated_label_ids", {
    data: {
      id: uuid(number),
      sequence_id: number,
      state: states[state],
      updated_at: time(at),
      labels: [],
      assignees: [],
      [field.startsWith("label") ? "labels" : "assignees"]: more.has ?? wanted,
      ...data
    },
    activity: { field, old_value: old.map(({ id }) => id), new_value: wanted.map(({ id }) => id), actor }
  })

const created = (number: number, data: object, actor: object = {}) =>
  changed("plane/issue_created", {
    data: { id: uuid(number), sequence_id: number, updated_at: time(1), ...data },
    activity: { actor }
  })

const marked = { ...alone, ORCH_START_LABEL: "agent", ORCH_START_ASSIGNEE: "Bot@trails.test" }

/** Why the last hook meant what it meant. */
const reason = (at: Scene) => Effect.map(at.inbox, (rows) => rows.at(-1)?.reason ?? "")

describe("a label or an assignee that starts tasks", () => {
  it.live("starts a task, whichever way it is given; without the setting it does not", () =>
    Effect.gen(function*() {
      const at = yield* scene(marked)
      const ways: ReadonlyArray<Change> = [
        { field: "label_ids" },
        { field: "labels" },
        { field: "label_ids", old: [ui], wanted: [ui, agent] },
        { field: "assignee_ids", wanted: [bot] },
        { field: "assignees", old: [lea], wanted: [bot, lea] }
      ]
      for (const [index, way] of ways.entries()) {
        const number = 20 + index
        yield* at.plane(body({ ...way, number }))
        assert.strictEqual(yield* at.stage(number), "analysis active", JSON.stringify(way))
      }
      yield* at.plane(created(40, { labels: [ui, agent], assignees: [] }))
      assert.strictEqual(yield* at.stage(40), "analysis active")
      yield* at.plane(created(41, { labels: [], assignees: [bot] }))
      assert.strictEqual(yield* at.stage(41), "analysis active")
      assert.include(yield* reason(at), "lea assigned it to bot@trails.test in Plane, so its task starts")
      // What was merged before does not count.
      const [task] = yield* at.sql`SELECT started_at AS "at" FROM plane_sync_task WHERE canonical = 'ET-20'`
      assert.deepStrictEqual(task, { at: Date.UTC(2026, 9, 5, 8, 0, 1, 250) })

      const without = yield* scene(alone)
      yield* without.plane(body({}))
      yield* without.plane(created(8, { labels: [agent], assignees: [bot] }))
      assert.strictEqual(yield* without.stage(7), "- -")
      assert.strictEqual(yield* without.stage(8), "- -")
    }).pipe(Effect.scoped, withPlane), 60_000)

  it.live("starts none if it was not given by this change, or is another one", () =>
    Effect.gen(function*() {
      const at = yield* scene({ ...marked, ORCH_START_ASSIGNEE: bot.id.toUpperCase() })
      const others: ReadonlyArray<Change> = [
        // It was there before: another one was added, or taken away, or the order is another.
        { old: [agent], wanted: [agent, ui] },
        { old: [ui, agent], wanted: [agent] },
        { old: [agent, ui], wanted: [ui, agent] },
        { field: "assignee_ids", old: [bot, lea], wanted: [bot] },
        // It was added by a later change, which has a hook of its own.
        { wanted: [ui], has: [ui, agent] },
        // Plane has not taken it: it is of another project, or a guest, or was taken away since.
        { wanted: [agent], has: [] },
        { field: "assignees", wanted: [bot], has: [] },
        // Upper and lower case differ in Plane, too.
        { wanted: [other] },
        { field: "assignee_ids", wanted: [lea] }
      ]
      for (const [index, change] of others.entries()) {
        const number = 20 + index
        yield* at.plane(body({ ...change, number }))
        assert.strictEqual(yield* at.stage(number), "- -", JSON.stringify(change))
      }
      // Of another change, with the mark as it is.
      yield* at.plane(changed("plane/issue_updated_name", {
        data: { id: uuid(40), sequence_id: 40, labels: [agent], assignees: [bot], updated_at: time(1) }
      }))
      assert.strictEqual(yield* at.stage(40), "- -")
      // A body that does not tell what was there before.
      const unknown = JSON.parse(body({ number: 41 })) as { readonly activity: object }
      yield* at.plane(JSON.stringify({ ...unknown, activity: { ...unknown.activity, old_value: null } }))
      assert.strictEqual(yield* at.stage(41), "- -")
      // By the id, in capitals.
      yield* at.plane(body({ number: 42, field: "assignee_ids", wanted: [{ ...bot, email: "renamed@trails.test" }] }))
      assert.strictEqual(yield* at.stage(42), "analysis active")
    }).pipe(Effect.scoped, withPlane), 60_000)

  it.live(
    "starts none of a work item that is completed or cancelled, also if a late webhook shows another state",
    () =>
      Effect.gen(function*() {
        const at = yield* scene(marked)
        for (const [number, state] of [[20, "done"], [21, "cancelled"]] as const) {
          yield* at.plane(body({ number, state }))
          assert.strictEqual(yield* at.stage(number), "- -", state)
          assert.include(yield* reason(at), "but it is completed or cancelled in Plane, so this changes nothing")
          yield* at.plane(moveBody({ number: number + 10, to: state, at: 9 }))
          yield* at.settled
          yield* at.plane(body({ number: number + 10, at: 5 }))
          assert.strictEqual(yield* at.stage(number + 10), "- -", state)
          // Moved out of there, it does not start by what was given before; given once more, it does.
          yield* at.plane(moveBody({ number, to: "todo", at: 10 }))
          assert.strictEqual(yield* at.stage(number), "- -")
          yield* at.plane(body({ number, at: 11, old: [agent], wanted: [] }))
          yield* at.plane(body({ number, at: 12 }))
          assert.strictEqual(yield* at.stage(number), "analysis active")
        }
      }).pipe(Effect.scoped, withPlane),
    60_000
  )

  it.live(
    "does to a task what a move to a started state does: paused and stopped ones go on, a done one starts anew",
    () =>
      Effect.gen(function*() {
        const at = yield* scene(marked)
        yield* at.plane(body({ at: 1 }))
        assert.strictEqual(yield* at.stage(7), "analysis active")
        const entry = () => at.sql`SELECT entry FROM plane_sync_task`
        const first = yield* entry()
        // At work: nothing, and a second mark neither.
        yield* at.plane(body({ at: 2, field: "assignee_ids", wanted: [bot], data: { labels: [agent] } }))
        yield* at.plane(body({ at: 3, old: [agent], wanted: [] }))
        yield* at.plane(body({ at: 4 }))
        assert.strictEqual(yield* at.stage(7), "analysis active")
        assert.deepStrictEqual(yield* entry(), first)
        assert.include(yield* reason(at), "but it has a task already, so this changes nothing")
        // A person pauses it.
        yield* at.plane(moveBody({ number: 7, to: "inProgress", at: 5 }))
        yield* at.plane(moveBody({ number: 7, to: "todo", at: 6 }))
        assert.strictEqual(yield* at.stage(7), "analysis paused")
        yield* at.plane(body({ at: 7, old: [agent], wanted: [] }))
        assert.strictEqual(yield* at.stage(7), "analysis paused")
        yield* at.plane(body({ at: 8 }))
        assert.strictEqual(yield* at.stage(7), "analysis active")
        // A person cancels it, and takes that back without starting it.
        yield* at.plane(moveBody({ number: 7, to: "cancelled", at: 9 }))
        yield* at.plane(moveBody({ number: 7, to: "todo", at: 10 }))
        assert.strictEqual(yield* at.stage(7), "analysis stopped")
        yield* at.plane(body({ at: 11 }))
        assert.strictEqual(yield* at.stage(7), "analysis active")
        assert.notDeepEqual(yield* entry(), first)
        // A person ends it, and opens it again.
        yield* at.plane(moveBody({ number: 7, to: "done", at: 12 }))
        assert.strictEqual(yield* at.stage(7), "analysis done")
        yield* at.plane(body({ at: 13, state: "done" }))
        assert.strictEqual(yield* at.stage(7), "analysis done")
        yield* at.plane(moveBody({ number: 7, to: "todo", at: 14 }))
        yield* at.plane(body({ at: 15 }))
        assert.strictEqual(yield* at.stage(7), "analysis active")
        const [task] = yield* at.sql`SELECT started_at AS "at" FROM plane_sync_task`
        assert.deepStrictEqual(task, { at: Date.UTC(2026, 9, 5, 8, 0, 15, 250) })
      }).pipe(Effect.scoped, withPlane),
    60_000
  )

  it.live(
    "that is heard twice or late changes nothing: neither after a pause, nor after it was taken away",
    () =>
      Effect.gen(function*() {
        const at = yield* scene(marked)
        const given = body({ at: 2 })
        yield* at.plane(given)
        assert.strictEqual(yield* at.stage(7), "analysis active")
        yield* at.plane(moveBody({ number: 7, to: "inProgress", at: 3 }))
        yield* at.plane(moveBody({ number: 7, to: "todo", at: 4 }))
        assert.strictEqual(yield* at.stage(7), "analysis paused")
        const late = (text: string) => JSON.stringify({ ...JSON.parse(text), late: true })
        for (
          const again of [
            // The same, as Plane repeats it; and others that tell the same, or what was before the pause.
            given,
            late(given),
            body({ at: 2, field: "labels" }),
            body({ at: 2, field: "assignee_ids", wanted: [bot] }),
            body({ at: 3, field: "assignee_ids", wanted: [bot] })
          ]
        ) {
          yield* at.plane(again)
          assert.strictEqual(yield* at.stage(7), "analysis paused", again)
        }
        // Deleted from the inbox, after seven days.
        yield* at.sql`DELETE FROM plane_sync_webhook`
        yield* at.plane(given)
        assert.strictEqual(yield* at.stage(7), "analysis paused")

        // Given by mistake while the program was away, and taken back: the second one is heard first.
        yield* at.plane(body({ number: 8, at: 3, old: [agent], wanted: [] }))
        yield* at.plane(body({ number: 8, at: 2 }))
        assert.strictEqual(yield* at.stage(8), "- -")
        assert.include(yield* reason(at), "something newer was: this changes nothing")
        // Another change that is heard first overtakes nothing.
        yield* at.plane(moveBody({ number: 9, to: "todo", at: 3 }))
        yield* at.plane(body({ number: 9, at: 3, field: "assignee_ids", old: [bot], wanted: [bot, lea] }))
        yield* at.plane(body({ number: 9, at: 2 }))
        assert.strictEqual(yield* at.stage(9), "analysis active")
      }).pipe(Effect.scoped, withPlane),
    60_000
  )

  it.live("together with a move: what the move says stands, and it starts once", () =>
    Effect.gen(function*() {
      const at = yield* scene(marked)
      yield* at.plane(body({ state: "inProgress" }))
      yield* at.plane(moveBody({ number: 7, to: "inProgress", at: 1 }))
      assert.strictEqual(yield* at.stage(7), "analysis active")
      assert.lengthOf((yield* at.events).filter(({ to }) => to === "analysis"), 1)
      // In one request to Backlog with the label: whichever comes first.
      for (const [number, first] of [[8, "move"], [9, "label"]] as const) {
        yield* at.plane(moveBody({ number, to: "inProgress", at: 1 }))
        assert.strictEqual(yield* at.stage(number), "analysis active")
        const hooks = [moveBody({ number, to: "todo", at: 2 }), body({ number, at: 2 })]
        for (const hook of first === "move" ? hooks : hooks.toReversed()) yield* at.plane(hook)
        assert.strictEqual(yield* at.stage(number), "analysis paused", first)
      }
    }).pipe(Effect.scoped, withPlane), 60_000)

  it.live("counts only in a signed webhook of the work item's own project", () =>
    Effect.gen(function*() {
      const at = yield* scene(marked)
      const text = body({})
      for (const signature of [undefined, "", createHash("sha256").update(text).digest("hex")]) {
        const answer = yield* Effect.promise(() =>
          fetch(`${at.url}/webhooks/plane`, {
            method: "POST",
            headers: {
              "content-type": "application/json",
              "X-Plane-Event": "issue",
              ...(signature === undefined ? {} : { "X-Plane-Signature": signature })
            },
            body: text
          })
        )
        assert.strictEqual(answer.status, 401)
      }
      yield* at.plane(body({ data: { project: uuid(99) } }))
      assert.strictEqual(yield* at.stage(7), "- -")
      // A comment that quotes such a body is none.
      yield* at.plane(text.replace(`"event":"issue"`, `"event":"issue_comment"`), { event: "issue_comment" })
      assert.strictEqual(yield* at.stage(7), "- -")
    }).pipe(Effect.scoped, withPlane))

  it.live("is read of a work item whose description has megabytes", () =>
    Effect.gen(function*() {
      const at = yield* scene(marked)
      yield* at.plane(body({ old: [ui], wanted: [ui, agent], data: { description_html: "x".repeat(2 * 1024 * 1024) } }))
      assert.strictEqual(yield* at.stage(7), "analysis active")
    }).pipe(Effect.scoped, withPlane))
})

describe("a label or an assignee, with Plane's own webhooks", () => {
  const planeWithLabel = Effect.gen(function*() {
    const { at, plane } = yield* circleWith({
      ORCH_START_LABEL: "agent",
      ORCH_START_ASSIGNEE: "plane-sync@plane.test"
    })
    const api = (method: string, path: string, json: unknown, token: string = plane.tokens.owner) =>
      Effect.promise(() =>
        fetch(`${plane.url}/api/v1/workspaces/${plane.workspace}/projects/${plane.project.id}/${path}/`, {
          method,
          headers: { "content-type": "application/json", "X-API-Key": token },
          body: JSON.stringify(json)
        }).then((answer) => answer.json() as Promise<{ readonly id: string; readonly sequence_id: number }>)
      )
    const { id } = yield* api("POST", "labels", { name: "agent" })
    return { api, at, plane, label: id }
  })

  it.live("in the pages: the state of the first stage is set, and its comment is there", () =>
    Effect.gen(function*() {
      const { at, label, plane } = yield* planeWithLabel
      const byLabel = yield* plane.addWorkItem({ name: "North climb", state: "Backlog" })
      yield* plane.editWorkItem(byLabel.id, { labels: [label] })
      yield* comesTo(at, byLabel.number, "analysis active")
      const byAssignee = yield* plane.addWorkItem({ name: "South climb", state: "Todo" })
      yield* plane.editWorkItem(byAssignee.id, { assignees: [plane.bot.id] })
      yield* comesTo(at, byAssignee.number, "analysis active")
      yield* told(at)
      for (const { id } of [byLabel, byAssignee]) {
        assert.strictEqual((yield* plane.workItem(id)).state.name, "In Progress")
        assert.lengthOf(yield* plane.comments(id), 1)
      }
    }).pipe(Effect.scoped), 90_000)

  it.live(
    "by API: another user's token starts a task, and our own starts none; a new work item likewise",
    () =>
      Effect.gen(function*() {
        const { api, at, label, plane } = yield* planeWithLabel
        const { id, number } = yield* plane.addWorkItem({ name: "North climb", state: "Todo" })
        yield* api("PATCH", `work-items/${id}`, { labels: [label] }, plane.token)
        const made = yield* api("POST", "work-items", { name: "A step of it", labels: [label] }, plane.token)
        const theirs = yield* api("POST", "work-items", { name: "South climb", labels: [label] })
        yield* comesTo(at, theirs.sequence_id, "analysis active")
        const ignored = "plane-sync's own API token"
        yield* Effect.repeat(
          Effect.zipRight(Effect.sleep("20 millis"), at.inbox),
          { until: (rows) => rows.filter(({ reason }) => reason?.includes(ignored) === true).length === 2 }
        ).pipe(Effect.timeout("30 seconds"))
        assert.strictEqual(yield* at.stage(number), "- -")
        assert.strictEqual(yield* at.stage(made.sequence_id), "- -")
        yield* api("PATCH", `work-items/${id}`, { labels: [] })
        yield* api("PATCH", `work-items/${id}`, { labels: [label] })
        yield* comesTo(at, number, "analysis active")
      }).pipe(Effect.scoped),
    90_000
  )

  it.live(
    "by API while Plane does not answer: the webhook waits until it is known whose our API token is",
    () =>
      Effect.gen(function*() {
        const { api, at, label, plane } = yield* planeWithLabel
        yield* plane.misbehave(Fault.Down({ match: { path: "users/me" } }))
        const { sequence_id: number } = yield* api("POST", "work-items", { name: "North climb", labels: [label] })
        yield* Effect.repeat(
          Effect.zipRight(Effect.sleep("20 millis"), at.inbox),
          { until: (rows) => rows.some(({ reason }) => reason?.includes("whose the API token is") === true) }
        ).pipe(Effect.timeout("30 seconds"))
        assert.strictEqual(yield* at.stage(number), "- -")
        // Done in the pages it does not wait.
        const { id, number: other } = yield* plane.addWorkItem({ name: "South climb", state: "Todo" })
        yield* plane.editWorkItem(id, { labels: [label] })
        yield* comesTo(at, other, "analysis active")
        assert.strictEqual(yield* at.stage(number), "- -")
      }).pipe(Effect.scoped),
    90_000
  )
})
