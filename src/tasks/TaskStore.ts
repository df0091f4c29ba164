import type { SqlError } from "@effect/sql/SqlError"
import type { DateTime } from "effect"
import { Array as Arr, Context, Effect, Either, Layer, Option, Schema } from "effect"
import { describeParseError } from "../base/Issue.js"
import { cleanText, reasonLimit } from "../base/Text.js"
import { epochMillis, stored } from "../base/Time.js"
import { uuidV7 } from "../base/UuidV7.js"
import type { ItemId } from "../domain/Ids.js"
import type { Link as ItemLink } from "../domain/Link.js"
import { Projects } from "../domain/Projects.js"
import type { Stage } from "../domain/Stage.js"
import type { StageStates } from "../domain/StageStates.js"
import { Usage } from "../domain/Usage.js"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import type { WorkItemLink } from "../outbox/WorkItemLinks.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { WakeUps } from "../storage/WakeUps.js"
import { countUsage } from "./CountedUsage.js"
import { touch } from "./DueTasks.js"
import { endReported } from "./Launches.js"
import { leaveActive } from "./Leaving.js"
import { lockTask } from "./Locks.js"
import type { MarkChange, MarkMeaning } from "./Marks.js"
import { makeMarks } from "./Marks.js"
import type { Orders } from "./Orders.js"
import { makeOrders } from "./Orders.js"
import type { MoveMeaning, PersonMove } from "./PersonMove.js"
import { makePersonMoves } from "./PersonMoves.js"
import { Pipeline } from "./Pipeline.js"
import type { TaskPullRequest } from "./PullRequestTasks.js"
import { readTasksOf } from "./PullRequestTasks.js"
import type { UnknownStage } from "./RequireStage.js"
import { requireStage } from "./RequireStage.js"
import type { Start } from "./Starting.js"
import { makeStarting } from "./Starting.js"
import type { StoryLine } from "./Story.js"
import { readStory } from "./Story.js"
import type { ReportOutcome, Task, TaskId, TaskStatus } from "./Task.js"
import { linkPullRequest, linkTask, readTaskLinks } from "./TaskLinks.js"
import type { TaskRow } from "./TaskRows.js"
import { taskReader } from "./TaskRows.js"

/** There is no task for the work item. */
export class NoTask extends Schema.TaggedError<NoTask>()("NoTask", { workItem: Schema.String }) {
  override get message(): string {
    return `There is no task for ${this.workItem}: nobody has started one`
  }
}

/** The text is not a work item key, or begins with the identifier of no project that is set. */
export class InvalidKey extends Schema.TaggedError<InvalidKey>()("InvalidKey", { why: Schema.String }) {
  override get message(): string {
    return this.why
  }
}

/** What a host says that an agent has used is none. */
export class InvalidUsage extends Schema.TaggedError<InvalidUsage>()("InvalidUsage", { why: Schema.String }) {
  override get message(): string {
    return this.why
  }
}

/** What is said of a stage. */
export interface StageReport {
  readonly stage: Stage
  readonly outcome: ReportOutcome
  readonly reason?: string | undefined
  /** What the agent has used for it. It is counted once for each report. */
  readonly usage?: Usage | undefined
  /**
   * What makes a repetition of the report the same one, so that its usage is not counted twice. Where it is missing,
   * the same words and usage within one attempt at the stage are the same report.
   */
  readonly id?: string | undefined
  readonly links?: ReadonlyArray<ItemLink> | undefined
}

/**
 * A page of tasks, newest first; `cursor` is the id of the last one of the page before. `since`: those that have changed
 * since this moment, see `Task.updatedAt`.
 */
export interface TaskQuery {
  readonly status?: TaskStatus | undefined
  readonly since?: DateTime.Utc | undefined
  readonly limit: number
  readonly cursor?: number | undefined
}

/** The pull request that a task's work is in. */
export interface Link {
  readonly repository: { readonly id: number; readonly name: string }
  readonly pullRequest: number
  readonly headSha: string
  /** The link comes only from the key that the pull request names: it follows when that changes. */
  readonly byName?: boolean | undefined
  /** The page of the pull request, by http or https: it becomes a link of the work item. */
  readonly page?: string | undefined
}

