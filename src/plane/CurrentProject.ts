import type { ConfigError } from "effect"
import { Context, Effect, Layer } from "effect"
import type { KnownPlace, Place } from "../domain/Place.js"
import type { Project } from "../domain/Project.js"
import { Projects } from "../domain/Projects.js"
import { givenIds, resolved } from "../domain/StageStates.js"
import { PlaneConfig } from "./PlaneConfig.js"

/** The one project that a `PlaneClient`, and everything that is built upon it, is about. */
export class CurrentProject extends Context.Tag("plane-sync/CurrentProject")<CurrentProject, {
  readonly project: Project
  /** The settings of Plane as they are for this project. */
  readonly config: PlaneConfig
  readonly place: KnownPlace
  /** The identifiers of all projects, this one among them. */
  readonly identifiers: ReadonlyArray<string>
}>() {
  /** The project that a key names, or the first if it names none. What Plane says of it is kept in memory. */
  static readonly layerOfKey = (key: string): Layer.Layer<CurrentProject, ConfigError.ConfigError, Projects> =>
    Layer.effect(
      CurrentProject,
      Effect.zipWith(PlaneConfig, Projects, (config, { all, ofKey }) => {
        const project = ofKey(key) ?? all[0]
        return currentProject(config, all, project, keptPlace(project, undefined))
      })
    )
}

/** `CurrentProject` for one of several projects. */
export const currentProject = (
  config: PlaneConfig,
  all: ReadonlyArray<Project>,
  project: Project,
  place: KnownPlace
): CurrentProject["Type"] => ({
  project,
  config: { ...config, ...project.own },
  place,
  identifiers: all.map(({ identifier }) => identifier)
})

/**
 * Keeps where a project is for as long as the program runs. An id that is set wins over what was kept before. `save` is
 * told of each new place.
 */
export const keptPlace = (
  { id, stages }: Project,
  before: Place | undefined,
  save: (place: Place) => Effect.Effect<void> = () => Effect.void
): KnownPlace => {
  const statesOf = (known: Place | undefined) =>
    known?.listed === undefined ? givenIds(stages) : resolved(stages, known.listed)
  let place = id === undefined || before?.id === id ? before : { id, listed: undefined }
  let states = statesOf(place)
  const learn = (next: Place) => {
    place = next
    states = statesOf(next)
  }
  return {
    current: () => place,
    set: (next) => {
      learn(next)
      return save(next)
    },
    learn,
    states: () => states
  }
}
