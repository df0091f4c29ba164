import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import {
  Fault,
  PlaneSimulator,
  type PlaneSimulatorOptions,
  type PlaneVersion,
  type WebhookRequest
} from "../../src/simulator/PlaneSimulator.js"
import { type Plane, withItem } from "./support.js"

const versions = ["0.27", "1.0", "1.3", "1.4"] as const

const field = (text: string, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((value, key) => Reflect.get(Object(value), key), JSON.parse(text))

/** A request in memory; the path is below the workspace unless it begins with a slash. */
const ask = (
  plane: Plane,
  method: "GET" | "PATCH" | "POST",
  path: string,
  options: { readonly key?: string; readonly body?: unknown } = {}
) =>
  Effect.gen(function*() {
    const client = yield* HttpClient.HttpClient
    const url = `${plane.url}${path.startsWith("/") ? path : `/api/v1/workspaces/${plane.workspace}/${path}`}`
    const request = HttpClientRequest.make(method)(url).pipe(
      HttpClientRequest.setHeader("X-API-Key", options.key ?? plane.token)
    )
    const response = yield* client.execute(
      options.body === undefined ? request : HttpClientRequest.bodyUnsafeJson(request, options.body)
    )
    return { status: response.status, headers: response.headers, text: yield* response.text }
  })

const project = (plane: Plane) => `projects/${plane.project.id}`

const item = (plane: Plane, id: string) => `${project(plane)}/issues/${id}/`

const move = (plane: Plane, id: string, state: string) =>
  ask(plane, "PATCH", item(plane, id), { body: { state: plane.stateId(state) } })

/** The simulator in memory, and what its webhook has sent. */
const told = (options: PlaneSimulatorOptions, webhook: Partial<PlaneSimulatorOptions["webhook"]> = {}) => {
  const sent: Array<WebhookRequest> = []
  const send = (request: WebhookRequest) => Effect.sync(() => (sent.push(request), 200))
  const target = { url: "http://orchestrator.test/", secret: "plane_wh_3f9c", send, ...webhook }
  return { sent, layer: PlaneSimulator.layerMemory({ rateLimit: "off", ...options, webhook: target }) }
}

const fieldsOf = (sent: ReadonlyArray<WebhookRequest>) =>
  sent.map(({ body }) => `${String(field(body, "event"))} ${String(field(body, "activity", "field"))}`)

const each = (
  run: (version: PlaneVersion) => Effect.Effect<void, unknown>
) => Effect.forEach(versions, run, { discard: true })

describe("versions of Plane", () => {
  it.scoped("row 55: have the paths that theirs have", () =>
    each((plane) =>
      Effect.gen(function*() {
        const { item: made, plane: simulator } = yield* withItem
        const paths = ["work-items/", "issues/"].map((name) => `${project(simulator)}/${name}`)
          .concat(`work-items/${made.key}/`, `issues/${made.key}/`, "issues/search/?search=lake")
        const answers = yield* Effect.forEach(paths, (path) => ask(simulator, "GET", path))
        const expected = { "0.27": [404, 200, 404, 200, 404], "1.0": [404, 200, 404, 200, 200] }
        assert.deepStrictEqual(
          answers.map(({ status }) => status),
          plane === "0.27" || plane === "1.0" ? expected[plane] : [200, 200, 200, 200, 200],
          plane
        )
        for (const { status, text } of answers) {
          if (status === 404) assert.strictEqual(text, `{"error": "Page not found."}`)
        }
      }).pipe(Effect.provide(PlaneSimulator.layerMemory({ plane, rateLimit: "off" })))
    ))

  it.scoped("row 55: tell of what was written by API from 1.3 on; of a person's move always, and twice before", () =>
    each((plane) => {
      const { layer, sent } = told({ plane })
      return Effect.gen(function*() {
        const { item: made, plane: simulator } = yield* withItem
        yield* move(simulator, made.id, "Done")
        yield* ask(simulator, "POST", `${item(simulator, made.id)}comments/`, { body: { comment_html: "<p>x</p>" } })
        yield* simulator.moveWorkItem(made.id, "Todo")
        yield* TestClock.adjust("0 millis")
        const isNew = plane === "1.3" || plane === "1.4"
        assert.sameMembers(fieldsOf(sent), [
          "issue null",
          ...(isNew ? ["issue state", "issue_comment null"] : ["issue state"]),
          "issue state_id"
        ])
        for (const { body } of sent) {
          assert.strictEqual(field(body, "workspace_slug"), plane === "1.4" ? simulator.workspace : undefined)
        }
      }).pipe(Effect.provide(layer))
    }))

  it.scoped("mail the subscribers for a PATCH on 1.4 alone, and nobody for a comment", () =>
    each((plane) =>
      Effect.gen(function*() {
        const { item: made, plane: simulator } = yield* withItem
        yield* move(simulator, made.id, "Done")
        yield* move(simulator, made.id, "Done")
        yield* ask(simulator, "POST", `${item(simulator, made.id)}comments/`, { body: { comment_html: "<p>x</p>" } })
        const mails = () => Effect.map(simulator.mails, (all) => all.map(({ field, to }) => `${to} ${field}`))
        assert.deepStrictEqual(yield* mails(), plane === "1.4" ? ["olga state"] : [])
        // Who is assigned is subscribed, and is told twice; who made the change is not told.
        yield* ask(simulator, "PATCH", item(simulator, made.id), { body: { assignees: [simulator.bot.id] } })
        yield* ask(simulator, "PATCH", item(simulator, made.id), {
          key: simulator.tokens.owner,
          body: { priority: "high" }
        })
        assert.deepStrictEqual(
          yield* mails(),
          plane === "1.4" ? ["olga state", "olga assignees", "olga assignees", "plane-sync priority"] : []
        )
      }).pipe(Effect.provide(PlaneSimulator.layerMemory({ plane, rateLimit: "off" })))
    ))

  it.scoped("say which they are to anybody, however often", () =>
    each((plane) =>
      Effect.gen(function*() {
        const simulator = yield* PlaneSimulator
        for (const key of ["", "plane_api_nobody", simulator.token]) {
          const { headers, status, text } = yield* ask(simulator, "GET", "/api/instances/", { key })
          assert.strictEqual(status, 200)
          assert.isUndefined(headers["x-ratelimit-remaining"])
          // The preview of 1.4 still calls itself 1.3.1.
          const names = { "0.27": "0.27.1", "1.0": "1.0.0", "1.3": "1.3.1", "1.4": "1.3.1" }
          assert.strictEqual(field(text, "instance", "current_version"), names[plane])
        }
        assert.strictEqual((yield* ask(simulator, "GET", "/api/v1/users/me/")).status, 200)
      }).pipe(Effect.provide(PlaneSimulator.layerMemory({ plane, rateLimit: { limit: 1, windowMillis: 60_000 } })))
    ))

  it.scoped("differ in the rest: completion, unknown orders, tokens of services and of the deactivated", () =>
    each((plane) =>
      Effect.gen(function*() {
        const { item: made, plane: simulator } = yield* withItem
        const completed = Effect.map(ask(simulator, "GET", item(simulator, made.id)), ({ text }) =>
          field(text, "completed_at"))
        yield* move(simulator, made.id, "Done")
        const first = yield* completed
        yield* TestClock.adjust("1 second")
        for (const body of [{ priority: "high" }, { state: simulator.stateId("Done") }]) {
          const before = yield* completed
          yield* ask(simulator, "PATCH", item(simulator, made.id), { body })
          assert.strictEqual((yield* completed) === before, plane === "1.4")
        }
        assert.strictEqual((yield* completed) === first, plane === "1.4")
        const list = yield* ask(simulator, "GET", `${project(simulator)}/issues/?order_by=tide`)
        assert.strictEqual(list.status, plane === "1.4" ? 200 : 500)
        const { deactivated, service } = simulator.tokens
        const asDeactivated = yield* ask(simulator, "GET", "/api/v1/users/me/", { key: deactivated })
        assert.strictEqual(asDeactivated.status, plane === "1.4" ? 403 : 200)
        const asService = yield* ask(simulator, "GET", "/api/v1/users/me/", { key: service })
        assert.strictEqual(asService.headers["x-ratelimit-remaining"], plane === "1.4" ? "59" : "299")
      }).pipe(Effect.provide(PlaneSimulator.layerMemory({ plane })))
    ))
})

describe("late webhooks", () => {
  it.scoped("a retry carries what was true at the first attempt, up to ten minutes later", () => {
    let refuses = 1
    const bodies: Array<WebhookRequest> = []
    const send = (request: WebhookRequest) =>
      Effect.suspend(() => {
        bodies.push(request)
        return refuses-- > 0 ? Effect.fail("connection refused") : Effect.succeed(200)
      })
    const { layer } = told({}, { send, retryAfter: "600 seconds" })
    return Effect.gen(function*() {
      const { item: made, plane } = yield* withItem
      yield* TestClock.adjust("0 millis")
      yield* plane.moveWorkItem(made.id, "In Progress")
      yield* TestClock.adjust("599 seconds")
      assert.deepStrictEqual(fieldsOf(bodies), ["issue null", "issue state_id"])
      yield* TestClock.adjust("1 second")
      const [first, , again] = bodies
      assert.lengthOf(bodies, 3)
      assert.strictEqual(again?.body, first?.body)
      assert.strictEqual(field(again?.body ?? "", "data", "state", "name"), "Todo")
      assert.notStrictEqual(again?.headers["X-Plane-Delivery"], first?.headers["X-Plane-Delivery"])
      assert.deepStrictEqual((yield* plane.hooks).map(({ attempt }) => attempt), [1, 1, 2])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("one that waited in the queue says what is true when it is sent", () => {
    const { layer, sent } = told({}, { delay: "90 seconds" })
    return Effect.gen(function*() {
      const { item: made, plane } = yield* withItem
      yield* TestClock.adjust("89 seconds")
      assert.lengthOf(sent, 0)
      yield* plane.moveWorkItem(made.id, "Done")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(sent.map(({ body }) => field(body, "data", "state", "name")), ["Done"])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("none tells of what was written while the queue was away, which is answered 500", () => {
    const { layer, sent } = told({ plane: "1.4" })
    return Effect.gen(function*() {
      const { item: made, plane } = yield* withItem
      yield* TestClock.adjust("0 millis")
      yield* plane.misbehave(Fault.BrokerAway({}))
      const comments = `${item(plane, made.id)}comments/`
      const pair = { external_id: "a", external_source: "test" }
      const body = { comment_html: "<p>x</p>", ...pair }
      const writes = [yield* move(plane, made.id, "Done"), yield* ask(plane, "POST", comments, { body })]
      for (const { headers, status, text } of writes) {
        assert.deepStrictEqual([status, text], [500, `{"error":"Something went wrong please try again later"}`])
        assert.isDefined(headers["x-ratelimit-remaining"])
      }
      // Reads and refusals are as always, because nothing would be queued.
      assert.strictEqual((yield* ask(plane, "GET", item(plane, made.id))).status, 200)
      assert.strictEqual((yield* ask(plane, "POST", comments, { body })).status, 409)
      assert.strictEqual((yield* plane.workItem(made.id)).state.name, "Done")
      yield* plane.calm
      assert.strictEqual((yield* move(plane, made.id, "Todo")).status, 200)
      yield* TestClock.adjust("0 millis")
      assert.deepStrictEqual(fieldsOf(sent), ["issue null", "issue state"])
      assert.lengthOf(yield* plane.mails, 1)
    }).pipe(Effect.provide(layer))
  })
})

describe("a person", () => {
  it.scoped("edits other fields of an item in the web page, which has its own names for two", () => {
    const { layer, sent } = told({})
    return Effect.gen(function*() {
      const { item: made, plane } = yield* withItem
      yield* plane.editWorkItem(made.id, { name: "Draw the whole lake", priority: "high", assignees: [plane.bot.id] })
      yield* plane.editWorkItem(made.id, { priority: "high" })
      yield* TestClock.adjust("0 millis")
      assert.sameMembers(fieldsOf(sent), ["issue null", "issue name", "issue priority", "issue assignee_ids"])
      const { text } = yield* ask(plane, "GET", `${item(plane, made.id)}?fields=name,priority,assignees,updated_by`)
      assert.deepStrictEqual(JSON.parse(text), {
        name: "Draw the whole lake",
        priority: "high",
        updated_by: plane.person.id,
        assignees: [plane.bot.id]
      })
    }).pipe(Effect.provide(layer))
  })

  it.scoped("changes what a state is called, and the project's identifier", () =>
    Effect.gen(function*() {
      const { item: made, plane } = yield* withItem
      yield* plane.changeState(plane.stateId("Todo"), { name: "Next", group: "started" })
      assert.deepInclude((yield* plane.workItem(made.id)).state, { name: "Next", group: "started" })
      yield* plane.renameProject("TRAILS")
      assert.strictEqual((yield* ask(plane, "GET", "work-items/ET-1/")).status, 403)
      assert.strictEqual((yield* ask(plane, "GET", "work-items/TRAILS-1/")).status, 200)
      const { text } = yield* ask(plane, "GET", `${project(plane)}/?fields=identifier`)
      assert.strictEqual(text, `{"identifier":"TRAILS"}`)
    }).pipe(Effect.provide(PlaneSimulator.layerMemory({ rateLimit: "off" }))))
})
