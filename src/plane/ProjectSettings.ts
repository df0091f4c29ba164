import type { ConfigError } from "effect"
import { Config, Either, Layer, ParseResult, Schema } from "effect"
import type { Accepted } from "../base/Setting.js"
import { defineSetting, given, matching } from "../base/Setting.js"
import type { Project } from "../domain/Project.js"
import { Projects } from "../domain/Projects.js"
import { defaultStageStates, StageStates } from "../domain/StageStates.js"

const StageStatesText = Schema.parseJson(StageStates)

const stageStates: Accepted<StageStates> = {
  expected: `JSON, stage → state id, like {"done":"381a2833-3c4e-4be5-bd0f-be84cb946ad8"}`,
  parse: (text) =>
    Either.mapLeft(Schema.decodeEither(StageStatesText)(text), (error) => {
      const [first] = ParseResult.ArrayFormatter.formatErrorSync(error)
      const where = first === undefined ? "" : ` (${[...first.path, first.message].join(": ")})`
      return `${given(text)} is not a table of states${where}`
    })
}

/** The settings of the project that is written to. */
export const projectSettings = {
  id: defineSetting({
    name: "ORCH_PLANE_PROJECT_ID",
    about: "The id of the project to write to.",
    accepts: matching(
      /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
      `a project's UUID, like "7a79f0a9-5278-49cd-9007-9a338f238f9c"`,
      (text) => text.toLowerCase()
    ),
    default: "7a79f0a9-5278-49cd-9007-9a338f238f9c"
  }),
  identifier: defineSetting({
    name: "ORCH_PLANE_PROJECT_IDENTIFIER",
    about: "What the keys of its work items begin with: ET in ET-2.",
    accepts: matching(/^[\p{L}\p{N}]{1,12}$/u, `1 to 12 letters or digits, like "ET"`, (text) => text.toUpperCase()),
    default: "ET"
  }),
  states: defineSetting({
    name: "ORCH_PLANE_STAGE_STATES",
    about:
      "The Plane state of each stage, as JSON: stage name to state id. A stage that is not listed changes no state; " +
      "its comment is sent all the same.",
    accepts: stageStates,
    default: Schema.encodeSync(StageStatesText)(defaultStageStates)
  })
}

/** The project that the settings name. */
export const projectConfig: Config.Config<Project> = Config.all(projectSettings)

/** The project that the settings name, for every room that needs one. */
export const projectsLayer: Layer.Layer<Projects, ConfigError.ConfigError> = Layer.effect(
  Projects,
  Config.map(projectConfig, (project) => ({ project }))
)
