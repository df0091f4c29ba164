import type { DateTime, Option } from "effect"
import { Brand, Schema } from "effect"
import type { ItemId } from "../domain/Ids.js"
import type { Stage } from "../domain/Stage.js"
import type { TaskReceipt } from "../domain/TaskReceipt.js"
import type { Decision } from "./Decisions.js"

/** A task's number: those of later tasks are higher. */
export type TaskId = number & Brand.Brand<"TaskId">
export const TaskId = Brand.nominal<TaskId>()

/**
 * `active`: the task leaves its stage as soon as the stage's gates hold. `paused` and `stopped`: it stays where it is,
 * until it is started again. `done`: it has entered the last stage, or a person has ended it before.
 */
export const TaskStatus = Schema.Literal("active", "paused", "stopped", "done")
export type TaskStatus = typeof TaskStatus.Type

/** A gate's verdict as it is stored and shown, in one word. */
export const VerdictWord = Schema.Literal("passed", "failed", "pending")

export type VerdictWord = typeof VerdictWord.Type

/** What a quality gate last said of a task. */
export interface GivenVerdict {
  readonly gate: string
  /** The latest stage up to the present one that names the gate. */
  readonly stage: Stage
  readonly verdict: VerdictWord
  /** Why it failed, or what it waits for. */
  readonly reason: Option.Option<string>
  /** Since when it is passed, failed or pending. */
  readonly since: DateTime.Utc
  /** When it or its reason last changed. */
  readonly at: DateTime.Utc
}

export const ReportOutcome = Schema.Literal("passed", "failed")
export type ReportOutcome = typeof ReportOutcome.Type

/** The last report of an agent or a script on a stage. */
export interface Report {
  readonly stage: Stage
  readonly outcome: ReportOutcome
  readonly reason: Option.Option<string>
  readonly at: DateTime.Utc
}

/**
 * Where the launch of an agent is. `waiting`: it was not launched yet, because as many as may be are at work, its task
 * is paused, or its launcher failed. `working`: it was launched, or is just being launched. `stopping`: it is to be
 * stopped.
 */
export const LaunchState = Schema.Literal("waiting", "working", "stopping")

/** The launch of the agent of a task's present stage, until that agent's work is over. */
export interface TaskLaunch {
  readonly state: typeof LaunchState.Type
  /** When that began. */
  readonly since: DateTime.Utc
  /**
   * Its place among those that wait for their turn, from 1 on; none while its task is paused, or its gates are asked.
   */
  readonly position: Option.Option<number>
}

/** What a person has answered to a question of a task. */
export interface Answer {
  /** The stage that was asked at. */
  readonly stage: Stage
  readonly question: string
  /** Who has asked, if that is known. */
  readonly agent: Option.Option<string>
  readonly answer: string
  readonly by: string
  readonly at: DateTime.Utc
}

/** A work item on its way through the pipeline. */
export interface Task {
  readonly id: TaskId
  /** The work item's key as first written: "ET-2", "ET-002". */
  readonly workItem: string
  /** The identifier of its project. One that was renamed in Plane since is known by its new one. */
  readonly project: string
  /** None while it is not known. */
  readonly itemId: Option.Option<ItemId>
  readonly stage: Stage
  readonly status: TaskStatus
  /**
   * Who or what has paused, stopped or ended it, or why its work item was not found. None while it is active and its
   * work item is there or was not looked for yet, and once it has gone through its pipeline.
   */
  readonly why: Option.Option<string>
  /** The agent of its present stage, if that has one. */
  readonly agent: Option.Option<string>
  readonly repository: Option.Option<{ readonly id: number; /** "owner/repo" */ readonly name: string }>
  readonly pullRequest: Option.Option<number>
  readonly headSha: Option.Option<string>
  /** It is linked to the pull request only because that names its work item: no host has linked them. */
  readonly linkedByName: boolean
  /** The id of the transition that entered the present stage. */
  readonly entry: string
  /** None when the stage has no agent, or the work of its agent is over. */
  readonly launch: Option.Option<TaskLaunch>
  /** Who has stopped the launching of its agents (`/pause`), and since when. The task itself goes on. */
  readonly paused: Option.Option<{ readonly by: string; readonly since: DateTime.Utc }>
  readonly startedAt: DateTime.Utc
  readonly updatedAt: DateTime.Utc
  /** The last verdict of each gate of its stage and of the stages before, in their order. */
  readonly verdicts: ReadonlyArray<GivenVerdict>
  /** The last report on each stage, also on stages that the task has not reached yet. */
  readonly reports: ReadonlyArray<Report>
  /** What people have said of its stages since it last entered them. */
  readonly decisions: ReadonlyArray<Decision>
  /** What was answered to its questions since it started, the oldest first; the newest 50. */
  readonly answers: ReadonlyArray<Answer>
  /** What it has taken up to the moment when it was read. It has no stages if an older version has started it. */
  readonly receipt: TaskReceipt
}
