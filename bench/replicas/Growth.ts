import { Array, Clock, Effect } from "effect"
import type { Scope } from "effect"
import type { Figure } from "../Figure.js"
import { Aim } from "../Figure.js"
import { timed } from "../Pace.js"
import { median } from "../Statistics.js"
import { first } from "./Destinations.js"
import { startReplica } from "./Replica.js"
import type { Scene } from "./Scene.js"
import { Quick } from "./Scene.js"
import type { StandIn } from "./StandIn.js"
import { startStandIn } from "./StandIn.js"
import { fillWithTold } from "./ToldEvents.js"

/** How often a round publishes and waits only for the answer, and how often also for the comment. */
const each = { publish: 20, told: 10 }

const operations = ["publish", "a turn"] as const
type Operation = (typeof operations)[number]

interface Filled {
  readonly kind: "Postgres" | "SQLite"
  readonly events: number
  /** How long a publish took, and how long Plane's comment after it, in milliseconds. */
  readonly times: Record<Operation, Array<number>>
  readonly round: Effect.Effect<void, unknown>
}

/** A process on a database with so many told events, which sends for one project of its own. */
const filled = (scene: Scene, plane: StandIn, kind: Filled["kind"], events: number, project: number) =>
  Effect.gen(function*() {
    const database = yield* (kind === "Postgres" ? scene.postgres : scene.sqlite)
    const settings = yield* scene.settings([project])
    const start = startReplica({ database, plane: plane.url, settings })
    // Makes the tables, and ends.
    yield* Effect.scoped(Effect.flatMap(start, ({ terminate }) => Effect.timeout(terminate, "30 seconds")))
    const items = yield* fillWithTold(database, project, events)
    const { publish } = yield* start
    const times: Filled["times"] = { "publish": [], "a turn": [] }
    let published = 0
    const one = Effect.suspend(() => timed(publish(project, items + ++published)))
    const round = Effect.gen(function*() {
      // All are told before the next begins, so that a publish has the process for itself.
      for (let n = 0; n < each.publish; n++) {
        times.publish.push(yield* one)
        yield* plane.told(published, project)
      }
      for (let n = 0; n < each.told; n++) {
        yield* one
        const accepted = Number(yield* Clock.currentTimeNanos) / 1e6
        times["a turn"].push(Math.max(0, (yield* plane.told(published, project)) - accepted))
      }
    })
    const made: Filled = { kind, events, times, round }
    return made
  })

const middle = (times: ReadonlyArray<number>) => Array.isNonEmptyReadonlyArray(times) ? median(times) : NaN

const figure = (operation: Operation, all: ReadonlyArray<Filled>): ReadonlyArray<Figure> => {
  const [least, ...more] = all
  const most = more.at(-1)
  if (least === undefined || most === undefined) return []
  const of = ({ times }: Filled) => middle(times[operation])
  const words = more.map((each) => `${of(each).toFixed(2)} with ${each.events.toLocaleString("en-US")}`).join(", ")
  return [{
    row: `replicas: growth on ${least.kind}, ${operation}`,
    value: of(most) / of(least),
    unit: `× with ${most.events.toLocaleString("en-US")} told events`,
    aim: Aim.AtMost({ limit: 1.5 }),
    beside: { what: `ms with ${least.events.toLocaleString("en-US")}, ${words}`, value: of(least) },
    means: operation === "publish"
      ? "how long a publish waits for its 202"
      : "from there until Plane has the comment: the look-up, the state and the comment, each with a claim"
  }]
}

/** Whether what is stored makes work slower, on Postgres and on SQLite. */
export const growth = (scene: Scene): Effect.Effect<ReadonlyArray<Figure>, unknown, Scope.Scope> =>
  Effect.gen(function*() {
    const quick = yield* Quick
    const sizes = quick ? [100, 1_000] : [1_000, 100_000, 1_000_000]
    const plane = yield* startStandIn
    const kinds = ["Postgres", "SQLite"] as const
    const all = yield* Effect.forEach(
      kinds.flatMap((kind) => sizes.map((events) => ({ kind, events }))),
      ({ events, kind }, index) => filled(scene, plane, kind, events, index + 1)
    )
    // They take turns, so that a noisy moment of the machine hits all alike. The first rounds warm up.
    for (const round of first(quick ? 2 : 4)) {
      for (const each of all) {
        yield* each.round
        if (round <= (quick ? 1 : 2)) { for (const operation of operations) each.times[operation].length = 0 }
      }
    }
    return operations.flatMap((operation) =>
      kinds.flatMap((kind) => figure(operation, all.filter((each) => each.kind === kind)))
    )
  })
