import type { SqlError } from "@effect/sql/SqlError"
import type { Effect } from "effect"
import { Context, Schema } from "effect"
import type { Stage } from "../domain/Stage.js"
import type { StorageError } from "../outbox/StorageError.js"
import type { ReportOutcome, Task, TaskStatus } from "./Task.js"

/** There is no task for the work item. */
export class NoTask extends Schema.TaggedError<NoTask>()("NoTask", { workItem: Schema.String }) {
  override get message(): string {
    return `There is no task for ${this.workItem}: nobody has started one`
  }
}

/** The text is no work item key. */
export class InvalidKey extends Schema.TaggedError<InvalidKey>()("InvalidKey", { why: Schema.String }) {
  override get message(): string {
    return this.why
  }
}

/** The pipeline has no stage of this name. */
export class UnknownStage extends Schema.TaggedError<UnknownStage>()("UnknownStage", {
  stage: Schema.String,
  known: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `${JSON.stringify(this.stage.slice(0, 80))} is not a stage: expected one of ${this.known.join(", ")}`
  }
}

export interface Start {
  /** The work item's key. */
  readonly workItem: string
  /** Plane's uuid of it, where it is known. */
  readonly planeId?: string | undefined
  /** Takes the place of every stage's agent for this task; a stage that has none launches none. */
  readonly agent?: string | undefined
}

/** A page of tasks, newest first; `cursor` is the id of the last one of the page before. */
export interface TaskQuery {
  readonly status?: TaskStatus | undefined
  readonly limit: number
  readonly cursor?: number | undefined
}

/** The pull request that a task's work is in. */
export interface Link {
  readonly repository: { readonly id: number; readonly name: string }
  readonly pullRequest: number
  readonly headSha: string
}

/**
 * The tasks, durably: what they are and what was said of them. Whatever may let a task advance marks it as due in the same
 * commit, so a crash in between loses nothing; a running `Orchestrator` notices within a second, whichever process wrote.
 */
export class TaskStore extends Context.Tag("plane-sync/TaskStore")<TaskStore, {
  /**
   * Makes a work item a task, at the pipeline's first stage; nothing is published. A task that was paused or stopped goes
   * on at its stage; one that is active or done stays as it is. The task is the one with this `planeId`, or else with
   * this key, leading zeros or not, unless that is known to be another work item.
   */
  readonly start: (start: Start) => Effect.Effect<Task, StorageError | InvalidKey>
  readonly get: (key: string) => Effect.Effect<Task, StorageError | NoTask>
  readonly list: (query: TaskQuery) => Effect.Effect<ReadonlyArray<Task>, StorageError>
  readonly byId: (id: number) => Effect.Effect<Task | undefined, StorageError>
  /** The task of this key as written, or else with other leading zeros. */
  readonly byKey: (key: string) => Effect.Effect<Task | undefined, StorageError>
  readonly byPlaneId: (planeId: string) => Effect.Effect<Task | undefined, StorageError>
  readonly byPullRequest: (repositoryId: number, number: number) => Effect.Effect<Task | undefined, StorageError>
  readonly byHeadSha: (repositoryId: number, sha: string) => Effect.Effect<Task | undefined, StorageError>
  readonly link: (taskId: number, link: Link) => Effect.Effect<void, StorageError>
  /** An active or paused task stays where it is until it is started again. */
  readonly stop: (taskId: number, why: string) => Effect.Effect<void, StorageError>
  /** An active task stays where it is until it is started again. */
  readonly pause: (taskId: number, why: string) => Effect.Effect<void, StorageError>
  /** What the gate `reported` goes by. Of a stage that the task has not reached it counts when it does. */
  readonly report: (
    key: string,
    report: { readonly stage: Stage; readonly outcome: ReportOutcome; readonly reason?: string | undefined }
  ) => Effect.Effect<Task, StorageError | NoTask | UnknownStage>
  /**
   * Marks a task as due, within a transaction that stores a fact its gates go by: `Storage.write` around both. Whoever
   * runs it calls `Signal.notify` after the commit, or the next poll finds it.
   */
  readonly touch: (taskId: number) => Effect.Effect<void, SqlError>
}>() {}
