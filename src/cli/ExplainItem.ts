import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import { Console, DateTime, Duration, Effect, Layer, Option, Schema } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis } from "../base/Time.js"
import { projectsLayer } from "../config/ProjectsConfig.js"
import { TaskPullRequests } from "../gitea/TaskPullRequests.js"
import { Outbox } from "../outbox/Outbox.js"
import type { DestinationStatus } from "../sending/Destination.js"
import { WakeUps } from "../storage/WakeUps.js"
import { Pipeline } from "../tasks/Pipeline.js"
import { TaskStore } from "../tasks/TaskStore.js"
import { ExplainWorkItem } from "../views/ExplainWorkItem.js"
import type { NextView } from "../views/NextView.js"
import { WorkItemView } from "../views/WorkItemView.js"
import { existingDatabase } from "./Database.js"
import { lineOf } from "./Help.js"
import { keyArgument } from "./KeyArgument.js"
import { serverHealth } from "./LeaderNotice.js"
import { limit } from "./ListOptions.js"
import { shownWhole } from "./Table.js"
import { hanging } from "./Wrap.js"

const json = Options.boolean("json").pipe(
  Options.withDescription("Print one JSON object, as GET /api/work-items/{key} answers it")
)

const toJson = Schema.encodeSync(Schema.parseJson(WorkItemView))

const utc = (at: DateTime.Utc) => DateTime.formatIso(at).replace(/\.\d+Z$/, "Z")

/** When something is, from now: "in 12 s". What is due is not named by its moment. */
const when = (at: DateTime.Utc | null, now: EpochMillis): string => {
  if (at === null) return ""
  const ahead = DateTime.toEpochMillis(at) - now
  if (ahead <= 0) return ", as soon as it can"
  const seconds = Math.ceil(ahead / 1000)
  return `, in ${seconds < 120 ? `${seconds} s` : Duration.format(Duration.seconds(seconds))} (${utc(at)})`
}

const nextLines = ({ at, line, waits }: NextView, now: EpochMillis): ReadonlyArray<string> => [
  ...hanging("next: ", shownWhole(`${line}${when(at, now)}`)),
  ...waits.flatMap((wait) => hanging("waits for: ", shownWhole(wait)))
]

/** What is printed: the work item, its story, and what is next. */
export const explainLines = (item: WorkItemView, now: EpochMillis): ReadonlyArray<string> => {
  const { gone, key, next, owed, state, stateName, story, task, workItem } = item
  const facts = [
    workItem === null ? "not found in Plane yet" : `in Plane ${workItem}`,
    ...(state === null ? [] : [stateName === null ? `its state has the id ${state}` : `in the state ${stateName}`]),
    ...(gone ? ["deleted or archived when it was last seen"] : []),
    task === null ? "no task" : `a task, ${task.status} at ${task.stage}`,
    `${owed} owed`
  ]
  return [
    ...hanging(`${shownWhole(key)}: `, shownWhole(facts.join(", "))),
    ...story.flatMap(({ at, line, took }) =>
      hanging(`${utc(at)}  `, shownWhole(took === null ? line : `${line} (${took} ms)`))
    ),
    ...nextLines(next, now)
  ]
}

/**
 * What the server at `ORCH_HOST` and `ORCH_PORT` says of Plane for a project. Undefined if none answers, or nobody sends.
 */
const planeOf = Effect.gen(function*() {
  const leader = yield* (yield* Outbox).leader
  const health = leader?.active === true ? yield* Effect.option(serverHealth) : Option.none()
  const projects = Option.match(health, { onNone: () => [], onSome: ({ projects }) => projects })
  return (identifier: string): DestinationStatus | undefined => {
    const known = projects.find(({ project }) => project === identifier)
    if (known === undefined) return undefined
    const { nextProbeAt, reason = "", since, state } = known
    return state === "open" || since === undefined ? { open: true } : {
      open: false,
      since,
      reason,
      notLookedAt: false,
      error: Option.none(),
      nextProbeAt: Option.fromNullable(nextProbeAt)
    }
  }
})

const layer = ExplainWorkItem.layer.pipe(
  Layer.provide(TaskPullRequests.layer),
  Layer.provide(TaskStore.layer),
  Layer.provide([Layer.provide(Pipeline.layerProjects(), projectsLayer), WakeUps.layer, projectsLayer]),
  Layer.provideMerge(existingDatabase)
)

/** `plane-sync explain ET-2`: the whole story of a work item, and what is next. */
export const explainItem = Command.make(
  "explain",
  { key: keyArgument, limit, json },
  ({ json, key, limit }) =>
    Effect.gen(function*() {
      const { explain } = yield* ExplainWorkItem
      const item = yield* explain(key, limit, yield* planeOf)
      if (json) return yield* Console.log(toJson(item))
      yield* Console.log(explainLines(item, yield* epochMillis).join("\n"))
    })
).pipe(
  Command.provide(layer),
  Command.withDescription(lineOf("explain"))
)
