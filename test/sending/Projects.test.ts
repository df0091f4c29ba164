import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Option, TestClock } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ItemId } from "../../src/domain/Ids.js"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { WorkItemLook } from "../../src/domain/WorkItemLook.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { launchLookLayer } from "../../src/sending/LaunchLook.js"
import { PlaneSync } from "../../src/sending/PlaneSync.js"
import type { PlaneSimulatorOptions, ProjectOptions } from "../../src/simulator/PlaneSimulator.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { overPlane } from "./Pipeline.js"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "plane-sync-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** The pipeline with these projects, and its file of events, which another one may go on with. */
const programs = Effect.map(folder, (path) => (projects: object, settings: Readonly<Record<string, string>> = {}) => {
  const file = join(path, "plane-sync.json")
  writeFileSync(file, JSON.stringify({ projects }))
  return Effect.provide(
    overPlane({
      database: join(path, "events.sqlite"),
      settings: { ORCH_CONFIG: file, ORCH_PLANE_QUIET: "1 second", ...settings }
    })
  )
})

const app: ProjectOptions = {
  id: "99999999-0000-4000-8000-000000000001",
  identifier: "APP",
  name: "App",
  states: [
    { id: "99999999-0000-4000-8000-0000000000a1", name: "Ideas", group: "unstarted" },
    { id: "99999999-0000-4000-8000-0000000000a2", name: "Doing", group: "started" },
    { id: "99999999-0000-4000-8000-0000000000a3", name: "Shipped", group: "completed" }
  ]
}

const both = {
  ET: { stages: { analysis: "In Progress", done: "Done" } },
  APP: { stages: { analysis: "Doing", done: "Shipped" } }
}

const planeWith = (options: PlaneSimulatorOptions = {}) => Effect.provide(PlaneSimulator.layerMemory(options))

const publish = (workItem: string, to: string) =>
  Effect.flatMap(StageEvents, (events) => events.publish(StageEvent.StageChanged({ workItem, from: "before", to })))

const status = Effect.flatMap(Outbox, (outbox) => outbox.status)

const stateOf = (id: string) =>
  Effect.map(Effect.flatMap(PlaneSimulator, (plane) => plane.workItem(id)), ({ state }) => state.name)

const commentsOf = (id: string) =>
  Effect.map(
    Effect.flatMap(PlaneSimulator, (plane) => plane.comments(id)),
    (comments) => comments.map(({ html }) => html.replace(/<[^>]*>/g, ""))
  )

const lettersOf = Effect.map(
  Effect.flatMap(Outbox, (outbox) => outbox.deadLetters({ limit: 9 })),
  (letters) => letters.map(({ kind, reason }) => `${kind}: ${reason}`)
)

const statusOf = (identifier: string) =>
  Effect.map(
    Effect.flatMap(PlaneSync, ({ projects }) => projects),
    (all) => all.find((one) => one.identifier === identifier)
  )

/** Why nothing is sent to a project. */
const closedFor = (identifier: string) =>
  Effect.map(statusOf(identifier), (found) => found?.destination.open === false ? found.destination.reason : undefined)

const left = Effect.flatMap(PlaneSync, (plane) => plane.left)

