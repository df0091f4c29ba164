import { Schema } from "effect"
import { cleanLine, textLimit } from "../base/Text.js"
import { addUsage, byModel, cleanUsage, UsageSum } from "./Usage.js"

/** How many stages, pull requests and models a receipt names at most. */
const mostStages = 100
const mostPullRequests = 20
const mostModels = 20

const whole = Schema.Number.pipe(Schema.int(), Schema.between(0, Number.MAX_SAFE_INTEGER))

/** What a task has taken at one stage, over all of its entries. */
export const StageShare = Schema.Struct({
  stage: Schema.String,
  seconds: whole.annotations({
    description: "how long the task was active at the stage, in seconds; while it is paused or stopped none pass"
  }),
  attempts: whole.annotations({
    description: "how often work on the stage has begun: its entries, and each time that a stopped task goes on in it"
  }),
  failedGates: whole.annotations({ description: "how many failures of gates were told at the stage" })
}).annotations({ identifier: "StageShare" })
export type StageShare = typeof StageShare.Type

/** What a task has taken, over all of its attempts and restarts. */
export const TaskReceipt = Schema.Struct({
  stages: Schema.Array(StageShare).pipe(Schema.maxItems(mostStages)),
  pullRequests: Schema.Array(Schema.String.annotations({ description: "like acme/widgets#12" })).pipe(
    Schema.maxItems(mostPullRequests)
  ),
  usage: Schema.Array(UsageSum).pipe(Schema.maxItems(mostModels)).annotations({
    description:
      "what agents have reported, one for each model; of the event that tells an end, without the usage of events"
  })
}).annotations({ identifier: "TaskReceipt" })

/**
 * What a task has taken, over all of its attempts and restarts: `stages` in the order of the pipeline, `pullRequests`
 * by their names ("acme/widgets#12"), `usage` by model, the costliest first.
 */
export type TaskReceipt = typeof TaskReceipt.Type

/** The models after the first few count as one without a name, so that no number is lost. */
const boundedModels = (usages: ReadonlyArray<UsageSum>): ReadonlyArray<UsageSum> => {
  const sums = byModel(usages)
  if (sums.length <= mostModels) return sums
  const named = sums.filter(({ model }) => model !== undefined)
  const shown = named.slice(0, mostModels - 1)
  const rest = [...named.slice(mostModels - 1), ...sums.filter(({ model }) => model === undefined)]
  const others = rest.reduce(addUsage, {})
  // Models of which nothing but their names is known.
  return Object.keys(others).length === 0 ? shown : [...shown, others]
}

/** A receipt of these parts: each pull request once, the newest of them, and the usage by model. */
export const taskReceipt = ({ pullRequests, stages, usage }: TaskReceipt): TaskReceipt => ({
  stages: stages.slice(0, mostStages),
  pullRequests: Array.from(new Set(pullRequests)).slice(-mostPullRequests),
  usage: boundedModels(usage)
})

/** The same receipt with what was used besides. */
export const withUsage = (receipt: TaskReceipt, used: ReadonlyArray<UsageSum>): TaskReceipt =>
  used.length === 0 ? receipt : taskReceipt({ ...receipt, usage: [...receipt.usage, ...used] })

/** A receipt as it is stored: its texts can be shown. */
export const cleanReceipt = ({ pullRequests, stages, usage }: TaskReceipt): TaskReceipt => ({
  stages: stages.map(({ attempts, failedGates, seconds, stage }) => ({
    stage: cleanLine(stage, textLimit),
    seconds,
    attempts,
    failedGates
  })),
  pullRequests: pullRequests.map((name) => cleanLine(name, textLimit)),
  usage: usage.map(cleanUsage)
})

/** How long a task was active, in seconds. */
export const secondsOf = ({ stages }: TaskReceipt): number => stages.reduce((sum, { seconds }) => sum + seconds, 0)

/** How many failures of gates were told. */
export const failedGatesOf = ({ stages }: TaskReceipt): number =>
  stages.reduce((sum, { failedGates }) => sum + failedGates, 0)
