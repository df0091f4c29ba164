import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import type { Duration, Scope } from "effect"
import { Effect, Layer, Logger, TestClock } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { NormalizedKey } from "../../src/domain/WorkItemKey.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { Storage } from "../../src/StorageLayers.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { overPlane, projectStatus } from "../sending/Pipeline.js"
import { planeHooks } from "../support/PlaneHooks.js"

/**
 * The pipeline, its tasks and Plane's hooks under the TestClock. A hook takes `late` on its way; Plane takes `saving`
 * from reading a row to saving all of it.
 */
const scene = ({ late, saving = 0, settings = {} }: {
  readonly late?: (field: string) => Duration.DurationInput
  readonly saving?: Duration.DurationInput
  readonly settings?: Readonly<Record<string, string>>
} = {}) => {
  const hooks = planeHooks(late)
  return hooks.layer.pipe(
    Layer.provideMerge(overPlane({ settings })),
    Layer.provideMerge(PlaneSimulator.layerMemory({ saving, webhook: hooks.webhook }))
  )
}

const changed = (workItem: string, from: string, to: string) =>
  Effect.flatMap(StageEvents, (events) => events.publish(StageEvent.StageChanged({ workItem, from, to })))

const stateName = (id: string) =>
  Effect.flatMap(PlaneSimulator, (plane) => Effect.map(plane.workItem(id), ({ state }) => state.name))

/** What Plane was asked about the work item since, comments apart. */
const asked = Effect.flatMap(
  PlaneSimulator,
  (plane) =>
    Effect.map(
      plane.requests,
      (all) =>
        all.filter(({ kind }) => kind === "item" || kind === "activities").map(({ kind, method }) =>
          `${method} ${kind}`
        )
    )
)

const reasons = (key: string) =>
  Effect.flatMap(Outbox, (outbox) =>
    Effect.map(
      outbox.workItem(NormalizedKey(key), 10),
      (row) => row?.deliveries.filter(({ kind }) => kind === "state").map(({ reason }) => reason).toReversed()
    ))

/** A work item that is Todo, of which both sides know, and whose first stage is told. */
const item = Effect.gen(function*() {
  const plane = yield* PlaneSimulator
  const made = yield* plane.addWorkItem({ name: "North climb" })
  yield* changed(made.key, "none", "created")
  yield* TestClock.adjust("1 minutes")
  assert.strictEqual(yield* stateName(made.id), "Todo")
  yield* plane.forgetRequests
  return made
})

/** Our PATCH and a person's change of the name overlap, and the person's is saved `after` ours. */
const undone = (id: string, key: string, after: Duration.DurationInput, to = "analysis") =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    yield* changed(key, "created", to)
    yield* TestClock.adjust("1 millis")
    yield* Effect.fork(Effect.delay(plane.editWorkItem(id, { name: `North climb, ${to}` }), after))
    yield* TestClock.adjust(after)
  })

