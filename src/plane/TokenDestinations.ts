import type { ConfigError } from "effect"
import { Array as Arr, Effect, Layer, Redacted } from "effect"
import { Destinations } from "../domain/Destinations.js"
import type { Project } from "../domain/Project.js"
import { Projects } from "../domain/Projects.js"
import { PlaneConfig } from "./PlaneConfig.js"

const byToken = (
  [first, ...others]: Arr.NonEmptyReadonlyArray<Project>,
  tokenOf: (project: Project) => string
): Arr.NonEmptyReadonlyArray<Arr.NonEmptyReadonlyArray<string>> => {
  const [rest, same] = Arr.partition(others, (project) => tokenOf(project) === tokenOf(first))
  return [
    [first.identifier, ...same.map(({ identifier }) => identifier)],
    ...(Arr.isNonEmptyReadonlyArray(rest) ? byToken(rest, tokenOf) : [])
  ]
}

/** A destination for each API token, in the order of the projects. */
export const tokenDestinations: Layer.Layer<Destinations, ConfigError.ConfigError, Projects> = Layer.effect(
  Destinations,
  Effect.zipWith(
    PlaneConfig,
    Projects,
    ({ apiToken }, { all }) =>
      Destinations.of({ all: byToken(all, ({ own }) => Redacted.value(own.apiToken ?? apiToken)) })
  )
)
