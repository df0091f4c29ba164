import * as Command from "@effect/cli/Command"
import { Console, Effect } from "effect"
import type { Project } from "../domain/Project.js"
import { keyIn } from "../domain/Project.js"
import { Projects } from "../domain/Projects.js"
import type { WorkItemKey } from "../domain/WorkItemKey.js"
import { PlaneClient } from "../plane/PlaneClient.js"
import { PlaneConfig } from "../plane/PlaneConfig.js"
import type { WorkItem } from "../plane/WorkItem.js"
import { lineOf } from "./Help.js"
import { keyArgument } from "./KeyArgument.js"
import { shown } from "./Table.js"
import { wrongUse } from "./WrongUse.js"

/** The page where a person sees the work item. */
export const webAddress = ({ url, workspaceSlug }: PlaneConfig, project: Project, item: WorkItem): string =>
  `${url}/${workspaceSlug}/browse/${keyIn(project, item.number)}/`

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
  `state    ${shown(state ?? item.stateId ?? "none")}`,
  `id       ${item.id}`,
  `address  ${webAddress(config, project, item)}`
]

/** Finds the work item of a key. A key of another project is wrong use, because Plane is not even asked. */
export const findByKey = Effect.fnUntraced(function*(key: WorkItemKey) {
  const plane = yield* PlaneClient
  return yield* plane.find(key).pipe(
    Effect.retry({ while: ({ _tag }) => _tag === "ListUnread" }),
    Effect.catchTag("UnknownProject", (error) => wrongUse(error.message))
  )
})

/** `plane-sync find ET-002`: shows the work item that has this key. */
export const find = Command.make("find", { key: keyArgument }, ({ key }) =>
  Effect.gen(function*() {
    const plane = yield* PlaneClient
    const config = yield* PlaneConfig
    const { project } = yield* Projects
    const item = yield* findByKey(key)
    const states = yield* plane.states
    const state = states.find(({ id }) => id === item.stateId)
    yield* Console.log(findLines(config, project, item, state?.name).join("\n"))
  })).pipe(
    Command.withDescription(lineOf("find"))
  )