describe("row 52: another change of the work item at the same moment, because Plane saves whole rows", () => {
  it.effect("row 52 a: the state that a change of the name has undone is set again, once, after one request", () =>
    Effect.gen(function*() {
      const { id, key } = yield* item
      yield* undone(id, key, "5 millis")
      yield* TestClock.adjust("500 millis")
      assert.strictEqual(yield* stateName(id), "Todo")
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(yield* stateName(id), "In Progress")
      assert.deepStrictEqual((yield* asked).slice(-3), ["PATCH item", "GET activities", "PATCH item"])
      assert.deepStrictEqual((yield* reasons(key))?.slice(1), [
        "another change of the work item has undone the state, so it is set again",
        "set again, because another change of the work item had undone it"
      ])
      // The event tells it, too.
      const [event] = yield* (yield* Outbox).events({ workItem: NormalizedKey(key), limit: 1 })
      assert.deepInclude(event, {
        status: "delivered",
        reason: "set again, because another change of the work item had undone it"
      })
      // Never a loop: what comes back once more is left.
      const plane = yield* PlaneSimulator
      yield* Effect.fork(plane.moveWorkItem(id, "Todo"))
      yield* TestClock.adjust("1 minutes")
      assert.strictEqual(yield* stateName(id), "Todo")
      assert.strictEqual((yield* asked).filter((each) => each === "GET activities").length, 1)
    }).pipe(Effect.provide(scene({ saving: "30 millis" }))))

  it.effect("row 52 a: whichever hook comes first, or late, or while our PATCH has no answer yet", () =>
    Effect.gen(function*() {
      for (const after of ["1 millis", "10 millis", "25 millis"] as const) {
        const { id, key } = yield* item
        yield* undone(id, key, after)
        yield* TestClock.adjust("20 seconds")
        assert.strictEqual(yield* stateName(id), "In Progress", after)
      }
    }).pipe(Effect.provide(scene({
      saving: "30 millis",
      late: (field) => field === "state" ? "5 seconds" : "10 millis"
    }))))

  it.effect("row 52 a: a person who has moved it back is left alone, whatever hook comes first", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* stateName(id), "In Progress")
      yield* plane.moveWorkItem(id, "Todo")
      yield* plane.editWorkItem(id, { name: "South climb" })
      yield* TestClock.adjust("1 minutes")
      assert.strictEqual(yield* stateName(id), "Todo")
      assert.strictEqual((yield* asked).filter((each) => each === "GET activities").length, 1)
    }).pipe(Effect.provide(scene({ late: (field) => field === "state_id" ? "5 seconds" : "10 millis" }))))

  it.effect("row 52 a: nothing is set again after 10 s, and a Plane without activities tells nothing", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("11 seconds")
      yield* Effect.fork(
        Effect.zipRight(plane.moveWorkItem(id, "Todo"), plane.editWorkItem(id, { name: "South climb" }))
      )
      yield* TestClock.adjust("1 minutes")
      assert.strictEqual(yield* stateName(id), "Todo")
      assert.notInclude(yield* asked, "GET activities")
      yield* plane.misbehave(Fault.Status({ status: 404, html: true, match: { kind: "activities" } }))
      yield* changed(key, "analysis", "done")
      yield* TestClock.adjust("1 minutes")
      yield* undone(id, key, "5 millis", "review")
      yield* TestClock.adjust("2 minutes")
      assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 0 })
    }).pipe(Effect.provide(scene({ saving: "30 millis", late: (field) => field === "state_id" ? "5 seconds" : 0 }))))
})

describe("row 52: a person's move that a state of ours has undone", () => {
  const cases = [["Cancelled", "stopped"], ["Done", "done"]] as const

  /** A task whose stage goes on while a person ends it: our PATCH is saved after theirs, and their hook comes later. */
  const overtaken = (to: string, saved: "before" | "during") =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const tasks = yield* TaskStore
      const { id, key } = yield* item
      yield* tasks.start({ workItem: key })
      yield* TestClock.adjust("5 seconds")
      yield* changed(key, "created", "testing")
      if (saved === "before") {
        // Our last look is fresh, so none comes before the PATCH.
        yield* Effect.fork(plane.moveWorkItem(id, to))
        yield* TestClock.adjust("40 millis")
      } else {
        yield* TestClock.adjust("10 millis")
        yield* Effect.fork(plane.moveWorkItem(id, to))
        yield* TestClock.adjust("40 millis")
      }
      return { id, key }
    })

  for (const [to, status] of cases) {
    it.effect(`row 52 b: to ${to}: is set again, once, and the task has heard of it`, () =>
      Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const tasks = yield* TaskStore
        const { id, key } = yield* item
        yield* tasks.start({ workItem: key })
        yield* changed(key, "created", "analysis")
        yield* TestClock.adjust("5 seconds")
        yield* plane.moveWorkItem(id, to)
        // Before its hook comes. What was read 5 s ago is relied on.
        yield* changed(key, "analysis", to === "Done" ? "created" : "done")
        yield* TestClock.adjust("200 millis")
        assert.strictEqual(yield* stateName(id), to === "Done" ? "Todo" : "Done")
        yield* plane.forgetRequests
        yield* TestClock.adjust("1 minutes")
        assert.strictEqual(yield* stateName(id), to)
        assert.deepStrictEqual(yield* asked, ["GET activities", "PATCH item"])
        assert.strictEqual((yield* tasks.get(key)).status, status)
        assert.include((yield* reasons(key)) ?? [], "a person's move that a state had undone was set again")
        // It stands: what is published after it changes nothing. To end a task is no cancel of the work item.
        yield* changed(key, "done", "review")
        yield* TestClock.adjust("1 minutes")
        if (to === "Cancelled") assert.strictEqual(yield* stateName(id), to)
      }).pipe(Effect.provide(scene({ late: () => "3 seconds" }))))
  }

  it.effect("row 52 b: not with force, and not a move between started states or to one that was left again", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("5 seconds")
      yield* plane.moveWorkItem(id, "Todo")
      yield* changed(key, "analysis", "done")
      yield* TestClock.adjust("1 minutes")
      assert.strictEqual(yield* stateName(id), "Done")
      assert.notInclude(yield* asked, "GET activities")
      // Cancelled and taken back at once: the last move is no cancel.
      const other = yield* item
      yield* changed(other.key, "created", "analysis")
      yield* TestClock.adjust("5 seconds")
      yield* plane.moveWorkItem(other.id, "Cancelled")
      yield* plane.moveWorkItem(other.id, "In Progress")
      yield* changed(other.key, "analysis", "done")
      yield* TestClock.adjust("1 minutes")
      assert.strictEqual(yield* stateName(other.id), "Done")
    }).pipe(Effect.provide(scene({ late: () => "3 seconds" }))))

  it.effect("row 52 b: with force nothing is asked and nothing set again", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("5 seconds")
      yield* plane.moveWorkItem(id, "Cancelled")
      yield* changed(key, "analysis", "done")
      yield* TestClock.adjust("1 minutes")
      assert.strictEqual(yield* stateName(id), "Done")
      assert.notInclude(yield* asked, "GET activities")
    }).pipe(Effect.provide(scene({ late: () => "3 seconds", settings: { ORCH_PLANE_ON_CONFLICT: "force" } }))))

  it.effect("row 52 b: a cancel that is saved while our PATCH is under way, its hook first or last", () =>
    Effect.gen(function*() {
      for (const saved of ["before", "during"] as const) {
        const { id } = yield* overtaken("Cancelled", saved)
        yield* TestClock.adjust("1 minutes")
        assert.strictEqual(yield* stateName(id), "Cancelled", saved)
      }
    }).pipe(Effect.provide(scene({ saving: "30 millis", late: () => "5 millis" }))))
})

