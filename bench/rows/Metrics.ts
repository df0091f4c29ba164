import { Array, Effect } from "effect"
import { StageEvents } from "../../src/events/StageEvents.js"
import { recording } from "../../src/metrics/Define.js"
import type { Figure, Row } from "../Figure.js"
import { Aim } from "../Figure.js"
import { changed } from "../Load.js"
import { atOnce, timed } from "../Pace.js"
import { publishingInMemory, publishingOnly } from "../Pipelines.js"
import { publishCommitted } from "../Publisher.js"
import { readable } from "../Report.js"
import { median } from "../Statistics.js"

/** Runs an effect with metrics or without. */
const recorded = <A, E, R>(isOn: boolean, effect: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      recording.isOn = isOn
    }),
    () => effect,
    () =>
      Effect.sync(() => {
        recording.isOn = true
      })
  )

/** The same with metrics and without in turn, which goes first in turn, too: what slows both slows down no ratio. */
const inPairs = <E, R>(measure: Effect.Effect<number, E, R>, pairs: number) =>
  Effect.forEach(Array.range(1, pairs), (pair) =>
    Effect.gen(function*() {
      const first = yield* recorded(pair % 2 === 0, measure)
      const second = yield* recorded(pair % 2 !== 0, measure)
      return pair % 2 === 0 ? { on: first, off: second } : { on: second, off: first }
    }))

const most = 20_000

/**
 * What metrics cost a publish, in memory and one after the other: in a burst some of it is shared. Each publish is timed
 * by itself, in turn with metrics and without: so what slows one slows its neighbours, too, and the middle of so many is
 * told to a microsecond.
 */
export const aPublish = Effect.gen(function*() {
  const events = yield* StageEvents
  let index = 0
  const one = Effect.suspend(() => timed(events.publish(changed(index++, 50))))
  // The first ones compile the code.
  yield* Effect.repeatN(one, 5_000)
  const all = yield* inPairs(one, most)
  const of = (which: "off" | "on") => median(Array.map(all, (pair) => pair[which])) * 1_000
  const off = of("off")
  return {
    row: "parts: metrics, in a publish",
    value: of("on") - off,
    unit: "µs",
    aim: Aim.AtMost({ limit: 5 }),
    beside: { what: "µs the whole publish without them, in memory", value: off },
    means: "what being counted and timed costs the orchestrator"
  } satisfies Figure
}).pipe(Effect.provide(publishingInMemory))

const burst = Effect.gen(function*() {
  const events = yield* StageEvents
  const run = atOnce({ fibers: 64, count: 6_400, each: (index) => publishCommitted(events, index) })
  yield* Effect.repeatN(run, 1)
  const all = yield* inPairs(run, 10)
  const of = (which: "off" | "on") => median(Array.map(all, (pair) => pair[which]))
  const ratios = Array.map(all, ({ off, on }) => on / off)
  return {
    row: "metrics: 64 fibers at once, ten pairs",
    value: median(ratios),
    unit: "× without metrics",
    aim: Aim.AtLeast({ limit: 0.95 }),
    beside: { what: `durable publishes/s with metrics, ${readable(of("off"))} without`, value: of("on") },
    means: `how much of the pace of a burst is left; the pairs are between ${readable(Math.min(...ratios))} and ${
      readable(Math.max(...ratios))
    }`
  } satisfies Figure
}).pipe(Effect.provide(publishingOnly))

/** What counting costs those who publish. */
export const row: Row = {
  name: "metrics",
  description:
    "what metrics cost: ten pairs of bursts by 64 fibers, in turn with metrics and without, and a publish alone",
  onDemand: true,
  measure: Effect.gen(function*() {
    return [yield* burst, yield* aPublish]
  })
}
