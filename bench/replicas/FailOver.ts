import { Array, Clock, Data, Duration, Effect, Fiber, Schedule } from "effect"
import type { Scope } from "effect"
import type { Figure } from "../Figure.js"
import { Aim } from "../Figure.js"
import { median } from "../Statistics.js"
import { first } from "./Destinations.js"
import type { Replica } from "./Replica.js"
import { leaderOf, settled, startReplica } from "./Replica.js"
import type { Scene } from "./Scene.js"
import { Quick } from "./Scene.js"
import type { StandIn } from "./StandIn.js"
import { startStandIn } from "./StandIn.js"

const projects = 30
/** The destination that is looked at. */
const watched = 1

class NobodyWentOn extends Data.TaggedError("NobodyWentOn")<{ readonly after: string }> {
  override get message(): string {
    return `45 s after ${this.after} of the leader no other replica had sent anything for its project`
  }
}

const nobodyLeads = Effect.dieMessage("no replica leads the watched project")

/** When a process other than this one began to send for the watched project. */
const nextSender = (plane: StandIn, former: number, after: string) =>
  plane.senderOf(watched).pipe(
    Effect.filterOrFail(
      (sender) => sender !== undefined && sender.process !== former,
      () => new NobodyWentOn({ after })
    ),
    Effect.retry({ schedule: Schedule.spaced("50 millis"), while: (error) => error instanceof NobodyWentOn }),
    Effect.timeoutFail({ duration: "45 seconds", onTimeout: () => new NobodyWentOn({ after }) }),
    Effect.map((sender) => sender?.since ?? NaN)
  )

interface Pair {
  readonly plane: StandIn
  readonly start: Effect.Effect<Replica, unknown, Scope.Scope>
  replicas: Array.NonEmptyReadonlyArray<Replica>
  /** The number of the next work item: each event has one of its own. */
  next: number
}

/** How many seconds pass from the end of the watched project's leader until another replica sends for it. */
const once = (pair: Pair, how: "SIGKILL" | "SIGTERM", pause: Duration.Duration) =>
  Effect.gen(function*() {
    const { plane, replicas } = pair
    yield* settled(replicas[0], replicas.length, projects)
    const pid = yield* leaderOf(replicas[0], watched)
    const leader = replicas.find((replica) => replica.pid === pid)
    const others = replicas.filter((replica) => replica.pid !== pid)
    if (leader === undefined || !Array.isNonEmptyArray(others)) return yield* nobodyLeads
    const other = Array.headNonEmpty(others)
    const publishing = yield* Effect.fork(
      Effect.repeat(
        Effect.suspend(() => other.publish(watched, pair.next++)),
        Schedule.spaced("100 millis")
      )
    )
    // Something of it is on its way all the time. The moment differs, because a leader shows each 5 s that it lives.
    yield* Effect.sleep(Duration.sum(Duration.seconds(1), pause))
    const at = Number(yield* Clock.currentTimeNanos) / 1e6
    const ending = yield* Effect.fork(how === "SIGKILL" ? leader.kill : leader.terminate)
    const since = yield* nextSender(plane, leader.pid, how)
    yield* Fiber.interrupt(publishing)
    yield* Effect.timeout(Fiber.join(ending), "30 seconds")
    pair.replicas = [other, yield* pair.start]
    return (since - at) / 1_000
  })

const figure = (how: string, times: Array.NonEmptyReadonlyArray<number>, limit: number): Figure => ({
  row: `replicas: fail-over after ${how}`,
  value: Math.max(...times),
  unit: `s at most of ${times.length}`,
  aim: Aim.AtMost({ limit }),
  beside: { what: "s p50", value: median(times) },
  means: "how long nothing is sent for a project whose leader has ended"
})

/** How soon another of two replicas goes on with what a leader has sent. */
export const failOver = (scene: Scene): Effect.Effect<ReadonlyArray<Figure>, unknown, Scope.Scope> =>
  Effect.gen(function*() {
    const rounds = first((yield* Quick) ? 1 : 5)
    const plane = yield* startStandIn
    const database = yield* scene.postgres
    const settings = yield* scene.settings(first(projects))
    const start = startReplica({ database, plane: plane.url, settings })
    const pair: Pair = { plane, start, replicas: [yield* start, yield* start], next: 1 }
    const killed = yield* Effect.forEach(rounds, (n) => once(pair, "SIGKILL", Duration.seconds(n - 1)))
    const ended = yield* Effect.forEach(rounds, (n) => once(pair, "SIGTERM", Duration.millis(200 * n)))
    return [
      ...(Array.isNonEmptyArray(killed) ? [figure("SIGKILL", killed, 20)] : []),
      ...(Array.isNonEmptyArray(ended) ? [figure("SIGTERM", ended, 2)] : [])
    ]
  })
