import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Scope, TestClock } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { PlaneSync } from "../../src/sending/PlaneSync.js"
import type { PlaneSimulatorOptions, ProjectOptions } from "../../src/simulator/PlaneSimulator.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
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
    overPlane({ database: join(path, "events.sqlite"), settings: { ORCH_CONFIG: file, ...settings } })
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

const show = Effect.gen(function*() {
  const { left, projects } = yield* PlaneSync
  return { status: yield* status, left: yield* left, projects: (yield* projects).map(({ destination, identifier, misfit }) => ({ identifier, destination, misfit })) }
})

describe("X", () => {
  it.scoped("renamed", () =>
    Effect.gen(function*() {
      const program = yield* programs
      const plane = yield* PlaneSimulator
      const known = yield* plane.addWorkItem({ name: "Trail map" })
      const unknown = yield* plane.addWorkItem({ name: "Login form" })
      yield* program(both)(Effect.gen(function*() {
        yield* publish(known.key, "analysis")
        yield* TestClock.adjust("2 minutes")
        yield* plane.renameProject("NEW")
        yield* publish(known.key, "done")
        yield* publish(unknown.key, "done")
        yield* TestClock.adjust("10 minutes")
        console.log(JSON.stringify(yield* show, null, 1))
      }))
      yield* program({ APP: both.APP, NEW: both.ET })(Effect.gen(function*() {
        yield* TestClock.adjust("5 minutes")
        console.log(JSON.stringify(yield* show, null, 1))
        console.log(yield* commentsOf(known.id), yield* commentsOf(unknown.id))
        console.log((yield* (yield* Outbox).deadLetters({ limit: 5 })).map(({ reason }) => reason))
        yield* publish(known.key, "analysis")
        yield* TestClock.adjust("5 minutes")
        console.log(yield* commentsOf(known.id), yield* commentsOf(unknown.id))
      }))
    }).pipe(planeWith({ furtherProjects: [app] })))

  it.scoped("anew", () =>
    Effect.gen(function*() {
      const program = yield* programs
      let key = ""
      yield* Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const known = yield* plane.addWorkItem({ name: "Trail map" })
        key = known.key
        yield* publish(known.key, "analysis")
        yield* TestClock.adjust("2 minutes")
        yield* plane.misbehave({ _tag: "Down" })
        yield* publish(known.key, "done")
        yield* TestClock.adjust("10 minutes")
        console.log(JSON.stringify(yield* show, null, 1))
      }).pipe(program({ APP: both.APP }), planeWith({ project: app }))
      yield* Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const again = yield* plane.addWorkItem({ name: "Trail map" })
        assert.strictEqual(again.key, key)
        yield* TestClock.adjust("5 minutes")
        console.log(JSON.stringify(yield* show, null, 1))
        console.log(yield* commentsOf(again.id), (yield* (yield* Outbox).deadLetters({ limit: 5 })).map(({ reason }) => reason))
        yield* publish(key, "analysis")
        yield* TestClock.adjust("5 minutes")
        console.log(JSON.stringify(yield* show, null, 1))
        console.log(yield* commentsOf(again.id), (yield* (yield* Outbox).deadLetters({ limit: 5 })).map(({ reason }) => reason))
      }).pipe(program({ APP: both.APP }), planeWith({ project: { ...app, id: "99999999-0000-4000-8000-000000000002" } }))
    }))
})
