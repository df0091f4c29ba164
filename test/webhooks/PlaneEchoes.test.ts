import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import type { WebhookRequest } from "../../src/simulator/PlaneSimulator.js"
import { folder, withPlane } from "../http/Server.js"
import { circle, comesTo, publishAnalysis, told } from "./Circle.js"
import { alone, moveBody, pullBody, scene, sha, statusBody } from "./Scene.js"
import { secrets } from "./Sender.js"

/** A Plane whose webhooks are kept back, to be delivered when the test says so. */
const withKept = Effect.gen(function*() {
  const kept: Array<WebhookRequest> = []
  const send = (request: WebhookRequest) =>
    Effect.sync(() => {
      kept.push(request)
      return 202
    })
  const context = yield* Layer.build(
    PlaneSimulator.layer({ webhook: { url: "http://kept.test/", secret: secrets.plane, send } })
  )
  return { plane: Context.get(context, PlaneSimulator), kept }
})

/** The same, and the program that sends to it. */
const withProgram = Effect.gen(function*() {
  const { kept, plane } = yield* withKept
  const settings = { ORCH_PLANE_API_URL: plane.url, ORCH_PLANE_API_TOKEN: plane.token }
  return { at: yield* Effect.provideService(scene(settings), PlaneSimulator, plane), kept, plane }
})

/** Waits until the simulator has as many hooks to send, and for the late ones. */
const sent = (kept: ReadonlyArray<WebhookRequest>, least: number) =>
  Effect.repeat(Effect.zipRight(Effect.sleep("50 millis"), Effect.sync(() => kept.length)), {
    until: (length) => length >= least
  }).pipe(Effect.timeout("60 seconds"), Effect.zipRight(Effect.sleep("100 millis")))

