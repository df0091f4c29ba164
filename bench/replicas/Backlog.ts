import { Array, Data, Effect } from "effect"
import type { Scope } from "effect"
import type { Figure } from "../Figure.js"
import { Aim } from "../Figure.js"
import { fillWithOwed } from "../FilledDatabase.js"
import { freePort } from "../Port.js"
import { startReplica } from "./Replica.js"
import type { Scene } from "./Scene.js"
import { Quick } from "./Scene.js"
import { residentSet } from "./Usage.js"

/** Long enough for the first requests, for Plane to be found away, and for some probes. */
const seconds = 10

class OtherLoad extends Data.TaggedError("OtherLoad")<{ readonly wanted: number; readonly pending: number }> {
  override get message(): string {
    return `There should be ${this.wanted} events owed, and there are ${this.pending}: the memory means nothing`
  }
}

/** What memory a backlog takes of a replica whose Plane is away. */
export const backlog = (scene: Scene): Effect.Effect<ReadonlyArray<Figure>, unknown, Scope.Scope> =>
  Effect.gen(function*() {
    const [few, many] = (yield* Quick) ? [10, 1_000] : [100, 100_000]
    const nobody = yield* freePort
    /** The most memory it takes, as seen four times a second, in MB. */
    const mostWith = (events: number) =>
      Effect.scoped(Effect.gen(function*() {
        const database = yield* scene.postgres
        yield* fillWithOwed(database, events)
        const plane = `http://127.0.0.1:${nobody}`
        const replica = yield* startReplica({ database, plane, settings: { ORCH_PLANE_API_TOKEN: "token" } })
        const seen = yield* Effect.forEach(
          Array.range(1, seconds * 4),
          () => Effect.delay(residentSet(replica.pid), "250 millis")
        )
        const { outbox: { pending } } = yield* replica.health
        if (pending !== events) return yield* new OtherLoad({ wanted: events, pending })
        return Math.max(...seen)
      }))
    const [most, least] = [yield* mostWith(many), yield* mostWith(few)]
    return [{
      row: `replicas: memory with ${many.toLocaleString("en-US")} events owed, Plane away`,
      value: most / least,
      unit: "× resident memory",
      aim: Aim.AtMost({ limit: 1.3 }),
      beside: { what: `MB with ${few}, ${most.toFixed(0)} with all of them`, value: least },
      means: "an outage of Plane does not fill a replica's memory"
    }]
  })
