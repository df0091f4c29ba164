import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Array, Clock, Data, Effect } from "effect"
import type { Layer } from "effect"
import { stages } from "../../src/domain/Stage.js"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { Fault } from "../../src/simulator/Faults.js"
import { StageEvents } from "../../src/sync/StageEvents.js"
import { bareDriver } from "../BareDriver.js"
import type { Figure, Row } from "../Figure.js"
import { Aim } from "../Figure.js"
import { atOnce, paced } from "../Pace.js"
import type { Settings } from "../Pipelines.js"
import { pipeline, publishingOnly } from "../Pipelines.js"
import { freePort } from "../Port.js"
import { readable } from "../Report.js"
import type { SimulatorProcess } from "../SimulatorProcess.js"
import { start } from "../SimulatorProcess.js"
import { median, percentile } from "../Statistics.js"

const workItems = 50

/** So many publishes, so many a second. */
interface Slice {
  readonly count: number
  readonly perSecond: number
}

// The third longest of a slice is its p99; all slices together take about a minute and a half.
const measuredSlice: Slice = { count: 200, perSecond: 100 }
const rounds = 7
// On a busy machine all takes longer: no further round begins after so many seconds, so that the whole ends within two and
// a half minutes.
const lastRoundBy = 85

// A host builds its layer once and runs for days. Here every slice builds one, with closures of its own, and V8 keeps what it
// has learned of those only when their maker has run several times: it would go on compiling through most of the rounds, a
// thread that keeps the disk's answers waiting for up to 5 ms. So there are many short rounds before what is measured.
const warmingSlice: Slice = { count: 500, perSecond: 1_000 }
const warmingRounds = 12

class NotCommitted extends Data.TaggedError("NotCommitted")<{ readonly id: string }> {
  override get message(): string {
    return `An event was not committed (${this.id}): times of publishing mean nothing`
  }
}

/** Publishes the `index`th of a run of events that go through the work items and their stages in turn. */
const publish = (events: StageEvents["Type"], index: number) => {
  const stage = Math.floor(index / workItems) % (stages.length - 1)
  return Effect.filterOrFail(
    events.publish(
      StageEvent.StageChanged({
        workItem: `ET-${index % workItems + 1}`,
        from: stages[stage] ?? "",
        to: stages[stage + 1] ?? "",
        agent: "developer"
      })
    ),
    ({ _tag }) => _tag === "Committed",
    ({ id }) => new NotCommitted({ id })
  )
}

// The first publishes prepare statements and open connections: what a host does once is not what it waits for.
const settling = 10

const p99Of = <E, R>({ count, perSecond }: Slice, each: (index: number) => Effect.Effect<unknown, E, R>) =>
  Effect.gen(function*() {
    yield* paced({ count: settling, perSecond, each })
    return percentile(yield* paced({ count, perSecond, each: (index) => each(settling + index) }), 0.99)
  })

const p99 = <A, E>(slice: Slice, layer: Layer.Layer<A | StageEvents, E>) =>
  Effect.flatMap(StageEvents, (events) => p99Of(slice, (index) => publish(events, index))).pipe(Effect.provide(layer))

interface Mood {
  readonly name: string
  readonly fault?: Fault
  readonly settings: Settings
}

// Patience is cut so that deadlines, pauses and probes pass again and again within the run; with the defaults a silent
// Plane would leave the pipeline idle nearly all the time. The limit is the default, which is Plane's own: a healthy one
// is sent 60 requests as fast as it takes them, and then no more.
const moods = ({ token, url }: SimulatorProcess, refusingPort: number): ReadonlyArray<Mood> => {
  const settings = {
    ORCH_PLANE_API_URL: url,
    ORCH_PLANE_API_TOKEN: token,
    ORCH_PLANE_TIMEOUT: "250 millis",
    ORCH_PLANE_QUIET: "250 millis",
    ORCH_PLANE_MAX_BACKOFF: "250 millis"
  }
  return [
    { name: "healthy", settings },
    { name: "refusing", settings: { ...settings, ORCH_PLANE_API_URL: `http://127.0.0.1:${refusingPort}` } },
    { name: "silent", fault: Fault.Silent({}), settings },
    { name: "byte by byte", fault: Fault.ByteByByte({ everyMillis: 20 }), settings }
  ]
}

const inMoods = Effect.gen(function*() {
  const simulator = yield* start
  yield* Effect.forEach(Array.range(1, workItems), (n) => simulator.addWorkItem(`Task ${n}`), { discard: true })
  const all = moods(simulator, yield* freePort)

  const withPlane = (slice: Slice, mood: Mood) =>
    Effect.ensuring(
      Effect.zipRight(simulator.misbehave(mood.fault), p99(slice, pipeline(mood.settings))),
      Effect.ignore(simulator.misbehave(undefined))
    )

  // In turn, so that a noisy minute of the machine is shared by all; and what is compared was measured side by side.
  const round = Effect.fnUntraced(function*(slice: Slice) {
    const without = yield* p99(slice, publishingOnly)
    // The disk's part, and the machine's, of all of them.
    const driver = yield* Effect.scoped(Effect.flatMap(bareDriver, ({ publish }) => p99Of(slice, () => publish)))
    return { driver, without, each: yield* Effect.forEach(all, (mood) => withPlane(slice, mood)) }
  })
  yield* Effect.repeatN(round(warmingSlice), warmingRounds - 1)
  const started = yield* Clock.currentTimeMillis
  const measured = Array.of(yield* round(measuredSlice))
  while (measured.length < rounds && (yield* Clock.currentTimeMillis) - started < lastRoundBy * 1_000) {
    measured.push(yield* round(measuredSlice))
  }

  const without = median(Array.map(measured, (round) => round.without))
  const driver = median(Array.map(measured, (round) => round.driver))
  return all.flatMap(({ name }, index): ReadonlyArray<Figure> => {
    const value = median(Array.map(measured, ({ each }) => each[index] ?? Infinity))
    return [{
      row: `publish: Plane ${name}`,
      value,
      unit: "ms p99",
      aim: Aim.AtMost({ limit: 5 }),
      beside: { what: `without a pipeline, ${readable(driver)} by the bare driver alone`, value: without },
      means: "how long the orchestrator waits, at worst in a hundred, at 100 events a second"
    }, {
      row: `publish: Plane ${name}, ratio`,
      value: value / without,
      unit: "× without a pipeline",
      aim: Aim.AtMost({ limit: 2 }),
      means: "how much of that wait is due to Plane"
    }]
  })
})

const durable = Effect.gen(function*() {
  const events = yield* StageEvents
  const run = (count: number) => atOnce({ fibers: 64, count, each: (index) => publish(events, index) })
  // The first two compile the code.
  yield* Effect.repeatN(run(6_400), 1)
  const perSecond = median(yield* Effect.forEach(Array.range(1, 5), () => run(6_400)))
  return {
    row: "publish: 64 fibers at once",
    value: perSecond,
    unit: "durable publishes/s",
    aim: Aim.AtLeast({ limit: 8_000 }),
    means: "how many events a burst commits to disk in a second (median of 5 bursts)"
  }
}).pipe(Effect.provide(publishingOnly))

/** What publishing costs the orchestrator, whatever Plane is doing. */
export const row: Row = {
  name: "publish",
  description: "the time of a publish in the caller, Plane healthy, refusing, silent and byte by byte; and their pace",
  // First the burst: it has also compiled the code of publishing when the first is timed.
  measure: Effect.gen(function*() {
    const burst = yield* durable
    return [...yield* inMoods, burst]
  }).pipe(Effect.provide(NodeHttpClient.layer))
}