describe("a project that is set by its identifier", () => {
  it.scoped("renamed in Plane, it waits for the file; then what it was owed goes on, also by keys of before", () =>
    Effect.gen(function*() {
      const program = yield* programs
      const plane = yield* PlaneSimulator
      const known = yield* plane.addWorkItem({ name: "Trail map" })
      const unknown = yield* plane.addWorkItem({ name: "Login form" })
      yield* program(both)(Effect.gen(function*() {
        yield* publish(known.key, "analysis")
        yield* TestClock.adjust("5 seconds")
        yield* plane.renameProject("NEW")
        yield* publish(unknown.key, "done")
        yield* TestClock.adjust("3 seconds")
        yield* publish(known.key, "done")
        assert.match(
          (yield* closedFor("ET")) ?? "",
          /^the project's identifier is NEW, and not ET: set projects.ET in /
        )
      }))
      yield* program({ APP: both.APP, NEW: both.ET })(Effect.gen(function*() {
        yield* TestClock.adjust("5 seconds")
        assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 3 })
        assert.deepStrictEqual(yield* commentsOf(unknown.id), ["🔄 Stage: before → done"])
        assert.lengthOf(yield* commentsOf(known.id), 2)
        assert.deepStrictEqual(yield* left, [])
        // Its agent's work item is looked at where it is, whatever its task's key begins with.
        const looked = Effect.flatMap(
          WorkItemLook,
          ({ look }) => look({ itemId: Option.some(ItemId(known.id)), workItem: known.key })
        )
        assert.strictEqual((yield* Effect.provide(looked, launchLookLayer))._tag, "Expected")
      }))
    }).pipe(planeWith({ furtherProjects: [app] })))

  it.scoped("made anew, its keys are those of new work items; what the old ones were owed are dead letters", () =>
    Effect.gen(function*() {
      const program = (yield* programs)({ APP: both.APP })
      const before = yield* Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const { key } = yield* plane.addWorkItem({ name: "Trail map" })
        yield* publish(key, "analysis")
        yield* TestClock.adjust("3 seconds")
        yield* plane.misbehave({ _tag: "Down" })
        yield* publish(key, "done")
        yield* TestClock.adjust("1 seconds")
        return key
      }).pipe(program, planeWith({ project: app }))
      yield* Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const { id, key } = yield* plane.addWorkItem({ name: "Another map" })
        assert.strictEqual(key, before)
        yield* TestClock.adjust("5 seconds")
        const gone = "the work item was deleted or archived in Plane"
        assert.deepStrictEqual(yield* lettersOf, [`comment: ${gone}`, `state: ${gone}`])
        yield* publish(key, "analysis")
        yield* TestClock.adjust("3 seconds")
        assert.deepStrictEqual(yield* commentsOf(id), ["🔄 Stage: before → analysis"])
        assert.strictEqual(yield* stateOf(id), "Doing")
      }).pipe(program, planeWith({ project: { ...app, id: "99999999-0000-4000-8000-000000000002" } }))
    }))

  it.scoped("taken out of the file, what its work items are owed waits, and is told of", () =>
    Effect.gen(function*() {
      const program = yield* programs
      const plane = yield* PlaneSimulator
      const page = yield* plane.addWorkItem({ name: "Page", projectId: app.id })
      yield* program(both)(Effect.zipRight(publish(page.key, "analysis"), TestClock.adjust("3 seconds")))
      yield* program({ ET: both.ET })(Effect.gen(function*() {
        yield* TestClock.adjust("2 seconds")
        assert.deepStrictEqual(yield* left, [])
        yield* publish(page.key, "done")
        yield* TestClock.adjust("2 seconds")
        assert.match((yield* left).join(), /^1 work item of the project APP waits to be told, and no setting names/)
      }))
      yield* program(both)(TestClock.adjust("3 seconds"))
      assert.lengthOf(yield* commentsOf(page.id), 2)
    }).pipe(planeWith({ furtherProjects: [app] })))
})

describe("texts", () => {
  it.scoped("changed between a refused comment, which Plane has all the same, and its parts: it is not told twice", () =>
    Effect.gen(function*() {
      const program = yield* programs
      const saying = (stageChanged: string) => program({ APP: { ...both.APP, texts: { stageChanged } } })
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Page" })
      const match = { method: "POST", kind: "comments" } as const
      yield* plane.misbehave(Fault.Status({ status: 400, match, count: 1 }))
      yield* plane.misbehave(Fault.Status({ status: 400, when: "after", match, count: 1 }))
      yield* Effect.gen(function*() {
        yield* publish(key, "analysis")
        yield* publish(key, "done")
        yield* TestClock.adjust("1500 millis")
      }).pipe(saying("Now at {to}"))
      yield* Effect.gen(function*() {
        yield* TestClock.adjust("5 seconds")
        assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 2 })
        console.log(
          yield* commentsOf(id),
          (yield* plane.requests).map(({ method, status, at }) => [method, status, at].join(" "))
        )
        assert.lengthOf(yield* commentsOf(id), 1)
      }).pipe(saying("{to} was entered"))
    }).pipe(planeWith({ project: app })))
})

