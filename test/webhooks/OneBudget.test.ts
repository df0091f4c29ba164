import { assert, describe, it } from "@effect/vitest"
import type { Context } from "effect"
import { ConfigProvider, Effect, Layer, Stream } from "effect"
import { randomUUID } from "node:crypto"
// Only what the package exports, as a host has it.
import {
  AgentLauncher,
  GiteaGates,
  Orchestrator,
  Pipeline,
  PlaneSync,
  Receiver,
  StageEvent,
  StageEvents,
  Storage,
  Webhooks
} from "../../src/index.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { Storage as StorageService } from "../../src/storage/Storage.js"
import { changed } from "./Fixtures.js"
import { states, uuid } from "./Scene.js"
import { secrets, signature } from "./Sender.js"

/**
 * A hook that says which state a work item is in. Where it names only the state's id, Plane is asked for its states.
 */
const received = (state: string | { readonly id: string; readonly group: string }) =>
  Effect.gen(function*() {
    const receiver = yield* Receiver
    const body = changed("plane/issue_updated_state", {
      data: { id: uuid(1), sequence_id: 1, state, updated_at: "2026-10-05T08:00:01.250000Z" }
    })
    yield* receiver.receive("plane", {
      headers: {
        "content-type": "application/json",
        "x-plane-delivery": randomUUID(),
        "x-plane-event": "issue",
        "x-plane-signature": signature("plane", body)
      },
      body: Stream.make(new TextEncoder().encode(body))
    })
  })

const orchestrator = Orchestrator.layerTasks.pipe(
  Layer.provide(GiteaGates.layer),
  Layer.provide([Pipeline.layerDefault, AgentLauncher.layerLog]),
  Layer.provideMerge(PlaneSync.layerStorage),
  Layer.provideMerge(Storage.layerFile(":memory:"))
)

/** A host's program, in two steps: each builds its layers for itself. */
const hosted = <A, E>(
  program: Effect.Effect<
    A,
    E,
    Receiver | StageEvents | Context.Tag.Identifier<typeof PlaneSync> | StorageService | PlaneSimulator
  >,
  limit: number,
  unit: "second" | "minute"
) =>
  Effect.gen(function*() {
    const { token, url } = yield* PlaneSimulator
    const hooksSettings = Layer.setConfigProvider(ConfigProvider.fromMap(
      new Map(Object.entries({
        ORCH_PLANE_WEBHOOK_SECRET: secrets.plane,
        ORCH_PLANE_PROJECT_ID: uuid(99),
        ORCH_PLANE_PROJECT_IDENTIFIER: "OTHER"
      }))
    ))
    const settings = Layer.setConfigProvider(ConfigProvider.fromMap(
      new Map(Object.entries({
        ORCH_PLANE_API_URL: url,
        ORCH_PLANE_API_TOKEN: token,
        ORCH_PLANE_RATE_LIMIT: `${limit}/${unit}`
      }))
    ))
    // Its settings name another project, as those of a host may that composes its layers under two ConfigProviders.
    const hooks = Effect.provide(program, Layer.provide(Webhooks.layer, hooksSettings))
    const all = Effect.provide(hooks, orchestrator)
    return yield* Effect.provide(all, settings)
  }).pipe(
    Effect.provide(
      PlaneSimulator.layer({ rateLimit: { limit, windowMillis: unit === "second" ? 1_000 : 60_000 } })
    ),
    Effect.timeout("60 seconds")
  )

/** Publishes about this many new work items. */
const publish = (count: number) =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    const events = yield* StageEvents
    for (let n = 0; n < count; n++) {
      const { key } = yield* plane.addWorkItem({ name: `Work item ${n}` })
      yield* events.publish(StageEvent.StageChanged({ workItem: key, from: "created", to: "analysis" }))
    }
  })

const until = <E, R>(isSo: Effect.Effect<boolean, E, R>) =>
  Effect.repeat(Effect.delay(isSo, "20 millis"), { until: (so) => so })

const told = until(Effect.flatMap(PlaneSync, ({ outbox }) => Effect.map(outbox, ({ pending }) => pending === 0)))

const asked = Effect.flatMap(PlaneSimulator, (plane) => plane.requests)

const statesAsked = Effect.map(asked, (requests) => requests.filter(({ kind }) => kind === "states").length)

describe("Webhooks.layer and PlaneSync, provided one after the other", () => {
  it.live("send by one budget: what both have asked is in use there", () =>
    hosted(
      Effect.gen(function*() {
        yield* publish(3)
        yield* told
        yield* received(states.todo.id)
        yield* until(Effect.map(statesAsked, (count) => count === 2))
        const { projects } = yield* PlaneSync
        yield* until(
          Effect.map(Effect.zip(projects, asked), ([[{ budget }], requests]) => budget.used === requests.length)
        )
      }),
      60,
      "minute"
    ), 90_000)

  it.live("write to one project, which is that of PlaneSync", () =>
    hosted(
      Effect.gen(function*() {
        yield* received(states.inProgress)
        const { read, sql } = yield* StorageService
        const status = Effect.map(read(sql<{ status: string }>`SELECT status FROM plane_sync_webhook`), ([row]) =>
          row?.status)
        yield* until(Effect.map(status, (now) =>
          now !== "pending"))
        assert.strictEqual(yield* status, "done")
        const [task] = yield* read(sql`SELECT work_item AS "workItem" FROM plane_sync_task`)
        assert.deepStrictEqual(task, { workItem: "ET-1" })
      }),
      60,
      "minute"
    ), 90_000)

  it.live("never exceed Plane's limit together", () =>
    hosted(
      Effect.gen(function*() {
        yield* publish(10)
        yield* until(Effect.map(asked, ({ length }) => length >= 8))
        yield* received(states.todo.id)
        yield* told
        yield* until(Effect.map(statesAsked, (count) => count === 2))
        const requests = yield* asked
        assert.isAbove(requests.length, 20)
        assert.deepStrictEqual(requests.filter(({ status }) => status === 429), [])
      }),
      5,
      "second"
    ), 90_000)
})
