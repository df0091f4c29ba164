import { Schema } from "effect"
import { reasonLimit, textLimit } from "../base/Text.js"
import { Links } from "../domain/Link.js"
import { EventId } from "../domain/StageEvent.js"
import { Usage } from "../domain/Usage.js"
import { WorkItemKeyText } from "../domain/WorkItemKey.js"
import { wordsOf } from "../tasks/Overrule.js"
import { ReportOutcome } from "../tasks/Task.js"
import { oneOf, optional } from "./Parameters.js"

/** The body of `POST /api/tasks`. */
export const StartTask = Schema.Struct({
  workItem: WorkItemKeyText,
  agent: optional(
    Schema.Trimmed.pipe(
      Schema.nonEmptyString(),
      Schema.maxLength(textLimit),
      Schema.annotations({ description: "takes the place of every stage's agent, for this task" })
    )
  )
}).annotations({ identifier: "StartTask" })

const words = (limit: number, description: string) =>
  Schema.String.pipe(
    Schema.maxLength(limit),
    Schema.filter((text) => wordsOf(text, limit) !== "", {
      jsonSchema: { minLength: 1 },
      message: () => "it is empty: expected words for people"
    }),
    Schema.annotations({ description })
  )

interface Reported {
  readonly outcome: ReportOutcome
  readonly reason?: string
  readonly override?: boolean
  readonly by?: string
  readonly usage?: Usage
}

/** What is wrong with a report that overrules a stage, field by field. */
const overrideIssues = (
  { by, outcome, override = false, reason, usage }: Reported
): ReadonlyArray<Schema.FilterIssue> => {
  if (!override) return by === undefined ? [] : [{ path: ["by"], message: "only an override has it" }]
  return [
    ...(outcome === "passed" ? [] : [{ path: ["outcome"], message: "an override passes a stage: expected passed" }]),
    ...(usage === undefined ? [] : [{ path: ["usage"], message: "an override has none: it is no agent's work" }]),
    ...(by === undefined ? [{ path: ["by"], message: "an override needs it: who overrules the stage" }] : []),
    ...(reason === undefined || wordsOf(reason, reasonLimit) === ""
      ? [{ path: ["reason"], message: "an override needs it: why the stage is overruled" }]
      : [])
  ]
}

/** The body of `POST /api/tasks/{key}/report`. */
export const ReportStage = Schema.Struct({
  stage: Schema.String,
  outcome: oneOf("an outcome", ReportOutcome),
  reason: optional(
    Schema.String.annotations({ description: "why it failed, or why it is overruled, as people read it" })
  ),
  override: optional(Schema.Boolean.annotations({
    description:
      "true: the task leaves this stage, at which it must be, whatever its gates say; with `outcome` passed, " +
      "`by` and `reason`"
  })),
  by: optional(words(textLimit, "who overrules the stage; only with `override`")),
  links: optional(Links),
  usage: optional(Usage.annotations({
    description: "what the agent has used for it; added to the task's sums, once for each report"
  })),
  id: optional(EventId.annotations({
    description:
      "what makes a repetition the same report, so that its usage is not added twice; where it is missing, the same " +
      "words and usage within one attempt at the stage are the same report"
  }))
}).pipe(Schema.filter(overrideIssues, { jsonSchema: {} })).annotations({ identifier: "ReportStage" })

/** The body of `POST /api/tasks/{key}/ask`. */
export const AskQuestion = Schema.Struct({
  question: words(reasonLimit, "what is asked, as people read it"),
  agent: optional(words(textLimit, "who asks"))
}).annotations({ identifier: "AskQuestion" })

/** The body of `POST /api/tasks/{key}/answer`. */
export const AnswerQuestion = Schema.Struct({
  text: words(reasonLimit, "the answer, as the agent reads it"),
  by: optional(words(textLimit, "who answers"))
}).annotations({ identifier: "AnswerQuestion" })

/** The body of `POST /api/tasks/{key}/pause`, if it has one. */
export const PauseTask = Schema.Struct({
  by: optional(words(textLimit, "who pauses the task")),
  reason: optional(words(reasonLimit, "why, as people read it"))
}).annotations({ identifier: "PauseTask" })
