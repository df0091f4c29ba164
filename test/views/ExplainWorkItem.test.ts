import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, FastCheck as fc, Layer, TestClock } from "effect"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { WorkItemKey } from "../../src/domain/WorkItemKey.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { TaskPullRequests } from "../../src/gitea/TaskPullRequests.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Storage } from "../../src/StorageLayers.js"
import { Pipeline } from "../../src/tasks/Pipeline.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { ExplainWorkItem } from "../../src/views/ExplainWorkItem.js"
import { folder } from "../http/Server.js"
import { overPlane, received, settingsFor } from "../sending/Pipeline.js"
import { immediateDisk } from "../support/ImmediateDisk.js"

/** What reads the file, and publishes to it, while nobody sends. */
const beside = (database: string) =>
  Layer.mergeAll(ExplainWorkItem.layer, StageEvents.layer).pipe(
    Layer.provide(TaskPullRequests.layer),
    Layer.provide(TaskStore.layer),
    Layer.provide([Pipeline.layerDefault, projectsLayer, WakeUps.layerPolling("1 days")]),
    Layer.provideMerge(Outbox.layer),
    Layer.provide(Layer.provide(Storage.layerFile(database), immediateDisk)),
    Layer.provide(settingsFor({}))
  )

const explained = (key: string) =>
  Effect.gen(function*() {
    const { explain } = yield* ExplainWorkItem
    return yield* explain(
      yield* Effect.orDieWith(WorkItemKey.parse(key), (why) => new Error(why)),
      200,
      () => undefined
    )
  })

const publish = (event: StageEvent) => Effect.flatMap(StageEvents, (events) => events.publish(event))

/** What Plane was asked to write since, as explain names it. */
const written = Effect.map(
  received,
  (requests) =>
    requests.filter(({ method }) => method !== "GET").map(({ body, method }) => {
      const { comment_html, external_id, state } = JSON.parse(body) as Readonly<Record<string, string>>
      return method === "PATCH" && state !== undefined
        ? { kind: "state", body: state, externalId: null }
        : { kind: method === "PATCH" ? "recount" : "comment", body: comment_html, externalId: external_id ?? null }
    })
)

const stages = ["analysis", "architecture", "development", "nowhere"]
const change = fc.record({ from: fc.constantFrom(...stages), to: fc.constantFrom(...stages) }).map(
  (changed) => (workItem: string) => StageEvent.StageChanged({ workItem, ...changed })
)
const failure = fc.record({ check: fc.constantFrom("lint", "tests"), reason: fc.constantFrom("two errors", "71 %") })
  .map((failed) => (workItem: string) => StageEvent.QualityGateFailed({ workItem, stage: "review", ...failed }))
const done = fc.constant((workItem: string) => StageEvent.TaskCompleted({ workItem }))
const history = fc.array(fc.oneof(change, failure, done), { minLength: 1, maxLength: 5 })

