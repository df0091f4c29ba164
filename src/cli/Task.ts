import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import type { DateTime } from "effect"
import { Console, Effect, Layer, Option, Schema } from "effect"
import { projectsLayer } from "../config/ProjectsConfig.js"
import { Projects } from "../domain/Projects.js"
import { receiptLines } from "../domain/ReceiptLines.js"
import { StageEvents } from "../events/StageEvents.js"
import type { Considered } from "../gitea/Standing.js"
import { nameOf, stateOf } from "../gitea/Standing.js"
import { TaskPullRequests } from "../gitea/TaskPullRequests.js"
import { servedPipeline } from "../launching/ServedPipeline.js"
import type { WorkItemLink } from "../outbox/WorkItemLinks.js"
import { readWaiting } from "../people/Waiting.js"
import { Storage } from "../storage/Storage.js"
import { WakeUps } from "../storage/WakeUps.js"
import { activeTask, pauseByHand } from "../tasks/ByHand.js"
import type { Override } from "../tasks/Overrule.js"
import { makeOverrule } from "../tasks/Overrule.js"
import { Pipeline } from "../tasks/Pipeline.js"
import type { Task } from "../tasks/Task.js"
import { ReportOutcome, TaskStatus } from "../tasks/Task.js"
import { TaskStore } from "../tasks/TaskStore.js"
import { TaskView, taskView } from "../views/TaskView.js"
import { database, databasePath, existingDatabase } from "./Database.js"
import { lineOf } from "./Help.js"
import { keyArgument } from "./KeyArgument.js"
import { leaderNotice } from "./LeaderNotice.js"
import { linkOption } from "./LinkOption.js"
import { instantOption, jsonLike, limit } from "./ListOptions.js"
import { moment, shown, shownWhole, table } from "./Table.js"
import { usageGiven, usageOptions } from "./UsageOptions.js"
import { wrongUse } from "./WrongUse.js"

const status = Options.choice("status", TaskStatus.literals).pipe(
  Options.withDescription("Only tasks of this status"),
  Options.optional
)

const json = jsonLike("GET /api/tasks")

const toJson = Schema.encodeSync(Schema.parseJson(TaskView))

const colon = (words: Option.Option<string>) =>
  Option.match(words, { onNone: () => "", onSome: (words) => `: ${words}` })

const none = () => "none"

/** The gates that do not hold yet, and why. */
const open = ({ verdicts }: Task): ReadonlyArray<string> =>
  verdicts.flatMap(({ gate, reason, verdict }) => verdict === "passed" ? [] : [`${gate} ${verdict}${colon(reason)}`])

const columns = (task: Task): ReadonlyArray<string> => [
  shown(task.workItem),
  task.status,
  shown(task.stage),
  shown(Option.getOrElse(task.agent, none)),
  moment(task.updatedAt),
  shown(open(task).join("; "))
]

const since = instantOption("since", "Only tasks that have changed since")

const list = Command.make("list", { status, since, limit, json }, (options) =>
  Effect.gen(function*() {
    const tasks = yield* TaskStore
    const found = yield* tasks.list({
      status: Option.getOrUndefined(options.status),
      since: Option.getOrUndefined(options.since),
      limit: options.limit
    })
    if (options.json) {
      const view = taskView(yield* Projects, yield* readWaiting(yield* Storage, found))
      return yield* Effect.forEach(found, (task) => Console.log(toJson(view(task))))
    }
    if (found.length === 0) return yield* Console.error(`No such tasks in ${yield* databasePath}`)
    yield* Console.log(table([["task", "status", "stage", "agent", "changed", "open gates"], ...found.map(columns)]))
  }).pipe(Effect.asVoid)).pipe(Command.withDescription(lineOf("task list")))

const said = (
  name: string,
  what: string,
  reason: Option.Option<string>,
  at: DateTime.Utc
): ReadonlyArray<string> => [
  shownWhole(name),
  `${moment(at)} ${what}${colon(Option.map(reason, shownWhole))}`
]

const launchOf = ({ launch }: Task): string =>
  Option.match(launch, {
    onNone: none,
    onSome: ({ position, since, state }) => {
      const place = Option.match(position, { onNone: () => "", onSome: (position) => `, ${position}. in line` })
      return `${state} since ${moment(since)}${place}`
    }
  })

