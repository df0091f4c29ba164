import * as Command from "@effect/cli/Command"
import type * as HttpClient from "@effect/platform/HttpClient"
import type { ConfigError } from "effect"
import { Console, Effect, Layer, Option } from "effect"
import type { Project } from "../domain/Project.js"
import { keyIn } from "../domain/Project.js"
import type { Projects } from "../domain/Projects.js"
import type { WorkItemKey } from "../domain/WorkItemKey.js"
import { CurrentProject } from "../plane/CurrentProject.js"
import { itemPage } from "../plane/ItemPage.js"
import { PlaneClient } from "../plane/PlaneClient.js"
import type { PlaneConfig } from "../plane/PlaneConfig.js"
import type { RateBudget } from "../plane/RateBudget.js"
import type { WorkItem } from "../plane/WorkItem.js"
import { lineOf } from "./Help.js"
import { keyArgument } from "./KeyArgument.js"
import { shown } from "./Table.js"
import { wrongUse } from "./WrongUse.js"

/**
 * The lines that show a work item. Controls are escaped, because anybody may have written them, and a terminal obeys.
 */
export const findLines = (
  config: PlaneConfig,
  project: Project,
  item: WorkItem,
  state: string | undefined
): ReadonlyArray<string> => [
  `key      ${keyIn(project, item.number)}`,
  `number   ${item.number}`,
  `name     ${shown(item.name)}`,
  `state    ${shown(state ?? Option.getOrElse(item.stateId, () => "none"))}`,
  `id       ${item.id}`,
  `address  ${itemPage(config, keyIn(project, item.number))}`
]

/** Finds the work item of a key. A key of no project is wrong use, because Plane is not even asked. */
export const findByKey = Effect.fnUntraced(function*(key: WorkItemKey) {
  const plane = yield* PlaneClient
  return yield* plane.find(key).pipe(
    Effect.retry({ while: ({ _tag }) => _tag === "ListUnread" }),
    Effect.catchTag("UnknownProject", (error) => wrongUse(error.message))
  )
})

/** Runs a command with a client of the project that a key names. */
export const withProjectOf = <A, E, R>(
  key: WorkItemKey,
  command: Effect.Effect<A, E, R>
): Effect.Effect<
  A,
  E | ConfigError.ConfigError,
  Exclude<R, PlaneClient | CurrentProject> | HttpClient.HttpClient | Projects | RateBudget
> =>
  Effect.provide(
    command,
    Layer.provideMerge(PlaneClient.layer, CurrentProject.layerOfKey(key.written))
  )

/** `plane-sync find ET-002`: shows the work item that has this key. */
export const find = Command.make("find", { key: keyArgument }, ({ key }) =>
  withProjectOf(
    key,
    Effect.gen(function*() {
      const plane = yield* PlaneClient
      const { config, project } = yield* CurrentProject
      const item = yield* findByKey(key)
      const states = yield* plane.states
      const state = states.find(({ id }) => Option.contains(item.stateId, id))
      yield* Console.log(findLines(config, project, item, state?.name).join("\n"))
    })
  )).pipe(
    Command.withDescription(lineOf("find"))
  )
