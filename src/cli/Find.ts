import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import { Console, Effect, Either } from "effect"
import { cleanLine, textLimit } from "../base/Text.js"
import type { Project } from "../domain/Project.js"
import { keyIn } from "../domain/Project.js"
import { Projects } from "../domain/Projects.js"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import type { WorkItem } from "../plane/PlaneClient.js"
import { PlaneClient } from "../plane/PlaneClient.js"
import { PlaneConfig } from "../plane/PlaneConfig.js"
import { wrongUse } from "./Failure.js"
import { lineOf } from "./Help.js"

/** The key of a work item on the command line; what is none is wrong use, in words. */
export const keyArgument: Args.Args<WorkItemKey> = Args.text({ name: "key" }).pipe(
  Args.withDescription("The work item as people name it, leading zeros or not: ET-2, ET-002"),
  Args.mapEffect((text) => Either.mapLeft(WorkItemKey.parse(text), (message) => HelpDoc.p(message)))
)

/** Where a person sees the work item. */
export const webAddress = ({ url, workspaceSlug }: PlaneConfig, project: Project, item: WorkItem): string =>
  `${url}/${workspaceSlug}/browse/${keyIn(project, item.number)}/`

/** The lines that show a work item. Its name was written by anybody, and a terminal obeys control characters. */
export const findLines = (
  config: PlaneConfig,
  project: Project,
  item: WorkItem,
  state: string | undefined
): ReadonlyArray<string> => [
  `key      ${keyIn(project, item.number)}`,
  `number   ${item.number}`,
  `name     ${cleanLine(item.name, textLimit)}`,
  `state    ${cleanLine(state ?? item.stateId ?? "none", textLimit)}`,
  `id       ${item.id}`,
  `address  ${webAddress(config, project, item)}`
]

/** The work item of a key; one of another project is wrong use, for Plane is not even asked. */
export const findByKey = Effect.fnUntraced(function*(key: WorkItemKey) {
  const plane = yield* PlaneClient
  return yield* Effect.catchTag(plane.find(key), "UnknownProject", (error) => wrongUse(error.message))
})

/** `plane-sync find ET-002`: the work item that people call so. */
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