/** A pull request that is about the task, and whether it counts: "acme/widgets#12 open, counts". */
const inWords = ({ isRevert = false, pullRequest, whyNot }: Considered): string =>
  `${nameOf(pullRequest)} ${stateOf(pullRequest)}, ${isRevert ? "a revert that " : ""}` +
  (whyNot === undefined ? "counts" : `does not count: ${whyNot}`)

/** A link that the work item is to have, and whether Plane has it. */
const linkInWords = ({ givenUp, inPlane, kind, title, url }: WorkItemLink): string =>
  `${kind} ${url} "${title}" ` + (inPlane
    ? "is in Plane"
    : Option.match(givenUp, { onNone: () => "is owed", onSome: (why) => `was given up: ${why}` }))

const show = Command.make("show", { key: keyArgument }, ({ key }) =>
  Effect.gen(function*() {
    const tasks = yield* TaskStore
    const task = yield* tasks.get(key.written)
    const { consider } = yield* TaskPullRequests
    const considered = yield* consider(task)
    const links = yield* tasks.links(task)
    const story = yield* tasks.story(task.id)
    const waits = (yield* readWaiting(yield* Storage, [task])).get(task.id) ?? []
    yield* Console.log(table([
      ["work item", shown(task.workItem)],
      ["plane id", Option.getOrElse(task.itemId, () => "not known yet")],
      ["status", task.status],
      ...Option.toArray(task.why).map((why) => ["why", shownWhole(why)]),
      ["stage", shownWhole(task.stage)],
      ["agent", shownWhole(Option.getOrElse(task.agent, none))],
      ["launch", launchOf(task)],
      ...Option.toArray(task.paused).map(({ by, since }) => [
        "no launches",
        `since ${moment(since)}, by /pause of ${shownWhole(by)}`
      ]),
      ["repository", shownWhole(Option.match(task.repository, { onNone: none, onSome: ({ name }) => name }))],
      ["pull request", Option.match(task.pullRequest, { onNone: none, onSome: String })],
      ["head", shownWhole(Option.getOrElse(task.headSha, none))],
      ["transition", task.entry],
      ["started", moment(task.startedAt)],
      ["changed", moment(task.updatedAt)],
      ...receiptLines(task.receipt).map((line) => ["taken so far", shownWhole(line)]),
      ...considered.map((one) => ["considered", shownWhole(inWords(one))]),
      ...waits.map(({ openedAt, question, reason }) => [
        "waits for somebody",
        `since ${moment(openedAt)} (${reason}): ${shownWhole(question)}`
      ]),
      ...links.map((link) => ["link", shownWhole(linkInWords(link))]),
      ...task.verdicts.map(({ gate, reason, since, stage, verdict }) =>
        said(`gate ${gate} of ${stage}`, verdict, reason, since)
      ),
      ...task.reports.map(({ at, outcome, reason, stage }) => said(`report on ${stage}`, outcome, reason, at)),
      ...story.map(({ at, line }) => ["story", `${moment(at)} ${shownWhole(line)}`])
    ]))
  })).pipe(Command.withDescription(lineOf("task show")))

/** Prints what was stored, and a notice when nobody continues with it soon. */
const stored = (task: Task) =>
  Effect.zipRight(
    Console.log(`${shown(task.workItem)} ${task.status} at ${shown(task.stage)}`),
    Effect.zipRight(
      Option.match(task.why, { onNone: () => Effect.void, onSome: (why) => Console.error(shownWhole(why)) }),
      leaderNotice("the task")
    )
  )

const agent = Options.text("agent").pipe(
  Options.withDescription("Use this agent at every stage of this task"),
  Options.optional
)

const start = Command.make("start", { key: keyArgument, agent }, (options) =>
  Effect.gen(function*() {
    const tasks = yield* TaskStore
    const given = { workItem: options.key.written, agent: Option.getOrUndefined(options.agent) }
    yield* stored(yield* tasks.start(given))
  })).pipe(Command.withDescription(lineOf("task start")))

const stage = Options.text("stage").pipe(Options.withDescription("The stage that passed or failed"))

const outcome = Args.choice(ReportOutcome.literals.map((outcome) => [outcome, outcome] as const), { name: "outcome" })
  .pipe(Args.withDescription("What has become of the stage"))

