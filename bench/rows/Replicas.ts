import { Console, Context, Duration, Effect } from "effect"
import type { Scope } from "effect"
import type { Figure, Row } from "../Figure.js"
import { backlog } from "../replicas/Backlog.js"
import { failOver } from "../replicas/FailOver.js"
import { flow } from "../replicas/Flow.js"
import { growth } from "../replicas/Growth.js"
import { idle } from "../replicas/Idle.js"
import type { Scene } from "../replicas/Scene.js"
import { makeScene } from "../replicas/Scene.js"

type Part = (scene: Scene) => Effect.Effect<ReadonlyArray<Figure>, unknown, Scope.Scope>

/** The names of the parts. */
export const partNames = ["flow", "fail-over", "idle", "growth", "memory"] as const
type PartName = (typeof partNames)[number]

const parts: Record<PartName, Part> = { flow, "fail-over": failOver, idle, growth, memory: backlog }

/** Which parts are measured. */
export class Parts extends Context.Reference<Parts>()("bench/Parts", {
  defaultValue: (): ReadonlyArray<PartName> => partNames
}) {}

/** What several processes on one Postgres do, beside one on a file. */
export const row: Row = {
  name: "replicas",
  description: "replicas on one Postgres: publish and drain, fail-over, an idle one, growth, memory, beside SQLite",
  onDemand: true,
  measure: Effect.gen(function*() {
    const scene = yield* makeScene
    const figures = yield* Effect.forEach(yield* Parts, (name) =>
      Effect.gen(function*() {
        const [took, measured] = yield* Effect.timed(Effect.scoped(parts[name](scene)))
        yield* Console.error(`replicas, ${name}: ${Math.round(Duration.toSeconds(took))} s`)
        return measured
      }))
    return figures.flat()
  })
}
