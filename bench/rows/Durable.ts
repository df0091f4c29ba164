import { Array, Effect } from "effect"
import { StageEvents } from "../../src/events/StageEvents.js"
import { bareDriver } from "../BareDriver.js"
import type { Row } from "../Figure.js"
import { Aim } from "../Figure.js"
import { atOnce } from "../Pace.js"
import { publishingOnly, temporaryDatabase } from "../Pipelines.js"
import { publishCommitted } from "../Publisher.js"
import { median } from "../Statistics.js"

const rounds = 7
// Each slice takes some tenths of a second.
const commits = { bare: 500, alone: 300, together: 3_200 }

/** The cost of durability here, compared with the driver alone. */
export const row: Row = {
  name: "durable",
  description: "durable publishes a second, by one fiber and by 64, beside the bare driver with a commit each",
  measure: Effect.gen(function*() {
    const events = yield* StageEvents
    const driver = yield* bareDriver(yield* temporaryDatabase)
    const ours = (fibers: number, count: number) =>
      atOnce({ fibers, count, each: (index) => publishCommitted(events, index) })
    const round = Effect.all({
      bare: atOnce({ fibers: 1, count: commits.bare, each: () => driver }),
      alone: ours(1, commits.alone),
      together: ours(64, commits.together)
    })
    // The first round warms up: it compiles the code and prepares the statements.
    yield* round
    const measured = yield* Effect.forEach(Array.range(1, rounds), () => round)
    const beside = (ours: number) => ({
      what: `a second by the bare driver with a commit each, ${Math.round(ours)} by us`,
      value: median(Array.map(measured, ({ bare }) => bare))
    })
    const perSecond = (which: "alone" | "together") => {
      const value = median(Array.map(measured, (each) => each[which]))
      return { value, ratio: median(Array.map(measured, (each) => each[which] / each.bare)) }
    }
    const alone = perSecond("alone")
    const together = perSecond("together")
    return [{
      row: "durable: 1 fiber",
      value: alone.ratio,
      unit: "× the bare driver",
      aim: Aim.AtLeast({ limit: 0.3 }),
      beside: beside(alone.value),
      means: "what is left of the driver's pace for an orchestrator that publishes one event after the other"
    }, {
      row: "durable: 64 fibers",
      value: together.ratio,
      unit: "× the bare driver",
      aim: Aim.AtLeast({ limit: 1.5 }),
      beside: beside(together.value),
      means: "how much more a burst commits to disk because it shares its commits"
    }]
  }).pipe(Effect.provide(publishingOnly))
}
