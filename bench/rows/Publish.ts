import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import type { HttpClient } from "@effect/platform/HttpClient"
import { Array, Effect } from "effect"
import type { Scope } from "effect"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Fault } from "../../src/simulator/Faults.js"
import type { Figure, Row } from "../Figure.js"
import { Aim } from "../Figure.js"
import type { Kind } from "../Host.js"
import { Slice, startHost } from "../Host.js"
import { atOnce } from "../Pace.js"
import type { Settings } from "../Pipelines.js"
import { publishingOnly, temporaryDatabase } from "../Pipelines.js"
import { freePort } from "../Port.js"
import { publishCommitted, workItems } from "../Publisher.js"
import { readable } from "../Report.js"
import { start } from "../SimulatorProcess.js"
import { median } from "../Statistics.js"

// The third longest of a slice is its p99.
const measured = new Slice({ count: 200, perSecond: 100 })
const slices = 3
const passes = 2

// A host runs for days, so the measured code is code that V8 has compiled. While V8 compiles, in another thread, the
// disk's answers are up to 5 ms late. With equally short slices that each build a new layer, whose closures are
// compiled anew, the p99 of a publish was 1.2 to 4 ms instead of 1 to 2 ms.
const warming = new Slice({ count: 5_000, perSecond: 1_000 })

// The deadlines are short, so that deadlines, pauses and probes pass many times within the run. With the defaults a
// silent Plane would leave the pipeline idle nearly all the time.
const settings = {
  ORCH_PLANE_TIMEOUT: "250 millis",
  ORCH_PLANE_QUIET: "250 millis",
  ORCH_PLANE_MAX_BACKOFF: "250 millis"
}

// Plane allows 60 requests a minute. By default they would all go out while the host is warmed up, and none after. So a
// healthy Plane is sent as many evenly. Requests without an answer count too, and must not use up the limit.
const even = { ORCH_PLANE_RATE_LIMIT: "1/second" }
const unlimited = { ORCH_PLANE_RATE_LIMIT: "1000/second" }

/** A Plane in a separate process with the work items, and the settings for a pipeline that sends to it. */
const plane = (fault?: Fault): Effect.Effect<Settings, unknown, HttpClient | Scope.Scope> =>
  Effect.gen(function*() {
    const { addWorkItem, misbehave, token, url } = yield* start
    yield* Effect.forEach(Array.range(1, workItems), (n) => addWorkItem(`Task ${n}`), { discard: true })
    yield* misbehave(fault)
    const limit = fault === undefined ? even : unlimited
    return { ...settings, ...limit, ORCH_PLANE_API_URL: url, ORCH_PLANE_API_TOKEN: token }
  })

const nobody = Effect.map(freePort, (port) => ({
  ...settings,
  ...unlimited,
  ORCH_PLANE_API_URL: `http://127.0.0.1:${port}`,
  ORCH_PLANE_API_TOKEN: "token"
}))

/** The p99s of a host that starts with an empty file and has been warmed up. */
const p99s = <E, R>(kindOf: (file: string) => Effect.Effect<Kind, E, R>) =>
  Effect.scoped(Effect.gen(function*() {
    const host = yield* startHost(yield* kindOf(yield* temporaryDatabase))
    yield* host(warming)
    // The first slice warms up: earlier writes may still be on their way to the disk.
    yield* host(measured)
    return yield* Effect.forEach(Array.range(1, slices), () => Effect.map(host(measured), ({ p99 }) => p99))
  }))

const without = p99s((file) => Effect.succeed({ _tag: "PublishingOnly", file }))

const withPipeline = <E, R>(settings: Effect.Effect<Settings, E, R>) =>
  p99s((file) => Effect.map(settings, (settings): Kind => ({ _tag: "Pipeline", file, settings })))

const inMoods = Effect.gen(function*() {
  const driver = readable(median(yield* p99s((file) => Effect.succeed({ _tag: "BareDriver", file }))))
  // Several passes, with the comparator measured within each of them, so that no figure has all of a noisy quarter of a
  // minute.
  const pass = Effect.gen(function*() {
    const first = yield* without
    const healthy = yield* withPipeline(plane())
    const refusing = yield* withPipeline(nobody)
    const second = yield* without
    const silent = yield* withPipeline(plane(Fault.Silent({})))
    const byteByByte = yield* withPipeline(plane(Fault.ByteByByte({ everyMillis: 20 })))
    return { without: Array.appendAll(first, second), healthy, refusing, silent, "byte by byte": byteByByte }
  })
  const all = yield* Effect.forEach(Array.range(1, passes), () => pass)
  const p99 = (name: keyof typeof all[0]) => median(Array.flatMap(all, (each) => each[name]))
  const beside = p99("without")
  const names = ["healthy", "refusing", "silent", "byte by byte"] as const
  return names.flatMap((name): ReadonlyArray<Figure> => {
    const value = p99(name)
    return [{
      row: `publish: Plane ${name}`,
      value,
      unit: "ms p99",
      aim: Aim.AtMost({ limit: 5 }),
      beside: { what: `without a pipeline, ${driver} by the bare driver alone`, value: beside },
      means: "how long the orchestrator waits, at worst in a hundred, at 100 events a second"
    }, {
      row: `publish: Plane ${name}, ratio`,
      value: value / beside,
      unit: "× without a pipeline",
      aim: Aim.AtMost({ limit: 2 }),
      means: "how much of that wait is due to Plane"
    }]
  })
})

const durable = Effect.gen(function*() {
  const events = yield* StageEvents
  const run = (count: number) => atOnce({ fibers: 64, count, each: (index) => publishCommitted(events, index) })
  // The first two runs compile the code.
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
  measure: Effect.gen(function*() {
    // The burst comes first, while the disk has nothing else to write.
    const burst = yield* durable
    return [...yield* inMoods, burst]
  }).pipe(Effect.provide(NodeHttpClient.layer))
}