describe("row 52: a program that ends in between", () => {
  it.effect("row 52: checks after its next start what was in doubt, and sets it again", () =>
    Effect.gen(function*() {
      const directory = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "whole-rows-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      for (const way of ["lost", "undone"] as const) {
        const hooks = planeHooks(() => way === "lost" ? 0 : "3 seconds")
        const plane = PlaneSimulator.layerMemory({ saving: "30 millis", webhook: hooks.webhook })
        const program = <A, E>(run: Effect.Effect<A, E, Layer.Layer.Success<ReturnType<typeof scene>> | Scope.Scope>) =>
          Effect.scoped(run).pipe(
            Effect.provide(hooks.layer.pipe(
              Layer.provideMerge(overPlane({ database: `${directory}/${way}.sqlite` }))
            ))
          )
        yield* Effect.gen(function*() {
          const simulator = yield* PlaneSimulator
          const { id } = yield* program(Effect.gen(function*() {
            const { id, key } = yield* item
            if (way === "lost") {
              yield* undone(id, key, "5 millis")
              yield* TestClock.adjust("500 millis")
              assert.strictEqual(yield* stateName(id), "Todo")
            } else {
              yield* changed(key, "created", "analysis")
              yield* TestClock.adjust("5 seconds")
              yield* Effect.fork(simulator.moveWorkItem(id, "Cancelled"))
              yield* TestClock.adjust("50 millis")
              yield* changed(key, "analysis", "done")
              yield* TestClock.adjust("3500 millis")
              assert.strictEqual(yield* stateName(id), "Done")
            }
            assert.notInclude(yield* asked, "GET activities")
            return { id }
          }))
          yield* program(TestClock.adjust("2 minutes"))
          assert.strictEqual(yield* stateName(id), way === "lost" ? "In Progress" : "Cancelled")
          assert.lengthOf((yield* asked).filter((each) => each === "GET activities"), 1)
        }).pipe(Effect.provide(plane))
      }
    }).pipe(Effect.scoped))
})

describe("row 52: a person's change of the work item", () => {
  it.effect("row 52 c: no state is set in the second after its hook, and the wait is told", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* plane.editWorkItem(id, { name: "South climb" })
      yield* TestClock.adjust("100 millis")
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("700 millis")
      assert.strictEqual(yield* stateName(id), "Todo")
      const [event] = yield* (yield* Outbox).events({ workItem: NormalizedKey(key), limit: 1 })
      assert.strictEqual(event?.reason, "a person has changed the work item within the last second")
      yield* TestClock.adjust("700 millis")
      assert.strictEqual(yield* stateName(id), "In Progress")
    }).pipe(Effect.provide(scene())))

  it.effect("row 52 c: one change after the other keeps a state waiting for 30 s at most", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* plane.editWorkItem(id, { name: "0" })
      yield* TestClock.adjust("100 millis")
      yield* changed(key, "created", "analysis")
      for (let n = 1; n <= 35; n++) {
        assert.strictEqual(yield* stateName(id), n < 32 ? "Todo" : yield* stateName(id))
        yield* plane.editWorkItem(id, { name: `${n}` })
        yield* TestClock.adjust("900 millis")
      }
      assert.strictEqual(yield* stateName(id), "In Progress")
    }).pipe(Effect.provide(scene())))
})