const reason = Options.text("reason").pipe(
  Options.withDescription("Why it failed, or why it is overruled, in words for people"),
  Options.optional
)

const override = Options.boolean("override").pipe(
  Options.withDescription(
    "The task leaves this stage, at which it must be, whatever its gates say: with --by and --reason"
  )
)

const by = Options.text("by").pipe(
  Options.withDescription("Who overrules the stage; only with --override"),
  Options.optional
)

// The event of an override is published in the same commit. It names the agent only where one is launched.
const publishing = StageEvents.layer.pipe(
  Layer.merge(servedPipeline),
  Layer.provide([projectsLayer, WakeUps.layer])
)

/** Takes a task out of its stage whatever the gates say. It takes no token, because it takes the database. */
const overrule = (key: string, given: Override) =>
  Effect.gen(function*() {
    const overrule = makeOverrule(
      yield* Storage,
      yield* StageEvents,
      yield* Pipeline,
      yield* TaskStore,
      yield* Projects
    )
    const { from, overruledBy, task, to } = yield* overrule(key, given)
    yield* Console.log(`${shown(task.workItem)} ${shown(from)} → ${shown(to)}, overruled by ${shown(overruledBy)}`)
    yield* leaderNotice("the task")
  }).pipe(Effect.provide(publishing))

const report = Command.make(
  "report",
  { key: keyArgument, outcome, stage, reason, override, by, links: linkOption, ...usageOptions },
  (options) =>
    Effect.gen(function*() {
      const { key: { written }, links, outcome, stage } = options
      const [by, reason] = [Option.getOrUndefined(options.by), Option.getOrUndefined(options.reason)]
      const { id, usage } = yield* usageGiven(options)
      if (options.override) {
        if (outcome !== "passed") return yield* wrongUse("--override passes a stage: expected the outcome passed")
        if (by === undefined || reason === undefined) {
          return yield* wrongUse("--override needs --by, who overrules the stage, and --reason")
        }
        if (usage !== undefined) return yield* wrongUse("--override is no agent's work: it has no usage")
        return yield* overrule(written, { stage, by, reason, links })
      }
      if (by !== undefined) return yield* wrongUse("--by is only for --override")
      yield* stored(yield* (yield* TaskStore).report(written, { stage, outcome, reason, usage, id, links }))
    }).pipe(Effect.catchTag("UnknownStage", (error) => wrongUse(`--stage: ${error.message}`)))
).pipe(Command.withDescription(lineOf("task report")))

const pause = Command.make(
  "pause",
  {
    key: keyArgument,
    by: Options.text("by").pipe(Options.withDescription("Who pauses the task"), Options.optional),
    reason: Options.text("reason").pipe(Options.withDescription("Why, in words for people"), Options.optional)
  },
  ({ by, key, reason }) =>
    Effect.gen(function*() {
      const task = yield* pauseByHand(yield* TaskStore, key.written, {
        by: Option.getOrElse(by, () => "the command line"),
        reason: Option.getOrUndefined(reason)
      })
      yield* Console.log(`${shown(task.workItem)} ${task.status} at ${shown(task.stage)}`)
    })
).pipe(Command.withDescription(lineOf("task pause")))

const advance = Command.make("advance", { key: keyArgument }, ({ key }) =>
  Effect.gen(function*() {
    const tasks = yield* TaskStore
    const { write } = yield* Storage
    const task = yield* activeTask(tasks, key.written)
    yield* write(tasks.touch(task.id))
    yield* stored(task)
  })).pipe(Command.withDescription(lineOf("task advance")))

// There are no gates and launchers here: a `serve` on the same file notices what was stored, and continues with it.
const store = TaskStore.layer.pipe(
  Layer.provide(Layer.merge(Pipeline.layerProjects(), WakeUps.layer)),
  Layer.provideMerge(projectsLayer)
)
const existing = Layer.provideMerge(store, existingDatabase)

/** `plane-sync task …`: the tasks of the orchestrator. */
export const task = Command.make("task").pipe(
  Command.withSubcommands([
    Command.provide(list, existing),
    Command.provide(show, Layer.provideMerge(TaskPullRequests.layer, existing)),
    Command.provide(start, Layer.provideMerge(store, database)),
    Command.provide(report, existing),
    Command.provide(pause, existing),
    Command.provide(advance, existing)
  ]),
  Command.withDescription(lineOf("task"))
)
