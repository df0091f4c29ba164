import * as Options from "@effect/cli/Options"
import type { Option } from "effect"
import { Effect, Either, Record, Schema } from "effect"
import { decoderOf } from "../base/Decoder.js"
import type { Issue } from "../base/Issue.js"
import { describeIssues } from "../base/Issue.js"
import { EventId } from "../domain/StageEvent.js"
import { Usage } from "../domain/Usage.js"
import { wrongUse } from "./WrongUse.js"

/** The options of what an agent has used, and of the report that says so. */
export const usageOptions = {
  model: Options.text("model").pipe(Options.withDescription("The model that the agent has used"), Options.optional),
  inputTokens: Options.integer("input-tokens").pipe(
    Options.withDescription("How many tokens went into the model"),
    Options.optional
  ),
  outputTokens: Options.integer("output-tokens").pipe(
    Options.withDescription("How many tokens came out of the model"),
    Options.optional
  ),
  costUsd: Options.float("cost").pipe(
    Options.withDescription("What the agent's work has cost, in US dollars"),
    Options.optional
  ),
  id: Options.text("id").pipe(
    Options.withDescription("An id of this report: repeated with it, its usage is not counted a second time"),
    Options.optional
  )
}

interface Given {
  readonly model: Option.Option<string>
  readonly inputTokens: Option.Option<number>
  readonly outputTokens: Option.Option<number>
  readonly costUsd: Option.Option<number>
  readonly id: Option.Option<string>
}

const decode = decoderOf(Schema.Struct({ usage: Schema.optional(Usage), id: Schema.optional(EventId) }))

const options: Readonly<Record<string, string>> = {
  "usage.model": "--model",
  "usage.inputTokens": "--input-tokens",
  "usage.outputTokens": "--output-tokens",
  "usage.costUsd": "--cost",
  id: "--id"
}

const asOption = (issue: Issue): Issue => ({ ...issue, field: options[issue.field] ?? issue.field })

/** What these options say of a report. What is wrong with them is said by their names. */
export const usageGiven = ({ costUsd, id, inputTokens, model, outputTokens }: Given) => {
  const usage = Record.getSomes<string, string | number>({ model, inputTokens, outputTokens, costUsd })
  return Either.match(decode({ ...Record.getSomes({ id }), ...(Record.isEmptyRecord(usage) ? {} : { usage }) }), {
    onLeft: (issues) => wrongUse(describeIssues(issues.map(asOption))),
    onRight: (given) => Effect.succeed(given)
  })
}
