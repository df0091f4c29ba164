import { Order, Schema } from "effect"
import { echoed } from "../base/Issue.js"
import { cleanLine } from "../base/Text.js"

/** The longest name of a model, in characters. */
export const modelLimit = 100

/** The most tokens, and the most US dollars, of one usage. */
export const mostTokens = 1e12
export const mostUsd = 1e6

/** Costs are added in millionths of a dollar, so that a sum does not depend on the order of its parts. */
const microsPerUsd = 1_000_000

/** What a sum can be: all whole numbers up to here are told apart. A larger sum stays here. */
export const mostSum = Number.MAX_SAFE_INTEGER

const given = (actual: unknown) => typeof actual === "number" ? String(actual) : echoed(actual)

const numberOf = (what: string, least: string, most: number, jsonSchema: object) => ({
  description: what,
  jsonSchema: { ...jsonSchema, minimum: 0, maximum: most },
  message: ({ actual }: { readonly actual: unknown }) => ({
    message: `${given(actual)} is not right: expected ${least} from 0 to ${most}`,
    override: true
  })
})

const tokens = (what: string, most: number) =>
  Schema.Number.pipe(
    Schema.int(),
    Schema.between(0, most),
    Schema.annotations(numberOf(what, "a whole number of tokens", most, { type: "integer" }))
  )

const usd = (most: number) =>
  Schema.Number.pipe(
    Schema.between(0, most),
    Schema.annotations(numberOf("what it has cost, in US dollars", "a number of US dollars", most, { type: "number" }))
  )

/** The name of a model as it is stored and shown. Empty if nothing of it can be shown. */
const cleanModel = (model: string) => cleanLine(model, modelLimit).trim()

const model = Schema.String.pipe(
  Schema.filter((text) => text.length <= modelLimit && cleanModel(text) !== ""),
  Schema.annotations({
    description: "the model's name",
    jsonSchema: { type: "string", minLength: 1, maxLength: modelLimit },
    message: ({ actual }) => ({
      message: `${given(actual)} is not a model's name: expected 1 to ${modelLimit} characters`,
      override: true
    })
  })
)

const names = ["model", "inputTokens", "outputTokens", "costUsd"] as const

const usageUpTo = (mostTokens: number, mostUsd: number) =>
  Schema.Struct({
    model: Schema.optional(model),
    inputTokens: Schema.optional(tokens("tokens that went into the model", mostTokens)),
    outputTokens: Schema.optional(tokens("tokens that came out of the model", mostTokens)),
    costUsd: Schema.optional(usd(mostUsd))
  }).pipe(Schema.filter(
    (usage) =>
      names.some((name) => usage[name] !== undefined) ||
      `it is empty: expected at least one of ${names.join(", ")}`,
    { jsonSchema: { minProperties: 1 } }
  ))

/**
 * What an agent says that a piece of its work has taken. Each part may be left out, but not all of them. Tokens are
 * whole numbers up to 10^12; `costUsd` is in US dollars, up to a million.
 */
export const Usage = usageUpTo(mostTokens, mostUsd).annotations({ identifier: "Usage" })
export type Usage = typeof Usage.Type

/** The same for a sum of usages. */
export const UsageSum = usageUpTo(mostSum, mostSum / microsPerUsd).annotations({ identifier: "UsageSum" })
export type UsageSum = typeof UsageSum.Type

/** A cost as it is stored, in whole millionths of a dollar. */
export const microsOf = (costUsd: number): number => Math.round(costUsd * microsPerUsd)

/** A stored cost in dollars. */
export const usdOf = (micros: number): number => micros / microsPerUsd

/** A sum in a row of a table. `model` is empty where none was named, and a number is null if nobody has said it. */
export const UsageRow = Schema.Struct({
  model: Schema.String,
  inputTokens: Schema.NullOr(Schema.Number),
  outputTokens: Schema.NullOr(Schema.Number),
  micros: Schema.NullOr(Schema.Number)
})
export type UsageRow = typeof UsageRow.Type

/** The columns that such a row has, by its fields. */
export const usageColumns = {
  model: "model",
  inputTokens: "input_tokens",
  outputTokens: "output_tokens",
  micros: "micros"
}

/** A usage as it is stored: without what was not said, and with a name that can be shown. */
export const cleanUsage = ({ costUsd, inputTokens, model, outputTokens }: UsageSum): UsageSum => ({
  ...(model === undefined ? {} : { model: cleanModel(model) }),
  ...(inputTokens === undefined ? {} : { inputTokens }),
  ...(outputTokens === undefined ? {} : { outputTokens }),
  ...(costUsd === undefined ? {} : { costUsd })
})

/** The sum that a row has. */
export const usageOfRow = ({ inputTokens, micros, model, outputTokens }: UsageRow): UsageSum =>
  cleanUsage({
    model: model === "" ? undefined : model,
    inputTokens: inputTokens ?? undefined,
    outputTokens: outputTokens ?? undefined,
    costUsd: micros === null ? undefined : usdOf(micros)
  })

/** A usage as a row has it. */
export const rowOfUsage = ({ costUsd, inputTokens, model, outputTokens }: UsageSum): UsageRow => ({
  model: model ?? "",
  inputTokens: inputTokens ?? null,
  outputTokens: outputTokens ?? null,
  micros: costUsd === undefined ? null : microsOf(costUsd)
})

const sum = (one: number | undefined, other: number | undefined) =>
  one === undefined ? other : other === undefined ? one : Math.min(one + other, mostSum)

const micros = (costUsd: number | undefined) => costUsd === undefined ? undefined : microsOf(costUsd)

/** The sum of two usages of the same model. What neither has said stays unsaid. */
export const addUsage = (one: UsageSum, other: UsageSum): UsageSum => {
  const cost = sum(micros(one.costUsd), micros(other.costUsd))
  return cleanUsage({
    model: one.model,
    inputTokens: sum(one.inputTokens, other.inputTokens),
    outputTokens: sum(one.outputTokens, other.outputTokens),
    costUsd: cost === undefined ? undefined : usdOf(cost)
  })
}

/** The sum of usages, whatever their models. */
export const sumOf = (usages: ReadonlyArray<UsageSum>): UsageSum => usages.reduce(addUsage, {})

const most = Order.reverse(Order.number)

// By its cost, then by its tokens. Names come last, so that the order never depends on that of the reports.
const byWeight = Order.combineAll<UsageSum>([
  Order.mapInput(most, ({ costUsd }) => costUsd ?? 0),
  Order.mapInput(most, ({ inputTokens = 0, outputTokens = 0 }) => inputTokens + outputTokens),
  Order.mapInput(Order.string, ({ model }) => model ?? "")
])

/** The sum of each model, the one that has cost most first. */
export const byModel = (usages: ReadonlyArray<UsageSum>): ReadonlyArray<UsageSum> => {
  const sums = new Map<string | undefined, UsageSum>()
  for (const usage of usages) sums.set(usage.model, addUsage(sums.get(usage.model) ?? { model: usage.model }, usage))
  return Array.from(sums.values()).sort(byWeight)
}