describe("states by their names", () => {
  const doing = "99999999-0000-4000-8000-0000000000a2"
  const shipped = "99999999-0000-4000-8000-0000000000a3"

  it.scoped("renamed in Plane, the state is set until the next comparison, which names what does not fit", () =>
    Effect.gen(function*() {
      const program = (yield* programs)({ APP: both.APP })
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Page" })
      yield* Effect.gen(function*() {
        yield* TestClock.adjust("1 seconds")
        yield* plane.changeState(doing, { name: "Working" })
        yield* publish(key, "analysis")
        yield* TestClock.adjust("3 seconds")
        assert.strictEqual(yield* stateOf(id), "Working")
      }).pipe(program)
      yield* plane.changeState(shipped, { name: "Live" })
      yield* Effect.gen(function*() {
        yield* publish(key, "done")
        yield* TestClock.adjust("3 seconds")
        assert.match(
          Option.getOrThrow(Option.flatMap(Option.fromNullable(yield* statusOf("APP")), ({ misfit }) => misfit)),
          /does not fit: the project APP has no state "Doing" \(stage "analysis"\), "Shipped" \(stage "done"\)/
        )
        assert.lengthOf(yield* commentsOf(id), 2)
        assert.deepInclude(yield* status, { pending: 1, dead: 0 })
        yield* plane.changeState(shipped, { name: "Shipped" })
        yield* plane.changeState(doing, { name: "Doing" })
      }).pipe(program)
      yield* program(TestClock.adjust("1 minute"))
      assert.strictEqual(yield* stateOf(id), "Shipped")
    }).pipe(planeWith({ project: app })))

  it.scoped("deleted and made anew under the same name, the new one is set", () =>
    Effect.gen(function*() {
      const program = (yield* programs)({ APP: { stages: { analysis: "Doing" } } })
      yield* Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const { id, key } = yield* plane.addWorkItem({ name: "Page" })
        yield* TestClock.adjust("1 seconds")
        yield* plane.removeState(doing)
        yield* plane.changeState(shipped, { name: "Doing" })
        yield* publish(key, "analysis")
        yield* TestClock.adjust("3 seconds")
        assert.deepStrictEqual((yield* plane.stateChanges(id)).map(({ to }) => to.id), [shipped])
        assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 1 })
      }).pipe(program)
    }).pipe(planeWith({ project: app })))
})

describe("the budget", () => {
  /** When each project's comment came, in seconds. */
  const told = (apiToken: object) =>
    Effect.gen(function*() {
      const program = yield* programs
      return yield* Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const trails = yield* Effect.replicateEffect(plane.addWorkItem({ name: "Trail map" }), 3)
        const page = yield* plane.addWorkItem({ name: "Page", projectId: app.id })
        yield* TestClock.adjust("2 seconds")
        yield* Effect.forEach(trails, ({ key }) => publish(key, "analysis"))
        yield* TestClock.adjust("2 seconds")
        yield* publish(page.key, "analysis")
        yield* TestClock.adjust("3 seconds")
        const soon = yield* commentsOf(page.id)
        yield* TestClock.adjust("1 minute")
        assert.isFalse((yield* plane.requests).some(({ status }) => status === 429))
        return { soon: soon.length, then: (yield* commentsOf(page.id)).length }
      }).pipe(
        program({ ...both, APP: { ...both.APP, ...apiToken } }, {
          ORCH_PLANE_RATE_LIMIT: "12/minute",
          APP_TOKEN: "plane_api_simulator_owner_41d7b3c9e6f0"
        })
      )
    }).pipe(planeWith({ furtherProjects: [app], rateLimit: { limit: 12, windowMillis: 60_000 } }))

  it.scoped("is the key's: a second project waits for what the first has used of it", () =>
    Effect.map(told({}), (all) => assert.deepStrictEqual(all, { soon: 0, then: 1 })))

  it.scoped("is the key's: with a key of its own a project waits for no other", () =>
    Effect.map(told({ apiToken: "APP_TOKEN" }), (all) => assert.deepStrictEqual(all, { soon: 1, then: 1 })))
})

describe("two workspaces", () => {
  it.scoped("in one process: each project is looked for, and written to, in its own", () =>
    Effect.gen(function*() {
      const program = yield* programs
      const acme = yield* Layer.build(Layer.fresh(PlaneSimulator.layerMemory({ workspace: "acme", project: app })))
      const ours = yield* Layer.build(Layer.fresh(PlaneSimulator.layerMemory()))
      const [theirPlane, ourPlane] = [Context.get(acme, PlaneSimulator), Context.get(ours, PlaneSimulator)]
      const client = HttpClient.make((request, url) =>
        Context.get(url.pathname.includes("/workspaces/acme/") ? acme : ours, HttpClient.HttpClient).execute(request)
      )
      const page = yield* theirPlane.addWorkItem({ name: "Page" })
      const trail = yield* ourPlane.addWorkItem({ name: "Trail map" })
      yield* Effect.gen(function*() {
        yield* publish(page.key, "analysis")
        yield* publish(trail.key, "done")
        yield* TestClock.adjust("3 seconds")
        assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 2 })
        assert.strictEqual((yield* theirPlane.workItem(page.id)).state.name, "Doing")
        assert.strictEqual((yield* ourPlane.workItem(trail.id)).state.name, "Done")
        for (const plane of [theirPlane, ourPlane]) {
          assert.isTrue((yield* plane.requests).every(({ path }) => path.includes(`/workspaces/${plane.workspace}/`)))
        }
      }).pipe(
        program({ ...both, APP: { ...both.APP, workspace: "acme" } }),
        Effect.provideService(PlaneSimulator, ourPlane),
        Effect.provideService(HttpClient.HttpClient, client)
      )
    }))
})
