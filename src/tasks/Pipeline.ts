import { Context, Effect, Layer, Schema } from "effect"
import type { PipelineStage } from "../domain/PipelineStage.js"
import { defaultStages } from "../domain/PipelineStage.js"
import type { Stage } from "../domain/Stage.js"

/** A gate, and the latest stage that names it, among the stages up to some stage. */
export interface StageGate {
  readonly gate: string
  readonly stage: Stage
}

/** The stages cannot be a pipeline, or they name a gate that does not exist. */
export class PipelineError extends Schema.TaggedError<PipelineError>()("PipelineError", { why: Schema.String }) {
  override get message(): string {
    return `Pipeline: ${this.why}`
  }
}

/** The stages that a task goes through, in their order. */
export class Pipeline extends Context.Tag("plane-sync/Pipeline")<Pipeline, {
  readonly stages: readonly [PipelineStage, ...Array<PipelineStage>]
  readonly names: ReadonlyArray<Stage>
  readonly byName: (stage: Stage) => PipelineStage | undefined
  /** The stage after this one; none after the last. */
  readonly after: (stage: Stage) => PipelineStage | undefined
  /** The gates of this stage and of those before. Those of the last stage are never asked, so they are left out. */
  readonly gatesUpTo: (stage: Stage) => ReadonlyArray<StageGate>
  /** Whether agents are launched. If not, no stage change names one, and no launch stays owed. */
  readonly launches: boolean
}>() {
  /** A host's own stages; at least two, each once. `launches`: whether anybody launches their agents. */
  static readonly layer = (
    stages: ReadonlyArray<PipelineStage>,
    { launches = true }: { readonly launches?: boolean } = {}
  ): Layer.Layer<Pipeline, PipelineError> => Layer.effect(Pipeline, Effect.suspend(() => make(stages, launches)))

  static readonly layerDefault: Layer.Layer<Pipeline, PipelineError> = Layer.suspend(() =>
    Pipeline.layer(defaultStages)
  )
}

const make = (
  stages: ReadonlyArray<PipelineStage>,
  launches: boolean
): Effect.Effect<Pipeline["Type"], PipelineError> => {
  const [first, ...rest] = stages
  const names = stages.map(({ stage }) => stage)
  const nameless = names.some((name) => name.trim() === "")
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (first === undefined || rest.length === 0) {
    return new PipelineError({ why: "it has fewer than two stages, so nothing could ever be done" })
  }
  if (nameless) return new PipelineError({ why: "a stage has no name" })
  if (twice !== undefined) return new PipelineError({ why: `the stage ${JSON.stringify(twice)} is there twice` })
  const asked = stages.slice(0, -1)
  return Effect.succeed({
    stages: [first, ...rest],
    names,
    launches,
    byName: (stage) => stages.find((one) => one.stage === stage),
    after: (stage) => stages.find((_, index) => names[index - 1] === stage),
    gatesUpTo: (stage) => {
      const upTo = asked.slice(0, names.indexOf(stage) + 1)
      return upTo.flatMap(({ gates, stage }, index) => {
        const later = new Set(upTo.slice(index + 1).flatMap((one) => one.gates))
        return Array.from(new Set(gates)).filter((gate) => !later.has(gate)).map((gate): StageGate => ({ gate, stage }))
      })
    }
  })
}
