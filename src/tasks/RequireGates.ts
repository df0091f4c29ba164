import { Effect, Option } from "effect"
import type { Pipeline } from "./Pipeline.js"
import { PipelineError } from "./Pipeline.js"

/** Fails when a pipeline names a gate that is none of these. The gates of a last stage are never asked. */
export const requireGates = (
  { all }: Pipeline["Type"],
  known: ReadonlyArray<string>
): Effect.Effect<void, PipelineError> =>
  Effect.gen(function*() {
    for (const { of, pipeline: { after, stages } } of all) {
      for (const { gates, stage } of stages) {
        const missing = Option.isNone(after(stage)) ? undefined : gates.find((gate) => !known.includes(gate))
        if (missing === undefined) continue
        const place = Option.match(of, { onNone: () => "", onSome: (what) => `of ${what}: ` })
        return yield* new PipelineError({
          why: `${place}the stage ${JSON.stringify(stage)} has the gate ${JSON.stringify(missing)}, which nobody ` +
            `provides: there are ${known.join(", ")}`
        })
      }
    }
  })
