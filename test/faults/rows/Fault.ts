import { Effect } from "effect"
import type { Duration } from "effect"
import type { Fault } from "../../../src/simulator/PlaneSimulator.js"
import type { Script, Seen } from "../Scene.js"

/** Requests that add a comment, and requests that set a state. */
export const comments = { method: "POST", kind: "comments" } as const
export const stateChanges = { method: "PATCH", kind: "item" } as const

/**
 * Publishes half of the load undisturbed. Then the fault begins, and the other half is published until the fault's
 * count is used up.
 */
export const counted = (fault: Fault): Script => ({ plane, round, told }) =>
  Effect.gen(function*() {
    yield* round(1)
    yield* told()
    yield* plane.misbehave(fault)
    yield* round(2)
  })

/** The same, with a fault that lasts. */
export const lasting = (fault: Fault, time: Duration.DurationInput): Script => (scene) =>
  Effect.gen(function*() {
    yield* counted(fault)(scene)
    yield* Effect.sleep(time)
    yield* scene.plane.calm
    yield* scene.over
  })

/** How many requests met a fault of this name, and were applied if `applied` is given. */
export const met = (name: Fault["_tag"], applied?: "applied") => ({ requests }: Seen): number =>
  requests.filter((request) => request.fault === name && (applied === undefined || request.applied)).length

/** How many requests were answered with a status. */
export const answered = (status: number) => ({ requests }: Seen): number =>
  requests.filter((request) => request.status === status).length

/** The settings of rows whose clock runs 100 times as fast. */
export const hundredfold: Readonly<Record<string, string>> = {
  ORCH_PLANE_TIMEOUT: "100 seconds",
  ORCH_PLANE_QUIET: "300 seconds",
  ORCH_PLANE_MAX_BACKOFF: "50 seconds"
}

/** The settings of rows whose clock runs ten times as fast: the defaults, but for the rate limit and the longest backoff. */
export const tenfold: Readonly<Record<string, string>> = {
  ORCH_PLANE_TIMEOUT: "10 seconds",
  ORCH_PLANE_QUIET: "30 seconds",
  ORCH_PLANE_MAX_BACKOFF: "5 seconds",
  ORCH_PLANE_RATE_LIMIT: "10000/minute"
}