describe("what is next", () => {
  it.scoped("is what is sent next, whatever was told before and is owed now", () =>
    Effect.gen(function*() {
      for (const [before, now] of fc.sample(fc.tuple(history, history), { numRuns: 10, seed: 16 })) {
        yield* Effect.gen(function*() {
          const plane = yield* PlaneSimulator
          const database = `${yield* folder}/events.sqlite`
          const { key } = yield* plane.addWorkItem({ name: "Trail map" })
          yield* Effect.gen(function*() {
            yield* Effect.forEach(before, (event) => publish(event(key)))
            yield* TestClock.adjust("2 seconds")
          }).pipe(Effect.provide(overPlane({ database })))
          const { next } = yield* Effect.gen(function*() {
            yield* Effect.forEach(now, (event) => publish(event(key)))
            return yield* explained(key)
          }).pipe(Effect.provide(beside(database)))
          yield* plane.forgetRequests
          const ahead = (next.at?.epochMillis ?? 0) - (yield* Clock.currentTimeMillis)
          yield* TestClock.adjust(Math.max(0, ahead) + 1_000).pipe(Effect.provide(overPlane({ database })))
          const [first] = yield* written
          assert.deepStrictEqual(next.request, { ...first, attempt: 1 }, JSON.stringify(next))
        }).pipe(Effect.provide(PlaneSimulator.layerMemory()))
      }
    }))

  it.scoped("of a request that failed is the same again, at the moment that is named", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const database = `${yield* folder}/events.sqlite`
      const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
      yield* Effect.gen(function*() {
        yield* plane.misbehave(Fault.ApplyLate({ match: { method: "POST" }, count: 1, afterMillis: 60_000 }))
        yield* publish(StageEvent.QualityGateFailed({ workItem: key, stage: "review", check: "lint", reason: "two" }))
        yield* TestClock.adjust("15 seconds")
        const item = yield* explained(key).pipe(Effect.provide(beside(database)))
        assert.deepInclude(item.next, { what: "comment" })
        assert.strictEqual(item.next.request?.attempt, 2)
        assert.include(item.next.waits[0], "quiet time")
        const [request] = item.story.filter(({ kind }) => kind === "request")
        assert.deepInclude(request, { attempt: 1, answer: null })
        yield* plane.forgetRequests
        const at = item.next.at?.epochMillis ?? 0
        yield* TestClock.adjust(at - 15_000 - 1)
        assert.deepStrictEqual(yield* written, [])
        yield* TestClock.adjust(1)
        assert.strictEqual((yield* written)[0]?.body, item.next.request?.body)
      }).pipe(Effect.provide(overPlane({ database })))
      assert.lengthOf(yield* plane.comments(id), 1)
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())))

  it.scoped("of a gate that fails again is the count, at the moment when it may be brought up to date", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const database = `${yield* folder}/events.sqlite`
      const { key } = yield* plane.addWorkItem({ name: "Trail map" })
      const fail = publish(
        StageEvent.QualityGateFailed({ workItem: key, stage: "review", check: "lint", reason: "two" })
      )
      yield* Effect.gen(function*() {
        for (let times = 0; times < 3; times++) {
          yield* fail
          yield* TestClock.adjust("10 seconds")
        }
        const { next } = yield* explained(key).pipe(Effect.provide(beside(database)))
        assert.strictEqual(next.what, "recount")
        assert.strictEqual(next.at?.epochMillis, 610_000)
        yield* plane.forgetRequests
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual((yield* written).map(({ body }) => body), [next.request?.body])
      }).pipe(Effect.provide(overPlane({ database })))
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())))
})

describe("the story", () => {
  it.scoped("has what was joined, skipped, refused, looked for and buried, with each answer", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const database = `${yield* folder}/events.sqlite`
      const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
      yield* Effect.gen(function*() {
        yield* publish(StageEvent.StageChanged({ workItem: key, from: "created", to: "analysis" }))
        yield* TestClock.adjust("1 seconds")
        yield* plane.misbehave(Fault.Status({ match: { method: "POST", workItem: id }, count: 8, status: 500 }))
        yield* publish(
          StageEvent.QualityGateFailed({ workItem: key, stage: "review", check: "lint", reason: "poison" })
        )
        yield* TestClock.adjust("10 minutes")
        yield* publish(StageEvent.StageChanged({ workItem: "ET-77", from: "created", to: "analysis" }))
        yield* TestClock.adjust("1 minutes")
        const { next, story } = yield* explained(key).pipe(Effect.provide(beside(database)))
        assert.strictEqual(next.what, "nothing")
        const requests = story.filter(({ kind }) => kind === "request")
        assert.deepStrictEqual(
          requests.map(({ answer, attempt }) => [attempt, answer]),
          [[1, 200], [1, null], ...Array.from({ length: 8 }, (_, index) => [index + 1, 500])]
        )
        assert.match(story[0]?.line ?? "", /^event 1: stage created → analysis$/)
        assert.match(story[1]?.line ?? "", /^the state In Progress, attempt 1: accepted$/)
        assert.match(
          story.at(-1)?.line ?? "",
          /^dead letter \d+, the comment "⚠️ QG failed at review: lint — poison": /
        )
        const missing = yield* explained("ET-77").pipe(Effect.provide(beside(database)))
        assert.isAtLeast(missing.story.filter(({ kind }) => kind === "look").length, 2)
        assert.deepInclude(missing.next, { what: "look", line: "a look for ET-77 in Plane" })
      }).pipe(Effect.provide(overPlane({ database })))
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())))
})
