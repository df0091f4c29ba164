import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Schema } from "effect"
import type { WebhookRequest } from "../../src/simulator/PlaneSimulator.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import * as MovableClock from "../support/MovableClock.js"
import { comesTo, post, told } from "./Circle.js"
import { scene } from "./Scene.js"
import { secrets } from "./Sender.js"

/** The program, and a Plane whose hooks are kept back until the test brings them. */
const withKept = Effect.gen(function*() {
  const kept: Array<WebhookRequest> = []
  const send = (request: WebhookRequest) => Effect.as(Effect.sync(() => kept.push(request)), 202)
  const context = yield* Layer.build(
    PlaneSimulator.layer({ webhook: { url: "http://kept.test/", secret: secrets.plane, send } })
  )
  const plane = Context.get(context, PlaneSimulator)
  const at = yield* Effect.provideService(
    scene({ ORCH_PLANE_API_URL: plane.url, ORCH_PLANE_API_TOKEN: plane.token, ORCH_LAUNCHES: "2" }),
    PlaneSimulator,
    plane
  )
  /** Brings what was kept, once as many hooks have come. */
  const bring = (least: number) =>
    Effect.repeat(Effect.zipRight(Effect.sleep("50 millis"), Effect.sync(() => kept.length)), {
      until: (length) => length >= least
    }).pipe(
      Effect.timeout("60 seconds"),
      Effect.zipRight(Effect.suspend(() => Effect.forEach(kept.splice(0), ({ body }) => at.plane(body))))
    )
  const started = Effect.gen(function*() {
    const item = yield* plane.addWorkItem({ name: "North climb", state: "Todo" })
    yield* plane.moveWorkItem(item.id, "In Progress")
    yield* bring(2)
    yield* comesTo(at, item.number, "analysis active")
    yield* told(at)
    return item
  })
  const launches = Effect.map(
    at.sql<{ agent: string; state: string }>`SELECT agent, state FROM plane_sync_launch ORDER BY number`,
    (rows) => rows.map(({ agent, state }) => `${agent} ${state}`)
  )
  const comes = (wanted: ReadonlyArray<string>) =>
    Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), launches), {
      until: (now) => JSON.stringify(now) === JSON.stringify(wanted)
    }).pipe(Effect.timeout("60 seconds"))
  const passed = (key: string, stage: string) =>
    Effect.map(
      post(`${at.url}/api/tasks/${key}/report`, { stage, outcome: "passed" }),
      ({ status }) => assert.strictEqual(status, 200)
    )
  return { at, plane, kept, bring, started, launches, comes, passed }
})

const Launched = Schema.Struct({
  launch: Schema.Struct({ state: Schema.String, position: Schema.NullOr(Schema.Number) })
})

describe("the look before a launch, over real HTTP", () => {
  for (const state of ["Done", "Cancelled", "Backlog", "Todo"]) {
    it.live(
      `row 28: moved to ${state} while no hook came: the next agent is not launched`,
      () =>
        Effect.gen(function*() {
          const { at, comes, launches, passed, plane, started } = yield* withKept
          const item = yield* started
          yield* comes(["analyst working"])
          yield* plane.moveWorkItem(item.id, state)
          yield* passed(item.key, "analysis")
          yield* Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), at.task(item.number)), {
            until: (task) => task?.status !== "active"
          }).pipe(Effect.timeout("60 seconds"))
          assert.isFalse((yield* launches).includes("architect working"))
          yield* told(at)
          assert.isFalse((yield* at.events).some(({ type }) => type === "task_completed"))
        }).pipe(Effect.scoped),
      90_000
    )
  }

  it.live("row 28: archived and deleted are found by it", () =>
    Effect.gen(function*() {
      const { at, comes, passed, plane, started } = yield* withKept
      for (const take of ["archiveWorkItem", "deleteWorkItem"] as const) {
        const item = yield* started
        yield* comes(["analyst working"])
        yield* plane[take](item.id)
        yield* passed(item.key, "analysis")
        yield* comesTo(at, item.number, "architecture stopped")
        yield* comes([])
      }
    }).pipe(Effect.scoped), 90_000)

  it.live(
    "row 28: a silent Plane holds up no launch for longer than 10 s; the hook that comes later stops the agent",
    () =>
      Effect.gen(function*() {
        // Five times as fast: the look waits for 2 s, and its limit has a second to spare.
        const { clock } = MovableClock.make(yield* Effect.clock, 5)
        const { at, bring, comes, passed, plane, started } = yield* Effect.withClock(withKept, clock)
        const item = yield* started
        yield* comes(["analyst working"])
        yield* plane.misbehave(Fault.Silent({}))
        yield* plane.moveWorkItem(item.id, "Cancelled")
        const since = clock.unsafeCurrentTimeMillis()
        yield* passed(item.key, "analysis")
        yield* comes(["architect working"])
        assert.isAtMost(clock.unsafeCurrentTimeMillis() - since, 15_000)
        yield* bring(1)
        yield* comesTo(at, item.number, "architecture stopped")
        yield* comes([])
      }).pipe(Effect.scoped),
    90_000
  )

  it.live(
    "row 34: work items that are imported in a started state wait in order, and are shown",
    () =>
      Effect.gen(function*() {
        const { at, bring, comes, passed, plane } = yield* withKept
        const items = yield* Effect.forEach(
          [1, 2, 3, 4],
          (n) => plane.addWorkItem({ name: `Leg ${n}`, state: "In Progress" })
        )
        yield* bring(4)
        yield* comes(["analyst working", "analyst working", "analyst owed", "analyst owed"])
        const shown = (key: string) =>
          Effect.map(
            Effect.promise(() => fetch(`${at.url}/api/tasks/${key}`).then((answer) => answer.json())),
            (task) => Schema.decodeUnknownSync(Launched)(task).launch
          )
        const [one, , three, four] = items.map(({ key }) => key)
        assert.deepStrictEqual(yield* shown(one ?? ""), { state: "working", position: null })
        assert.deepStrictEqual(yield* shown(four ?? ""), { state: "waiting", position: 2 })
        yield* passed(one ?? "", "analysis")
        yield* comes(["analyst working", "analyst working", "analyst owed", "architect owed"])
        assert.deepStrictEqual(yield* shown(three ?? ""), { state: "working", position: null })
      }).pipe(Effect.scoped),
    90_000
  )
})
