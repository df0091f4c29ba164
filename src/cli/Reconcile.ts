import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import { Console, Duration, Effect, Either, Layer } from "effect"
import { connections } from "../base/Connections.js"
import { counted } from "../base/Text.js"
import { projectsLayer } from "../config/ProjectsConfig.js"
import type { StateId } from "../domain/StageStates.js"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import { RateBudgets } from "../plane/RateBudgets.js"
import type { Difference, Progress } from "../repair/Differences.js"
import { differencesOf, openProject, setStates } from "../repair/Differences.js"
import { makeRound } from "../repair/Round.js"
import type { PlaneProject } from "../sending/PlaneProjects.js"
import { PlaneProjects } from "../sending/PlaneProjects.js"
import { Storage } from "../storage/Storage.js"
import { WakeUps } from "../storage/WakeUps.js"
import { Pipeline } from "../tasks/Pipeline.js"
import { TaskStore } from "../tasks/TaskStore.js"
import { Inbox } from "../webhooks/Inbox.js"
import { existingDatabase } from "./Database.js"
import { lineOf } from "./Help.js"
import { leaderNotice } from "./LeaderNotice.js"
import { invalidOption } from "./ListOptions.js"
import { shown, table } from "./Table.js"
import { wrongUse } from "./WrongUse.js"

/** So many are set without being asked for by --yes. */
const mostUnasked = 20

/** Who waits is told after each so many. */
const everySoMany = 25

/** Plane's workers may not have written yet who has moved a work item. */
const writtenWithin = "2 seconds"

const dryRun = Options.boolean("dry-run").pipe(
  Options.withDescription("Only show what differs: nothing is set, and nothing is heard")
)

const force = Options.text("force").pipe(
  Options.withPseudoName("key"),
  Options.withDescription("Set the state of this work item too, although somebody else has moved it; repeatable"),
  Options.repeated,
  Options.mapEffect((keys) =>
    Either.mapLeft(
      Either.all(keys.map((key) => WorkItemKey.parse(key))),
      (message) => invalidOption(`--force: ${message}`)
    )
  )
)

const yes = Options.boolean("yes").pipe(
  Options.withDescription(`Set the states of more than ${mostUnasked} work items`)
)

const progress: Progress = (done, of, what) =>
  of > everySoMany && (done % everySoMany === 0 || done === of)
    ? Console.error(`${done} of ${of} ${what}`)
    : Effect.void

/** Plane has a budget for each API token: the leader sets one state after the other, each with a look before it. */
const estimate = (count: number, { config: { rateLimit: { requests, window } } }: PlaneProject) => {
  const seconds = Math.ceil((count * 2 * Duration.toSeconds(window)) / requests)
  const unit = Duration.toMillis(window) === 1_000 ? "second" : "minute"
  return `${counted(count, "work item", "work items")}, about ${Duration.format(Duration.seconds(seconds))} at ` +
    `${requests}/${unit}`
}

/** Hears, or (`isDry`) only shows, what no webhook has told of a project. */
const hear = (project: PlaneProject, isDry: boolean) =>
  Effect.gen(function*() {
    const inbox = yield* Inbox
    const round = makeRound({
      project,
      storage: yield* Storage,
      tasks: yield* TaskStore,
      withSlot: (use) => project.budget.withSlot(undefined, use),
      store: isDry ? undefined : inbox.store
    })
    let heard = 0
    for (;;) {
      const { found, left } = yield* round
      for (const { key, stateName } of found) {
        yield* Console.log(`${key} is in ${shown(stateName)}, and no webhook has told it${isDry ? "" : ": heard now"}`)
      }
      heard += found.length
      if (left === 0) return heard
      yield* Console.error(`${counted(left, "work item is", "work items are")} still to be looked at`)
      if (found.length === 0) yield* Effect.sleep(writtenWithin)
    }
  })

const rowOf = ({ place }: PlaneProject, isForced: (one: Difference) => boolean) => (one: Difference) => {
  const nameOf = (state: StateId | null) =>
    shown(place.current()?.listed?.find(({ id }) => id === state)?.name ?? state ?? "none")
  return [
    one.key,
    shown(one.stage),
    nameOf(one.shown),
    nameOf(one.wanted),
    one.isOurs ? "plane-sync" : "somebody else",
    one.isOurs || isForced(one) ? "is set" : `is left: --force ${one.key} sets it`
  ]
}

const run = ({ dryRun, force, yes }: {
  readonly dryRun: boolean
  readonly force: ReadonlyArray<WorkItemKey>
  readonly yes: boolean
}) =>
  Effect.gen(function*() {
    const storage = yield* Storage
    const { all } = yield* PlaneProjects
    const forced = new Set(force.map(({ canonical }) => canonical))
    const isForced = ({ key }: Difference) => forced.has(key)
    const differences: Array<Difference> = []
    const rows: Array<ReadonlyArray<string>> = []
    let heard = 0
    for (const project of all) {
      yield* project.destination.watch
      yield* openProject(project)
      heard += yield* hear(project, dryRun)
      const withSlot = project.budget.withSlot
      const found = yield* differencesOf({
        project,
        storage,
        withSlot: (use) => withSlot(undefined, use),
        progress
      })
      differences.push(...found)
      rows.push(...found.map(rowOf(project, isForced)))
    }
    const missing = [...forced].find((key) => !differences.some((one) => one.key === key))
    if (missing !== undefined) {
      return yield* wrongUse(`--force ${missing}: its state does not differ from that of its stage`)
    }
    if (rows.length === 0) yield* Console.log("No work item is in another state than that of its stage")
    else yield* Console.log(table([["work item", "stage", "is in", "stage's state", "last moved by", ""], ...rows]))
    const toSet = differences.filter((one) => one.isOurs || isForced(one))
    if (toSet.length > 0) yield* Console.error(estimate(toSet.length, all[0]))
    if (dryRun) return yield* Console.log(`would set ${toSet.length}`)
    if (toSet.length > mostUnasked && !yes) {
      return yield* wrongUse(`${toSet.length} work items would be set: repeat it with --yes, or look with --dry-run`)
    }
    const set = yield* setStates(storage, toSet)
    yield* Console.log(`set ${set}`)
    if (set + heard > 0) yield* leaderNotice("what was found")
  }).pipe(Effect.scoped)

const services = Layer.mergeAll(PlaneProjects.layer, Inbox.layer, TaskStore.layer).pipe(
  Layer.provide([RateBudgets.layer, connections, Pipeline.layerDefault, WakeUps.layer]),
  Layer.provide(projectsLayer),
  Layer.provideMerge(existingDatabase)
)

/** `plane-sync reconcile`: reads what no webhook has told, and sets the states that differ from their stages. */
export const reconcile = Command.make("reconcile", { dryRun, force, yes }, run).pipe(
  Command.provide(services),
  Command.withDescription(lineOf("reconcile"))
)
