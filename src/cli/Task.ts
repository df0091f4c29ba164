import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import { Console, Effect, Layer, Option, Schema } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { WakeUps } from "../storage/WakeUps.js"
import { Pipeline } from "../tasks/Pipeline.js"
import type { Task } from "../tasks/Task.js"
import { ReportOutcome, TaskStatus } from "../tasks/Task.js"
import { TaskStore } from "../tasks/TaskStore.js"
import { TaskView, taskView } from "../views/TaskView.js"
import { database, databasePath, existingDatabase } from "./Database.js"
import { lineOf } from "./Help.js"
import { keyArgument } from "./KeyArgument.js"
import { leaderNotice } from "./LeaderNotice.js"
import { jsonLike, limit } from "./ListOptions.js"
import { moment, shown, shownWhole, table } from "./Table.js"
import { wrongUse } from "./WrongUse.js"

const status = Options.choice("status", TaskStatus.literals).pipe(
  Options.withDescription("Only tasks of this status"),
  Options.optional
)

const json = jsonLike("GET /api/tasks")

const toJson = Schema.encodeSync(Schema.parseJson(TaskView))

/** The gates that do not hold yet, and why. */
const open = ({ verdicts }: Task): ReadonlyArray<string> =>
  verdicts.flatMap(({ gate, reason, verdict }) =>
    verdict === "passed" ? [] : [`${gate} ${verdict}${reason === undefined ? "" : `: ${reason}`}`]
  )

const columns = (task: Task): ReadonlyArray<string> => [
  shown(task.workItem),
  task.status,
  shown(task.stage),
  shown(task.agent ?? "none"),
  moment(task.updatedAt),
  shown(open(task).join("; "))
]

const list = Command.make("list", { status, limit, json }, (options) =>
  Effect.gen(function*() {
    const tasks = yield* TaskStore
    const found = yield* tasks.list({ status: Option.getOrUndefined(options.status), limit: options.limit })
    if (options.json) return yield* Effect.forEach(found, (task) => Console.log(toJson(taskView(task))))
    if (found.length === 0) return yield* Console.error(`No such tasks in ${yield* databasePath}`)
    yield* Console.log(table([["task", "status", "stage", "agent", "changed", "open gates"], ...found.map(columns)]))
  }).pipe(Effect.asVoid)).pipe(Command.withDescription(lineOf("task list")))

const said = (name: string, what: string, reason: string | undefined, at: EpochMillis): ReadonlyArray<string> => [
  shownWhole(name),
  `${moment(at)} ${what}${reason === undefined ? "" : `: ${shownWhole(reason)}`}`
]

const launchOf = ({ launch }: Task): string => {
  if (launch === undefined) return "none"
  const place = launch.position === undefined ? "" : `, ${launch.position}. in line`
  return `${launch.state} since ${moment(launch.since)}${place}`
}

const show = Command.make("show", { key: keyArgument }, ({ key }) =>
  Effect.gen(function*() {
    const task = yield* Effect.flatMap(TaskStore, (tasks) => tasks.get(key.written))
    yield* Console.log(table([
      ["work item", shown(task.workItem)],
      ["plane id", task.itemId ?? "not known yet"],
      ["status", task.status],
      ["stage", shownWhole(task.stage)],
      ["agent", shownWhole(task.agent ?? "none")],
      ["launch", launchOf(task)],
      ["repository", shownWhole(task.repository?.name ?? "none")],
      ["pull request", task.pullRequest === undefined ? "none" : String(task.pullRequest)],
      ["head", shownWhole(task.headSha ?? "none")],
      ["transition", task.entry],
      ["started", moment(task.startedAt)],
      ["changed", moment(task.updatedAt)],
      ...task.verdicts.map(({ at, gate, reason, verdict }) => said(`gate ${gate}`, verdict, reason, at)),
      ...task.reports.map(({ at, outcome, reason, stage }) => said(`report on ${stage}`, outcome, reason, at))
    ]))
  })).pipe(Command.withDescription(lineOf("task show")))

/** Prints what was stored, and a notice when nobody continues with it soon. */
const stored = (task: Task) =>
  Effect.zipRight(
    Console.log(`${shown(task.workItem)} ${task.status} at ${shown(task.stage)}`),
    leaderNotice("the task")
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
  .pipe(Args.withDescription("passed or failed"))

const reason = Options.text("reason").pipe(
  Options.withDescription("Why it failed, in words for people"),
  Options.optional
)

const report = Command.make(
  "report",
  { key: keyArgument, outcome, stage, reason },
  (options) =>
    Effect.gen(function*() {
      const tasks = yield* TaskStore
      const task = yield* tasks.report(options.key.written, {
        stage: options.stage,
        outcome: options.outcome,
        reason: Option.getOrUndefined(options.reason)
      }).pipe(Effect.catchTag("UnknownStage", (error) => wrongUse(`--stage: ${error.message}`)))
      yield* stored(task)
    })
).pipe(Command.withDescription(lineOf("task report")))

// There are no gates and launchers here: a `serve` on the same file notices what was stored, and continues with it.
const store = TaskStore.layer.pipe(Layer.provide(Layer.merge(Pipeline.layerDefault, WakeUps.layer)))
const existing = Layer.provideMerge(store, existingDatabase)

/** `plane-sync task …`: the tasks of the orchestrator. */
export const task = Command.make(
  "task",
  {},
  () => wrongUse("task what? One of: list, show, start, report (see plane-sync task --help)")
).pipe(
  Command.withSubcommands([
    Command.provide(list, existing),
    Command.provide(show, existing),
    Command.provide(start, Layer.provideMerge(store, database)),
    Command.provide(report, existing)
  ]),
  Command.withDescription(lineOf("task"))
)
