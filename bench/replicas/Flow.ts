import { Array, Clock, Console, Effect } from "effect"
import type { Figure } from "../Figure.js"
import { median, percentile } from "../Statistics.js"
import { first } from "./Destinations.js"
import type { Replica } from "./Replica.js"
import { settled, startReplica } from "./Replica.js"
import type { Scene } from "./Scene.js"
import { Quick } from "./Scene.js"
import type { StandIn } from "./StandIn.js"
import { startStandIn } from "./StandIn.js"

/** How many publish at the same time, whatever they publish to. */
const publishers = 32

/** What a round has shown. Events a second; the p99 in milliseconds. */
interface Round {
  readonly accepted: number
  readonly p99: number
  readonly told: number
}

const millis = Effect.map(Clock.currentTimeNanos, (nanos) => Number(nanos) / 1e6)

/**
 * Makes rounds that go on where the one before has ended: events are published while Plane takes requests and answers
 * none; then it answers, and they are told. Each event is of a new work item, and all projects have as many.
 */
const makeRound = (plane: StandIn, replicas: Array.NonEmptyReadonlyArray<Replica>, projects: number) => {
  let published = 0
  const publishFrom = (start: number, end: number) =>
    Effect.gen(function*() {
      const mine: Array<readonly [number, number]> = []
      for (let index = start; index < end; index += publishers) {
        const replica = replicas[index % replicas.length] ?? replicas[0]
        const before = yield* millis
        yield* replica.publish(1 + index % projects, 1 + Math.floor(index / projects))
        mine.push([before, yield* millis])
      }
      return mine
    })
  return (events: number): Effect.Effect<Round, unknown> =>
    Effect.gen(function*() {
      const from = published
      published += events
      yield* plane.hold
      const times = yield* Effect.forEach(
        first(publishers),
        (publisher) => publishFrom(from + publisher - 1, published),
        { concurrency: "unbounded" }
      ).pipe(Effect.map((all) => all.flat()))
      const begun = Math.min(...times.map(([before]) => before))
      const ended = Math.max(...times.map(([, after]) => after))
      const waits = times.map(([before, after]) => after - before)
      const released = yield* plane.release
      const last = yield* plane.told(published)
      return {
        accepted: events / (ended - begun) * 1_000,
        p99: Array.isNonEmptyArray(waits) ? percentile(waits, 0.99) : NaN,
        told: events / (last - released) * 1_000
      }
    })
}

const named = (count: number) => count === 1 ? "1 replica" : `${count} replicas`
const whole = (value: number) => Math.round(value)

/** The middle of some rounds by so many replicas on a Postgres, or by one process on a file (0). */
const measured = (scene: Scene, count: number, projects: number): Effect.Effect<Round, unknown> =>
  Effect.scoped(Effect.gen(function*() {
    const quick = yield* Quick
    const plane = yield* startStandIn
    const database = yield* (count === 0 ? scene.sqlite : scene.postgres)
    const settings = yield* scene.settings(first(projects))
    const start = startReplica({ database, plane: plane.url, settings })
    // The first one makes the tables.
    const one = yield* start
    const others = yield* Effect.replicateEffect(start, Math.max(0, count - 1))
    yield* settled(one, count, projects)
    const round = makeRound(plane, [one, ...others], projects)
    // The first round compiles the code, and lets all find their project.
    yield* round(quick ? 60 : 150)
    const rounds = yield* Effect.forEach(first(quick ? 1 : 2), () => round(quick ? 120 : 300))
    const middle = (pick: (round: Round) => number) => median(Array.map(rounds, pick))
    const found: Round = {
      accepted: middle(({ accepted }) => accepted),
      p99: middle(({ p99 }) => p99),
      told: middle(({ told }) => told)
    }
    const where = `${count === 0 ? "a file" : named(count)}, ${projects} destinations`
    yield* Console.error(
      `replicas, flow: ${where}: ${whole(found.accepted)} accepted/s, ${whole(found.told)} told/s`
    )
    return found
  }))

const figures = (
  projects: number,
  file: Round,
  all: ReadonlyArray<readonly [number, Round]>
): ReadonlyArray<Figure> => {
  const where = projects === 1 ? "1 destination" : `${projects} destinations`
  const alone = all[0]?.[1] ?? file
  return all.flatMap(([count, round]): ReadonlyArray<Figure> => [{
    row: `replicas: publish, ${named(count)}, ${where}`,
    value: round.accepted / file.accepted,
    unit: "× one process on a file",
    beside: {
      what: `events/s by that, ${whole(round.accepted)} by these (${
        (round.accepted / alone.accepted).toFixed(2)
      } × one)`,
      value: file.accepted
    },
    means: `how many events ${publishers} publishers get accepted by HTTP`
  }, {
    row: `replicas: publish p99, ${named(count)}, ${where}`,
    value: round.p99 / file.p99,
    unit: "× one process on a file",
    beside: { what: `ms by that, ${round.p99.toFixed(1)} by these`, value: file.p99 },
    means: `how long one of the ${publishers} waits, at worst in a hundred`
  }, {
    row: `replicas: drain, ${named(count)}, ${where}`,
    value: round.told / file.told,
    unit: "× one process on a file",
    beside: {
      what: `events/s by that, ${whole(round.told)} by these (${(round.told / alone.told).toFixed(2)} × one)`,
      value: file.told
    },
    means: "how soon a backlog is told once Plane answers again, without a rate limit"
  }])
}

/** Publishing and telling by 1, 2 and 4 replicas, with 1 and 30 destinations, beside a process on a file. */
export const flow = (scene: Scene): Effect.Effect<ReadonlyArray<Figure>, unknown> =>
  Effect.forEach([1, 30], (projects) =>
    Effect.gen(function*() {
      const file = yield* measured(scene, 0, projects)
      const all = yield* Effect.forEach(
        [1, 2, 4],
        (count) => Effect.map(measured(scene, count, projects), (round) => [count, round] as const)
      )
      return figures(projects, file, all)
    })).pipe(Effect.map((all) => all.flat()))