/**
 * The tasks, on disk: what they are and what was said of them. Whatever may let a task advance marks it as due in the
 * same commit, so a crash in between loses nothing. A running orchestrator notices within a second, whichever process
 * wrote it.
 */
export class TaskStore extends Context.Tag("plane-sync/TaskStore")<TaskStore, {
  /**
   * Makes a work item a task, at the pipeline's first stage. Nothing is published. A task that was paused goes on. One
   * that was stopped enters its stage again, so that its agent is launched again. One that is done starts anew, and
   * what was merged before does not count. One that is active stays as it is. The task is the one with this `itemId`,
   * or else the one that `byKey` finds, unless that is known to be another work item.
   */
  readonly start: (start: Start) => Effect.Effect<Task, StorageError | InvalidKey>
  /** The stages of a project's tasks. None if no setting names that project. */
  readonly pipelineOf: Pipeline["Type"]["of"]
  readonly get: (key: string) => Effect.Effect<Task, StorageError | NoTask>
  readonly list: (query: TaskQuery) => Effect.Effect<ReadonlyArray<Task>, StorageError>
  readonly byId: (id: TaskId) => Effect.Effect<Option.Option<Task>, StorageError>
  /**
   * The task of the work item that this key was found to be in Plane; or else the one of this key as written, or with
   * other leading zeros. But "ET-2" and "ET-002" are two tasks if they are known to be two work items.
   */
  readonly byKey: (key: string) => Effect.Effect<Option.Option<Task>, StorageError>
  readonly byItemId: (itemId: ItemId) => Effect.Effect<Option.Option<Task>, StorageError>
  /** The verdicts of a task, and what is not told in Plane: its newest 200 lines, the oldest of them first. */
  readonly story: (taskId: TaskId) => Effect.Effect<ReadonlyArray<StoryLine>, StorageError>
  /** The links that its work item is to have, one of a kind: whether Plane has each, or why it was given up. */
  readonly links: (task: Pick<Task, "itemId" | "workItem">) => Effect.Effect<ReadonlyArray<WorkItemLink>, StorageError>
  /** The tasks that a pull request concerns: those that are linked to it, and those of the keys that it names. */
  readonly tasksOf: (pullRequest: TaskPullRequest) => Effect.Effect<ReadonlyArray<Task>, StorageError>
  readonly link: (taskId: TaskId, link: Link) => Effect.Effect<void, StorageError>
  /**
   * A person has moved the work item in Plane: its task starts, starts anew, goes on, pauses, stops or ends, see
   * `meaningOf`. The same move a second time changes nothing. `states` is the stage table of its project. Returns what
   * the move meant.
   */
  readonly moved: (
    item: { readonly workItem: string; readonly itemId: ItemId },
    move: PersonMove,
    states: StageStates
  ) => Effect.Effect<MoveMeaning, StorageError | InvalidKey>
  /**
   * Somebody has given the work item the label or the assignee that starts tasks, or has taken one away: its task
   * starts, starts anew or goes on, see `meaningOfMark`. What was heard before changes nothing. Returns what it meant.
   */
  readonly marked: (
    item: { readonly workItem: string; readonly itemId: ItemId },
    mark: MarkChange
  ) => Effect.Effect<MarkMeaning, StorageError | InvalidKey>
  /** The same as `moved`, for a task that is there. */
  readonly applyMove: (taskId: TaskId, move: PersonMove, states: StageStates) => Effect.Effect<void, StorageError>
  /** An active or paused task stays where it is until it is started again. Its agent is stopped. */
  readonly stop: (taskId: TaskId, why: string) => Effect.Effect<void, StorageError>
  /**
   * An active task stays where it is until it is started again. Its agent is not stopped; one that waits for its turn
   * is not launched until then.
   */
  readonly pause: (taskId: TaskId, why: string) => Effect.Effect<void, StorageError>
  /**
   * Does what a person wants of a task, within the caller's transaction: `StageEvents.transact` around both, so that
   * what is said of it is stored with it. Call `WakeUps.notify` after the commit.
   */
  readonly obey: Orders
  /**
   * Stores what the gate `reported` reads, and adds the usage to the task's sums. A report on a stage that the task has
   * not reached counts when it gets there. Its links become those of the work item, each in place of the one of its
   * kind.
   */
  readonly report: (
    key: string,
    report: StageReport
  ) => Effect.Effect<Task, StorageError | NoTask | UnknownStage | InvalidUsage>
  /**
   * Marks a task as due, within the transaction that stores a fact its gates read: `Storage.write` around both. Call
   * `WakeUps.notify` after the commit; without it the next poll finds the task.
   */
  readonly touch: (taskId: TaskId) => Effect.Effect<void, SqlError>
}>() {
  static readonly layer: Layer.Layer<TaskStore, never, Storage | Pipeline | Projects | WakeUps> = Layer.effect(
    TaskStore,
    Effect.suspend(() => make)
  )
}

