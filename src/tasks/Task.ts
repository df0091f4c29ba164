import { Schema } from "effect"
import type { Stage } from "../domain/Stage.js"

/**
 * `active`: its stage is left as soon as the stage's gates hold. `paused` and `stopped`: it stays where it is, until it is
 * started again. `done`: it has entered the last stage.
 */
export const TaskStatus = Schema.Literal("active", "paused", "stopped", "done")
export type TaskStatus = typeof TaskStatus.Type

/** What a quality gate last said of a task. */
export interface GivenVerdict {
  readonly gate: string
  readonly verdict: "passed" | "failed" | "pending"
  /** Why it failed, or what it waits for. */
  readonly reason?: string | undefined
  readonly at: number
}

export const ReportOutcome = Schema.Literal("passed", "failed")
export type ReportOutcome = typeof ReportOutcome.Type

/** What an agent or a script said of a stage: the last that it said. */
export interface Report {
  readonly stage: Stage
  readonly outcome: ReportOutcome
  readonly reason?: string | undefined
  readonly at: number
}

/** What the orchestrator takes through its stages. Times are milliseconds since 1970, UTC. */
export interface Task {
  readonly id: number
  /** The work item's key as first written: "ET-2", "ET-002". */
  readonly workItem: string
  /** Plane's uuid of the work item, once it is known. */
  readonly itemId: string | undefined
  readonly stage: Stage
  readonly status: TaskStatus
  /** The agent of its present stage, if that has one. */
  readonly agent: string | undefined
  readonly repository: { readonly id: number; /** "owner/repo" */ readonly name: string } | undefined
  readonly pullRequest: number | undefined
  readonly headSha: string | undefined
  /** It is linked to the pull request because that names its work item; no host has said so. */
  readonly linkedByName: boolean
  /** The id of the transition that entered the present stage. */
  readonly entry: string
  readonly startedAt: number
  readonly updatedAt: number
  /** What each gate that was asked last said. */
  readonly verdicts: ReadonlyArray<GivenVerdict>
  /** What was reported, of each stage the last: also of stages that it has not reached yet. */
  readonly reports: ReadonlyArray<Report>
}