describe("row 53: a comment that Plane executes twice", () => {
  const doubled = (id: string, key: string) =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      // Slower than the quiet time of 30 s: the second attempt is executed first.
      const late = Fault.ApplyLate({ afterMillis: 50_000, count: 1, match: { kind: "comments", method: "POST" } })
      yield* plane.misbehave(late)
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("55 seconds")
      assert.lengthOf(yield* plane.comments(id), 3)
    })

  /** Somebody else edits a comment, by the API. */
  const editedByOwner = (id: string, comment: string) =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const client = yield* HttpClient.HttpClient
      const path = `/api/v1/workspaces/${plane.workspace}/projects/${plane.project.id}/work-items/${id}/comments/`
      yield* HttpClientRequest.patch(`${plane.url}${path}${comment}/`).pipe(
        HttpClientRequest.setHeader("x-api-key", plane.tokens.owner),
        HttpClientRequest.bodyUnsafeJson({ comment_html: "<p>mine</p>" }),
        client.execute,
        Effect.flatMap(({ text }) => text)
      )
    })

  it.effect("row 53: the one whose id is not stored is deleted, after one request", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { sql } = yield* Storage
      const { id, key } = yield* item
      yield* doubled(id, key)
      yield* plane.forgetRequests
      yield* TestClock.adjust("2 minutes")
      const [row] = yield* sql<{ planeId: string }>`SELECT plane_id AS "planeId" FROM plane_sync_delivery
        WHERE kind = 'comment' ORDER BY id DESC LIMIT 1`
      assert.deepStrictEqual((yield* plane.comments(id)).slice(1).map((each) => each.id), [row?.planeId ?? ""])
      const requests = (yield* plane.requests).map(({ kind, method }) => `${method} ${kind}`)
      assert.deepStrictEqual(requests, ["GET comments", "DELETE comment"])
      const [last] = (yield* (yield* Outbox).workItem(NormalizedKey(key), 1))?.deliveries ?? []
      assert.strictEqual(last?.reason, "Plane had executed it twice, and the second comment is deleted")
    }).pipe(Effect.provide(scene({ settings: { ORCH_PLANE_TIMEOUT: "10 seconds" } }))))

  it.effect("row 53: nor do two attempts without an answer leave two, where the third is told that it is there", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* plane.misbehave(
        Fault.ApplyLate({ afterMillis: 50_000, count: 2, match: { kind: "comments", method: "POST" } })
      )
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("100 seconds")
      assert.lengthOf(yield* plane.comments(id), 3)
      yield* TestClock.adjust("2 minutes")
      assert.lengthOf(yield* plane.comments(id), 2)
      assert.strictEqual((yield* plane.requests).filter(({ method }) => method === "DELETE").length, 1)
    }).pipe(Effect.provide(scene({ settings: { ORCH_PLANE_TIMEOUT: "10 seconds" } }))))

  it.effect("row 53: where it may not be deleted, it stays, and nothing else waits for that", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* doubled(id, key)
      yield* plane.misbehave(
        Fault.Status({
          status: 403,
          body: "{\"detail\":\"You do not have permission to perform this action.\"}",
          match: { method: "DELETE" }
        })
      )
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual((yield* plane.requests).filter(({ method }) => method === "DELETE").length, 1)
      assert.isTrue((yield* projectStatus).destination.open)
    }).pipe(Effect.provide(scene({ settings: { ORCH_PLANE_TIMEOUT: "10 seconds" } }))))

  it.effect("row 53: both stay where a person has edited one, which is said once; a single one is left alone", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ message }) => void lines.push(String(message)))
    return Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* doubled(id, key)
      const [, , second] = yield* plane.comments(id)
      yield* editedByOwner(id, second?.id ?? "")
      yield* TestClock.adjust("10 minutes")
      assert.lengthOf(yield* plane.comments(id), 3)
      assert.lengthOf(lines.filter((line) => line.includes("both stay")), 1)
      const single = yield* item
      const lost = Fault.Reset({ when: "before", count: 1, match: { kind: "comments", method: "POST" } })
      yield* plane.misbehave(lost)
      yield* changed(single.key, "created", "analysis")
      yield* TestClock.adjust("10 minutes")
      assert.lengthOf(yield* plane.comments(single.id), 2)
    }).pipe(Effect.provide(Layer.provideMerge(scene(), Logger.replace(Logger.defaultLogger, logger))))
  })
})
