import { Schema } from "effect"
import type { Task } from "../tasks/Task.js"
import { ReportOutcome, TaskStatus } from "../tasks/Task.js"
import { Instant, instant } from "./EventView.js"

/** A task, where it is and what was said of it. */
export const TaskView = Schema.Struct({
  id: Schema.Number,
  workItem: Schema.String.annotations({ description: "its work item's key, as it was first written" }),
  planeId: Schema.NullOr(Schema.String).annotations({ description: "Plane's uuid of it; null while it is not known" }),
  stage: Schema.String,
  status: TaskStatus.annotations({
    description: "active: it advances as its gates hold; paused, stopped: not before it is started again"
  }),
  agent: Schema.NullOr(Schema.String).annotations({ description: "the agent of its stage; null for one without" }),
  repository: Schema.NullOr(Schema.Struct({ id: Schema.Number, name: Schema.String })),
  pullRequest: Schema.NullOr(Schema.Number),
  headSha: Schema.NullOr(Schema.String),
  entry: Schema.String.annotations({ description: "the id of the transition that entered its stage" }),
  startedAt: Instant,
  updatedAt: Instant,
  verdicts: Schema.Array(Schema.Struct({
    gate: Schema.String,
    verdict: Schema.Literal("passed", "failed", "pending"),
    reason: Schema.NullOr(Schema.String).annotations({ description: "why it failed, or what it waits for" }),
    at: Instant
  })).annotations({ description: "what each gate that was asked last said" }),
  reports: Schema.Array(Schema.Struct({
    stage: Schema.String,
    outcome: ReportOutcome,
    reason: Schema.NullOr(Schema.String),
    at: Instant
  })).annotations({ description: "what was reported, of each stage the last" })
}).annotations({ identifier: "Task" })
export type TaskView = typeof TaskView.Type

export const taskView = ({ itemId, ...task }: Task): TaskView => ({
  ...task,
  planeId: itemId ?? null,
  agent: task.agent ?? null,
  repository: task.repository ?? null,
  pullRequest: task.pullRequest ?? null,
  headSha: task.headSha ?? null,
  startedAt: instant(task.startedAt),
  updatedAt: instant(task.updatedAt),
  verdicts: task.verdicts.map((given) => ({ ...given, reason: given.reason ?? null, at: instant(given.at) })),
  reports: task.reports.map((report) => ({ ...report, reason: report.reason ?? null, at: instant(report.at) }))
})