describe("POST /webhooks/plane: what our own changes come back as", () => {
  it.live("the echo of our own PATCH is no move: late, twice, after a restart", () =>
    Effect.gen(function*() {
      const { kept, plane } = yield* withKept
      const settings = {
        ORCH_PLANE_API_URL: plane.url,
        ORCH_PLANE_API_TOKEN: plane.token,
        ORCH_DATABASE_URL: `${yield* folder}/events.sqlite`
      }
      const echoes = yield* Effect.scoped(
        Effect.gen(function*() {
          const at = yield* scene(settings)
          const item = yield* plane.addWorkItem({ name: "North climb" })
          yield* sent(kept, 1)
          yield* plane.moveWorkItem(item.id, "In Progress")
          yield* sent(kept, 2)
          for (const { body } of kept.splice(0)) yield* at.plane(body)
          yield* at.settled
          yield* at.reported(item.number)
          // Merged without a look at anything else: the work item ends in Done.
          const pull = { number: 3, workItem: item.number, head: sha("x") }
          yield* at.gitea("pull_request", pullBody("pull_request_closed_merged", pull))
          assert.strictEqual(yield* at.stage(item.number), "done done")
          yield* told(at)
          assert.strictEqual((yield* plane.workItem(item.id)).state.name, "Done")
          yield* sent(kept, 2)
          return { bodies: kept.map(({ body }) => body), item }
        }).pipe(Effect.provideService(PlaneSimulator, plane))
      )

      const at = yield* Effect.provideService(scene(settings), PlaneSimulator, plane)
      const before = { events: (yield* at.events).length, changes: (yield* plane.stateChanges(echoes.item.id)).length }
      for (const body of [...echoes.bodies, ...echoes.bodies].reverse()) yield* at.plane(body)
      yield* told(at)
      assert.strictEqual((yield* at.events).length, before.events)
      assert.strictEqual((yield* plane.stateChanges(echoes.item.id)).length, before.changes)
      assert.strictEqual(yield* at.stage(echoes.item.number), "done done")
    }).pipe(Effect.scoped), 90_000)

  it.live("a person's move between our PATCH and its echo stands", () =>
    Effect.gen(function*() {
      const { at, kept, plane } = yield* withProgram
      const item = yield* plane.addWorkItem({ name: "North climb", state: "Todo" })
      yield* sent(kept, 1)
      kept.splice(0)
      // A stage that somebody publishes: the PATCH is ours, and its echo is kept back.
      yield* publishAnalysis(at, item.key)
      yield* told(at)
      assert.strictEqual((yield* plane.workItem(item.id)).state.name, "In Progress")
      yield* plane.moveWorkItem(item.id, "Cancelled")
      yield* plane.moveWorkItem(item.id, "In Progress")
      yield* sent(kept, 4)
      const moves = kept.filter(({ headers }) => headers["X-Plane-Event"] === "issue").map(({ body }) => body)
      // The last first: what the others say is older by then.
      for (const body of moves.reverse()) yield* at.plane(body)
      // The cancel came after our PATCH, so Plane is asked who has moved it last.
      yield* Effect.repeat(Effect.zipRight(Effect.sleep("100 millis"), at.inbox), {
        until: (hooks) => hooks.every(({ status }) => status === "done")
      }).pipe(Effect.timeout("60 seconds"))
      assert.strictEqual((yield* plane.workItem(item.id)).state.name, "In Progress")
    }).pipe(Effect.scoped), 90_000)

  it.live("a move that a look has seen first is acted upon when its webhook comes", () =>
    Effect.gen(function*() {
      const { at, kept, plane } = yield* withProgram
      const item = yield* plane.addWorkItem({ name: "North climb", state: "Todo" })
      yield* plane.moveWorkItem(item.id, "In Progress")
      yield* sent(kept, 2)
      yield* publishAnalysis(at, item.key)
      yield* told(at)
      // The key's look-up has found it in the state that was to be set.
      assert.lengthOf(yield* plane.stateChanges(item.id), 1)
      for (const { body } of kept.splice(0)) yield* at.plane(body)
      assert.strictEqual(yield* at.stage(item.number), "analysis active")
      yield* told(at)

      yield* plane.moveWorkItem(item.id, "Cancelled")
      yield* at.sql`UPDATE plane_sync_lane SET read_at = 0`
      yield* publishAnalysis(at, item.key)
      yield* told(at)
      assert.strictEqual((yield* plane.workItem(item.id)).state.name, "Cancelled")
      assert.strictEqual(yield* at.stage(item.number), "analysis active")
      yield* sent(kept, 1)
      for (const { body } of kept.splice(0)) yield* at.plane(body)
      assert.strictEqual(yield* at.stage(item.number), "analysis stopped")
    }).pipe(Effect.scoped), 90_000)

  it.live("an echo that comes 50 minutes late, while a later stage stands, changes nothing", () =>
    Effect.gen(function*() {
      const at = yield* scene(alone)
      yield* at.plane(moveBody({ number: 7, to: "inProgress", at: 0 }))
      yield* at.settled
      yield* at.reported(7)
      yield* at.gitea(
        "pull_request",
        pullBody("pull_request_closed_merged", { number: 3, workItem: 7, head: sha("x") })
      )
      assert.strictEqual(yield* at.stage(7), "done done")
      // Plane has long been told of Done, as its next hook says; then the echo of the first PATCH.
      yield* at.plane(moveBody({ number: 7, to: "done", at: 3_001 }))
      yield* at.plane(moveBody({ number: 7, to: "inProgress", at: 1 }))
      assert.strictEqual(yield* at.stage(7), "done done")
      assert.lengthOf((yield* at.events).filter(({ type }) => type === "stage_changed"), 7)
    }).pipe(Effect.scoped, withPlane))

  it.live("with Plane's own webhooks a task goes round the whole circle without a loop", () =>
    Effect.gen(function*() {
      const { at, plane } = yield* circle
      const { id, number } = yield* plane.addWorkItem({ name: "North climb" })
      yield* plane.moveWorkItem(id, "In Progress")
      yield* comesTo(at, number, "analysis active")
      yield* told(at)
      yield* at.reported(number)
      yield* at.settled
      yield* told(at)
      const pull = { number: 3, workItem: number, head: sha("x") }
      yield* at.gitea("pull_request", pullBody("pull_request_opened", pull))
      yield* at.gitea("status", statusBody({ id: 1, sha: pull.head }))
      yield* at.settled
      yield* told(at)
      yield* at.gitea("pull_request_review_approved", pullBody("review_approved", pull))
      yield* at.settled
      yield* told(at)
      yield* at.gitea("pull_request", pullBody("pull_request_closed_merged", { ...pull, at: 9 }))
      yield* told(at)
      // Time for an echo of an echo.
      yield* Effect.sleep("500 millis")
      yield* told(at)
      assert.strictEqual(yield* at.stage(number), "done done")
      assert.lengthOf(yield* at.events, 8)
      assert.deepStrictEqual((yield* plane.stateChanges(id)).length, 2)
      // Six of them are looks, each before an agent is launched.
      assert.isAtMost((yield* plane.requests).length, 13 + 6)
    }).pipe(Effect.scoped), 90_000)
})
