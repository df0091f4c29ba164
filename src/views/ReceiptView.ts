import { Schema } from "effect"
import type { TaskReceipt } from "../domain/TaskReceipt.js"
import { failedGatesOf, secondsOf, StageShare } from "../domain/TaskReceipt.js"
import type { UsageSum } from "../domain/Usage.js"
import { sumOf } from "../domain/Usage.js"

const sums = {
  inputTokens: Schema.NullOr(Schema.Number).annotations({ description: "null: nobody has said" }),
  outputTokens: Schema.NullOr(Schema.Number).annotations({ description: "null: nobody has said" }),
  costUsd: Schema.NullOr(Schema.Number).annotations({ description: "in US dollars; null: nobody has said" })
}

/** What a task has taken, up to now. */
export const ReceiptView = Schema.Struct({
  seconds: Schema.Number.annotations({ description: "how long the task was active, in all" }),
  failedGates: Schema.Number.annotations({ description: "how many failures of gates were told, in all" }),
  stages: Schema.Array(StageShare).annotations({
    description: "in the order of the pipeline; none of a task that was started by a version that did not count yet"
  }),
  pullRequests: Schema.Array(Schema.String).annotations({
    description: "those that the task is linked to, or was before it started anew, like acme/widgets#12"
  }),
  usage: Schema.Struct({
    ...sums,
    models: Schema.Array(Schema.Struct({
      model: Schema.NullOr(Schema.String).annotations({ description: "null: none was named, or there are too many" }),
      ...sums
    }))
  }).annotations({
    description: "what reports and events have said that agents used, in all and by model, the costliest first"
  })
}).annotations({
  identifier: "Receipt",
  description: "what the task has taken so far, over all of its attempts and restarts"
})
export type ReceiptView = typeof ReceiptView.Type

const sumsOf = ({ costUsd, inputTokens, outputTokens }: UsageSum) => ({
  inputTokens: inputTokens ?? null,
  outputTokens: outputTokens ?? null,
  costUsd: costUsd ?? null
})

export const receiptView = (receipt: TaskReceipt): ReceiptView => {
  const { pullRequests, stages, usage } = receipt
  return {
    seconds: secondsOf(receipt),
    failedGates: failedGatesOf(receipt),
    stages,
    pullRequests,
    usage: {
      ...sumsOf(sumOf(usage)),
      models: usage.map((one) => ({ model: one.model ?? null, ...sumsOf(one) }))
    }
  }
}
