import { DateTime, Option, Schema } from "effect"
import { cleanLine, textLimit } from "../base/Text.js"
import type { Projects } from "../domain/Projects.js"
import { ShownRepository, shownRepository } from "../domain/ShownRepository.js"
import type { Launch } from "../tasks/AgentLauncher.js"
import { ReportOutcome, TaskStatus, VerdictWord } from "../tasks/Task.js"

/** What an agent's starter is asked to do. */
export const Action = Schema.Literal("launch", "stop")
export type Action = typeof Action.Type

const Moment = Schema.String.annotations({ description: "a moment in UTC, like 2026-11-29T08:30:00.000Z" })

/** What is handed to a command on its standard input, and to a webhook as its body. */
export const LaunchDocument = Schema.Struct({
  action: Action,
  transition: Schema.String.annotations({
    description: "the id of the transition that entered the stage: the same one each time, so it is an idempotency key"
  }),
  workItem: Schema.String.annotations({ description: "the work item's key, as it was first written" }),
  stage: Schema.String,
  agent: Schema.String,
  task: Schema.Struct({
    id: Schema.Number,
    planeId: Schema.NullOr(Schema.String),
    status: TaskStatus,
    why: Schema.NullOr(Schema.String),
    repository: ShownRepository,
    pullRequest: Schema.NullOr(Schema.Number),
    headSha: Schema.NullOr(Schema.String),
    startedAt: Moment,
    verdicts: Schema.Array(Schema.Struct({
      gate: Schema.String,
      stage: Schema.String,
      verdict: VerdictWord,
      reason: Schema.NullOr(Schema.String)
    })),
    reports: Schema.Array(Schema.Struct({
      stage: Schema.String,
      outcome: ReportOutcome,
      reason: Schema.NullOr(Schema.String)
    })),
    answers: Schema.Array(Schema.Struct({
      stage: Schema.String,
      question: Schema.String,
      answer: Schema.String,
      by: Schema.String
    })).annotations({ description: "what people have answered to its agents' questions, the oldest first" })
  }).annotations({ description: "the task as it is now" })
}).annotations({ identifier: "LaunchDocument" })

const encode = Schema.encodeSync(Schema.parseJson(LaunchDocument))

/** The document of a launch or a stop, as one line of JSON. */
export const documentOf = (
  projects: Projects["Type"],
  action: Action,
  { agent, entry, stage, task }: Launch
): string =>
  encode({
    action,
    transition: entry,
    workItem: task.workItem,
    stage,
    agent,
    task: {
      id: task.id,
      planeId: Option.getOrNull(task.itemId),
      status: task.status,
      why: Option.getOrNull(task.why),
      repository: shownRepository(projects, task),
      pullRequest: Option.getOrNull(task.pullRequest),
      headSha: Option.getOrNull(task.headSha),
      startedAt: DateTime.formatIso(task.startedAt),
      verdicts: task.verdicts.map(({ gate, reason, stage, verdict }) => ({
        gate,
        stage,
        verdict,
        reason: Option.getOrNull(reason)
      })),
      reports: task.reports.map(({ outcome, reason, stage }) => ({
        stage,
        outcome,
        reason: Option.getOrNull(reason)
      })),
      answers: task.answers.map(({ answer, by, question, stage }) => ({ stage, question, answer, by }))
    }
  })

// An environment cannot hold a NUL, and a script would read more lines than one out of a line feed.
const value = (text: string) => cleanLine(text, textLimit)

/** The same in short, as variables of the environment. */
export const variablesOf = (action: Action, { agent, entry, stage, task }: Launch): Record<string, string> => ({
  PLANE_SYNC_ACTION: action,
  PLANE_SYNC_TRANSITION: value(entry),
  PLANE_SYNC_WORK_ITEM: value(task.workItem),
  PLANE_SYNC_STAGE: value(stage),
  PLANE_SYNC_AGENT: value(agent),
  PLANE_SYNC_PROJECT: value(task.project)
})
