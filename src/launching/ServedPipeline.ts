import type { ConfigError } from "effect"
import { Effect, Layer } from "effect"
import { defaultStages } from "../domain/PipelineStage.js"
import type { PipelineError } from "../tasks/Pipeline.js"
import { Pipeline } from "../tasks/Pipeline.js"
import { AgentConfig } from "./AgentConfig.js"

/** The pipeline of `serve`: the default stages. It knows whether the program launches agents. */
export const servedPipeline: Layer.Layer<Pipeline, ConfigError.ConfigError | PipelineError> = Layer.unwrapEffect(
  Effect.map(AgentConfig, ({ _tag }) => Pipeline.layer(defaultStages, { launches: _tag !== "Nobody" }))
)
