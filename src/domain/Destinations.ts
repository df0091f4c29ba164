import type { Array as Arr } from "effect"
import { Context } from "effect"

/**
 * The destinations that are written to, each as the identifiers of its projects. A destination is an API token of
 * Plane: its projects share one budget of requests, so one process alone sends to all of them. The first destination
 * has the first project, which also gets what is of no project.
 */
export class Destinations extends Context.Tag("plane-sync/Destinations")<Destinations, {
  readonly all: Arr.NonEmptyReadonlyArray<Arr.NonEmptyReadonlyArray<string>>
}>() {}
