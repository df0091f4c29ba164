import { assert } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { freePort } from "../main/Child.js"
import { scene } from "./Scene.js"
import { secrets } from "./Sender.js"

type Scene = Effect.Effect.Success<ReturnType<typeof scene>>

/** Waits until Plane was told all that is owed. */
export const told = (at: Scene) =>
  Effect.repeat(
    Effect.zipRight(
      Effect.zipRight(at.settled, Effect.sleep("20 millis")),
      // Not the sums, because an event that is not folded yet is not in them.
      at.sql<{ n: number }>`SELECT count(*) AS n FROM plane_sync_event WHERE status = 'pending'`
    ),
    { until: ([row]) => row?.n === 0 }
  ).pipe(Effect.timeout("60 seconds"))

/** A Plane whose webhooks are delivered to the program, and the program. */
export const circleWith = (settings: Readonly<Record<string, string>>) =>
  Effect.gen(function*() {
    const port = yield* freePort
    const context = yield* Layer.build(PlaneSimulator.layer({
      webhook: { url: `http://127.0.0.1:${port}/webhooks/plane`, secret: secrets.plane }
    }))
    const plane = Context.get(context, PlaneSimulator)
    const at = yield* Effect.provideService(
      scene({ ORCH_PORT: String(port), ORCH_PLANE_API_URL: plane.url, ORCH_PLANE_API_TOKEN: plane.token, ...settings }),
      PlaneSimulator,
      plane
    )
    return { at, plane }
  })

export const circle = circleWith({})

/** Waits until the work item of that number has such a task. */
export const comesTo = (at: Scene, workItem: number, wanted: string) =>
  Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), at.stage(workItem)), { until: (stage) => stage === wanted })
    .pipe(Effect.timeout("60 seconds"))

/** To the program, as JSON. */
export const post = (url: string, body: unknown) =>
  Effect.promise(() =>
    fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })
  )

/** A stage that somebody publishes. */
export const publishAnalysis = (at: Scene, workItem: string) =>
  Effect.map(
    post(`${at.url}/api/events`, { type: "stage_changed", workItem, from: "created", to: "analysis" }),
    ({ status }) => assert.strictEqual(status, 202)
  )
