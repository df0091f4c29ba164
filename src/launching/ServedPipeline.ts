import type { ConfigError } from "effect"
import { Effect, Layer } from "effect"
import type { Projects } from "../domain/Projects.js"
import type { PipelineError } from "../tasks/Pipeline.js"
import { Pipeline } from "../tasks/Pipeline.js"
import { AgentConfig } from "./AgentConfig.js"

/** The pipelines of `serve`: each project's own. They know whether the program launches agents. */
export const servedPipeline: Layer.Layer<
  Pipeline,
  ConfigError.ConfigError | PipelineError,
  Projects
> = Layer.unwrapEffect(
  Effect.map(AgentConfig, ({ _tag }) => Pipeline.layerProjects({ launches: _tag !== "Nobody" }))
)