const validUsage = Schema.validateEither(Schema.Struct({ usage: Schema.optional(Usage) }), { errors: "all" })

/** A host written in JavaScript is not held to the type. */
const usageGiven = (usage: Usage | undefined) =>
  Either.mapBoth(validUsage({ usage }), {
    onLeft: (error) => new InvalidUsage({ why: describeParseError(error) }),
    onRight: (valid) => valid.usage
  })

const noProject = ({ written }: WorkItemKey, { all }: Projects["Type"]) =>
  `${written} is in no project that is set: keys begin with ${all.map(({ identifier }) => `${identifier}-`).join(", ")}`

const keyOf = (text: string) => Either.mapLeft(WorkItemKey.parse(text), (why) => new InvalidKey({ why }))

const make = Effect.gen(function*() {
  const { read, sql, write } = yield* Storage
  const pipelines = yield* Pipeline
  const { notify } = yield* WakeUps
  const reader = taskReader(sql, pipelines)
  const projects = yield* Projects
  const starting = makeStarting(sql, reader, pipelines, projects)

  const one = (found: Effect.Effect<TaskRow | undefined, SqlError>) =>
    Effect.map(read(found), (row) => Option.fromNullable(row?.task))

  const byKey = (text: string) =>
    Either.match(WorkItemKey.parse(text), {
      onLeft: () => Effect.succeedNone,
      onRight: (key) => one(reader.byKey(key, undefined))
    })

  const get = (key: string) =>
    Effect.flatMap(
      byKey(key),
      Option.match({ onNone: () => new NoTask({ workItem: key }), onSome: (task) => Effect.succeed(task) })
    )

  const start = Effect.fn("TaskStore.start")(function*(given: Start) {
    const key = yield* keyOf(given.workItem)
    const entry = yield* uuidV7
    const now = yield* epochMillis
    const row = yield* write(Effect.gen(function*() {
      yield* starting.beginWrite
      const known = yield* starting.locked(reader.byKey(key, given.itemId))
      const ofProject = known === undefined ? yield* starting.pipelineOf(key, given.itemId) : known.pipeline
      if (Option.isNone(ofProject)) return "no project"
      const pipeline = ofProject.value
      if (known === undefined) return yield* reader.byId(yield* starting.insert(key, pipeline, given, entry, now, now))
      yield* starting.know(known, given, now)
      const row = { ...known, givenAgent: given.agent ?? known.givenAgent }
      yield* known.task.status === "done"
        ? starting.startAnew(row, pipeline, entry, now, now)
        : starting.goOn(row, pipeline, entry, now)
      return yield* reader.byId(known.task.id)
    }))
    if (row === "no project") return yield* new InvalidKey({ why: noProject(key, projects) })
    yield* notify
    return row?.task ?? (yield* Effect.dieMessage("a task that was started is there"))
  })

  const moves = makePersonMoves({ notify, sql, starting, write })
  const marks = makeMarks({ notify, sql, starting, write })

  const leave = (status: "stopped" | "paused") => (taskId: TaskId, why: string) =>
    Effect.gen(function*() {
      const now = yield* epochMillis
      const left = yield* write(
        leaveActive(sql, { id: taskId, itemId: Option.none() }, status, cleanText(why, reasonLimit), now)
      )
      yield* notify
      if (left !== undefined) yield* Effect.logInfo(`${left.workItem} is ${status} at ${left.stage}: ${why}`)
    })

  const tasksOf = (pullRequest: TaskPullRequest) =>
    Effect.gen(function*() {
      const ids = yield* read(readTasksOf(sql, pullRequest))
      return Arr.getSomes(yield* Effect.forEach(ids, (id) => one(reader.byId(id))))
    })

  const link = (taskId: TaskId, { byName = false, headSha, page, pullRequest, repository }: Link) =>
    Effect.flatMap(epochMillis, (now) =>
      write(Effect.gen(function*() {
        const [item] = yield* sql<
          { workItem: string; itemId: ItemId | null }
        >`UPDATE plane_sync_task SET repository_id = ${repository.id}, repository_name = ${repository.name},
          pull_request = ${pullRequest}, head_sha = ${headSha}, linked_by_name = ${byName ? 1 : 0}, updated_at = ${now}
          WHERE id = ${taskId} RETURNING work_item AS "workItem", plane_id AS "itemId"`
        if (item !== undefined && page !== undefined) {
          yield* linkPullRequest(sql, item, { title: `${repository.name}#${pullRequest}`, url: page })
        }
        yield* touch(sql, taskId, now)
      }))).pipe(Effect.zipLeft(notify))

  const report = Effect.fn("TaskStore.report")(function*(
    key: string,
    { id: reportId, links = [], outcome, reason, stage, ...given }: StageReport
  ) {
    const usage = yield* usageGiven(given.usage)
    const { id, itemId, project, workItem } = yield* get(key)
    yield* requireStage(pipelines, project, stage)
    const now = yield* epochMillis
    const words = reason === undefined ? null : cleanText(reason, reasonLimit)
    yield* write(Effect.gen(function*() {
      yield* lockTask(sql, id)
      const [news] = yield* sql`INSERT INTO plane_sync_report (task, stage, outcome, reason, at)
        VALUES (${id}, ${stage}, ${outcome}, ${words}, ${now})
        ON CONFLICT (task, stage) DO UPDATE SET outcome = excluded.outcome, reason = excluded.reason, at = excluded.at
          WHERE plane_sync_report.outcome <> excluded.outcome
            OR plane_sync_report.reason IS DISTINCT FROM excluded.reason
        RETURNING 1`
      if (news !== undefined) yield* touch(sql, id, now)
      if (usage !== undefined) yield* countUsage(sql, id, { stage, outcome, reason: words, id: reportId, usage }, now)
      yield* endReported(sql, id, stage)
      yield* linkTask(sql, { itemId, workItem }, links)
    }))
    yield* notify
    return yield* get(key)
  })

  return TaskStore.of({
    pipelineOf: pipelines.of,
    start,
    get,
    list: ({ cursor = Number.MAX_SAFE_INTEGER, limit, since, status }) =>
      Effect.map(
        read(reader.list({ status, since: since && stored(since), before: cursor, limit })),
        (rows) => rows.map(({ task }) => task)
      ),
    byId: (id) => one(reader.byId(id)),
    byKey,
    byItemId: (itemId) => one(reader.byItemId(itemId)),
    story: (taskId) => read(readStory(sql, taskId)),
    links: (task) => read(readTaskLinks(sql, task)),
    tasksOf,
    link,
    stop: leave("stopped"),
    pause: leave("paused"),
    applyMove: (taskId, move, states) => Effect.asVoid(moves(reader.byId(taskId), move, states)),
    moved: ({ itemId, workItem }, move, states) =>
      Effect.flatMap(keyOf(workItem), (key) => moves(reader.byKey(key, itemId), move, states, { key, itemId })),
    marked: ({ itemId, workItem }, mark) =>
      Effect.flatMap(keyOf(workItem), (key) => marks(reader.byKey(key, itemId), mark, { key, itemId })),
    obey: makeOrders({ sql, reader, starting, pipelines }),
    report,
    touch: (taskId) => Effect.flatMap(epochMillis, (now) => touch(sql, taskId, now))
  })
})
