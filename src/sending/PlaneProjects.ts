import type * as HttpClient from "@effect/platform/HttpClient"
import type { Array as Arr, ConfigError } from "effect"
import { Context, Effect, Layer } from "effect"
import type { KnownPlace } from "../domain/Place.js"
import type { Project } from "../domain/Project.js"
import { Projects } from "../domain/Projects.js"
import { Outbox } from "../outbox/Outbox.js"
import { CurrentProject, currentProject, keptPlace } from "../plane/CurrentProject.js"
import { PlaneClient } from "../plane/PlaneClient.js"
import { PlaneConfig } from "../plane/PlaneConfig.js"
import { RateBudget } from "../plane/RateBudget.js"
import { RateBudgets } from "../plane/RateBudgets.js"
import type { StorageError } from "../storage/StorageError.js"
import { Destination } from "./Destination.js"

/** A project with what writes to it. Projects share nothing but the budget of an API token. */
export interface PlaneProject {
  readonly project: Project
  readonly config: PlaneConfig
  readonly place: KnownPlace
  readonly client: PlaneClient["Type"]
  readonly destination: Destination["Type"]
  readonly budget: RateBudget["Type"]
}

/** The projects, each with its own `PlaneClient` and `Destination`. */
export class PlaneProjects extends Context.Tag("plane-sync/PlaneProjects")<PlaneProjects, {
  readonly all: Arr.NonEmptyReadonlyArray<PlaneProject>
}>() {
  static readonly layer: Layer.Layer<
    PlaneProjects,
    ConfigError.ConfigError | StorageError,
    HttpClient.HttpClient | Outbox | Projects | RateBudgets
  > = Layer.scoped(PlaneProjects, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const { all } = yield* Projects
  const config = yield* PlaneConfig
  const budgets = yield* RateBudgets
  const outbox = yield* Outbox
  const places = yield* outbox.places

  const open = (project: Project) =>
    Effect.gen(function*() {
      const place = keptPlace(
        project,
        places.get(project.identifier),
        // What is not kept is asked for again after the next start.
        (place) => Effect.ignore(outbox.keepPlace(project.identifier, place))
      )
      const current = currentProject(config, all, project, place)
      const budget = yield* budgets.of(current.config.apiToken)
      const services = yield* Layer.build(
        Layer.fresh(Destination.layer).pipe(
          Layer.provideMerge(Layer.fresh(PlaneClient.layer)),
          Layer.provide([Layer.succeed(CurrentProject, current), Layer.succeed(RateBudget, budget)])
        )
      )
      return {
        project,
        config: current.config,
        place,
        client: Context.get(services, PlaneClient),
        destination: Context.get(services, Destination),
        budget
      }
    })

  return PlaneProjects.of({ all: yield* Effect.forEach(all, open) })
})
