import type { SqlError } from "@effect/sql/SqlError"
import { Array as Arr, Effect, Option, Order, Record, Schema } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis, Moment, utc } from "../base/Time.js"
import type { ItemId } from "../domain/Ids.js"
import type { PipelineStage } from "../domain/PipelineStage.js"
import { unset } from "../domain/Projects.js"
import type { Stage } from "../domain/Stage.js"
import type { TaskReceipt } from "../domain/TaskReceipt.js"
import { withUsage } from "../domain/TaskReceipt.js"
import type { WorkItemKey } from "../domain/WorkItemKey.js"
import { usageOfItem, usedOf } from "../outbox/EventUsage.js"
import { itemOfKey, keysOfItem, problemOfKey } from "../outbox/ItemKeys.js"
import type { Fragment, Sql } from "../storage/Sql.js"
import { answerFields, answersOf } from "./Answers.js"
import { decisionFields, decisionsOf } from "./Decisions.js"
import { launchList } from "./Launches.js"
import type { Pipeline, ProjectPipeline } from "./Pipeline.js"
import { projectOfTask } from "./ProjectOfTask.js"
import { Page } from "./QualityGate.js"
import type { ReceiptColumns } from "./Receipts.js"
import { receiptFields, receiptOfRow } from "./Receipts.js"
import type { GivenVerdict, Task, TaskId, TaskStatus } from "./Task.js"
import { LaunchState, ReportOutcome, VerdictWord } from "./Task.js"
import type { KnownVerdict } from "./VerdictNews.js"

interface Row extends ReceiptColumns {
  readonly id: TaskId
  readonly workItem: string
  readonly project: string
  readonly itemId: ItemId | null
  readonly stage: Stage
  readonly status: TaskStatus
  readonly why: string | null
  readonly givenAgent: string | null
  readonly repositoryId: number | null
  readonly headSha: string | null
  readonly linkedByName: number
  readonly entry: string
  readonly startedAt: EpochMillis
  readonly updatedAt: EpochMillis
  readonly revision: number
  readonly dueAt: EpochMillis | null
  readonly verdicts: string
  readonly reports: string
  readonly decisions: string
  readonly pausedBy: string | null
  readonly pausedAt: EpochMillis | null
  readonly launches: string
  readonly answers: string
  readonly enteredAt: EpochMillis | null
  readonly usedByEvents: string
}

/** A task, with what is needed to decide about it. */
export interface TaskRow {
  readonly task: Task
  /** That of its project. None if no setting names that any more: then nothing moves the task. */
  readonly pipeline: Option.Option<ProjectPipeline>
  /** Rises with every change of it. */
  readonly revision: number
  /** When its gates are to be asked. Null: when there is a new fact. */
  readonly dueAt: EpochMillis | null
  /** See `Start.agent`. */
  readonly givenAgent: string | null
  /** All stored verdicts, with what is remembered of each. */
  readonly known: ReadonlyArray<KnownVerdict>
  /** Its receipt without what events have used: the comment that tells its end adds that. */
  readonly ownReceipt: TaskReceipt
  /** Since when it is at its stage. Null of one that an older version has let in. */
  readonly enteredAt: EpochMillis | null
}

const reason = Schema.optionalWith(Schema.String, { nullable: true })
const moment = Schema.DateTimeUtcFromNumber

const verdictsOf = Schema.decodeSync(Schema.parseJson(Schema.Array(Schema.Struct({
  gate: Schema.String,
  stage: Schema.NullOr(Schema.String),
  verdict: VerdictWord,
  reason,
  since: Moment,
  at: Moment,
  told: Schema.NullOr(Schema.String),
  held: Schema.Literal(0, 1),
  page: Schema.NullOr(Schema.parseJson(Page)),
  failed: Schema.Number
}))))

const reportsOf = Schema.decodeSync(Schema.parseJson(Schema.Array(Schema.Struct({
  stage: Schema.String,
  outcome: ReportOutcome,
  reason: Schema.OptionFromNullOr(Schema.String),
  at: moment
}))))

const launchesOf = Schema.decodeSync(Schema.parseJson(Schema.Array(Schema.Struct({
  state: LaunchState,
  since: moment,
  position: Schema.optionalWith(Schema.Number, { as: "Option", nullable: true })
}))))

/** The agent that is launched for a task that enters a stage. */
export const agentOf = ({ agent }: PipelineStage, given: string | null | undefined): string | undefined =>
  agent === undefined ? undefined : given ?? agent

/** The agent that a stage change names: the one that is launched, if anybody is. */
export const toldAgentOf = (
  { launches }: Pipeline["Type"],
  stage: PipelineStage,
  given: string | null
): string | undefined => launches ? agentOf(stage, given) : undefined

/** The verdicts that are shown: those of gates that a stage up to here names, in the order of the stages. */
const shownVerdicts = (
  pipeline: ProjectPipeline,
  at: Stage,
  known: ReadonlyArray<KnownVerdict>
): ReadonlyArray<GivenVerdict> =>
  pipeline.gatesUpTo(at).flatMap(({ gate, stage }) =>
    known.filter((one) => one.gate === gate).map(({ at, reason, since, verdict }) => ({
      gate,
      stage,
      verdict,
      reason: Option.fromNullable(reason),
      since: utc(since),
      at: utc(at)
    }))
  )

const toTask = (pipeline: Pipeline["Type"], now: EpochMillis) => (row: Row): TaskRow => {
  const known = verdictsOf(row.verdicts).map(({ held, ...verdict }): KnownVerdict => ({ ...verdict, held: held === 1 }))
  const ofProject = pipeline.of(row.project)
  const stages = Option.match(ofProject, { onNone: () => [], onSome: ({ names }) => names })
  const ownReceipt = receiptOfRow(row, stages, now)
  return { ...withVerdicts(ofProject, row, known, ownReceipt), pipeline: ofProject, known, ownReceipt }
}

/** Why a task that is not done stands still; none if it does not. */
const whyLeft = (pipeline: Option.Option<ProjectPipeline>, { project, status }: Row) =>
  Option.isSome(pipeline) || status === "done" ? null : unset(project)

const withVerdicts = (
  pipeline: Option.Option<ProjectPipeline>,
  row: Row,
  known: ReadonlyArray<KnownVerdict>,
  ownReceipt: TaskReceipt
) => ({
  task: {
    id: row.id,
    workItem: row.workItem,
    project: row.project,
    itemId: Option.fromNullable(row.itemId),
    stage: row.stage,
    status: row.status,
    why: Option.fromNullable(row.why ?? whyLeft(pipeline, row)),
    agent: pipeline.pipe(
      Option.flatMap(({ byName }) => byName(row.stage)),
      Option.flatMapNullable((stage) => agentOf(stage, row.givenAgent))
    ),
    repository: Option.map(
      Option.fromNullable(row.repositoryId),
      (id) => ({ id, name: row.repositoryName ?? "" })
    ),
    pullRequest: Option.fromNullable(row.pullRequest),
    headSha: Option.fromNullable(row.headSha),
    linkedByName: row.linkedByName === 1,
    entry: row.entry,
    launch: Option.fromNullable(launchesOf(row.launches)[0]),
    paused: row.pausedBy === null
      ? Option.none()
      : Option.some({ by: row.pausedBy, since: utc(row.pausedAt ?? row.updatedAt) }),
    startedAt: utc(row.startedAt),
    updatedAt: utc(row.updatedAt),
    verdicts: Option.match(pipeline, { onNone: () => [], onSome: (one) => shownVerdicts(one, row.stage, known) }),
    reports: Arr.sortWith(reportsOf(row.reports), ({ stage }) => stage, Order.string),
    decisions: decisionsOf(row.decisions),
    answers: answersOf(row.answers),
    receipt: withUsage(ownReceipt, usedOf(row.usedByEvents))
  },
  revision: row.revision,
  dueAt: row.dueAt,
  enteredAt: row.enteredAt,
  givenAgent: row.givenAgent
})

const own = `t.id, t.work_item AS "workItem", t.plane_id AS "itemId", t.stage, t.status, t.agent AS "givenAgent",
  t.repository_id AS "repositoryId", t.repository_name AS "repositoryName", t.pull_request AS "pullRequest",
  t.head_sha AS "headSha", t.linked_by_name AS "linkedByName", t.entry, t.entered_at AS "enteredAt",
  t.started_at AS "startedAt",
  t.updated_at AS "updatedAt", t.revision, t.due_at AS "dueAt",
  t.past_pull_requests AS "pastPullRequests", t.launches_paused_by AS "pausedBy",
  t.launches_paused_at AS "pausedAt"`

const verdictFields = {
  gate: "gate",
  stage: "stage",
  verdict: "verdict",
  reason: "reason",
  since: "coalesce(since, at)",
  at: "at",
  told: "told",
  held: "held",
  page: "page",
  failed: "failed"
}

const reportFields = { stage: "stage", outcome: "outcome", reason: "reason", at: "at" }

const columns = (sql: Sql) => {
  const objects = (fields: Readonly<Record<string, string>>) => sql.jsonObjects(Record.map(fields, sql.literal))
  return sql`${sql.literal(own)},
    (SELECT ${objects(verdictFields)} FROM plane_sync_verdict WHERE task = t.id) AS verdicts,
    (SELECT ${objects(reportFields)} FROM plane_sync_report WHERE task = t.id) AS reports,
    (SELECT ${objects(decisionFields)} FROM plane_sync_decision WHERE task = t.id) AS decisions,
    (SELECT ${objects(receiptFields.stages)} FROM plane_sync_task_stage WHERE task = t.id) AS stages,
    (SELECT ${objects(receiptFields.usage)} FROM plane_sync_task_usage WHERE task = t.id) AS usage,
    (SELECT ${objects(answerFields)} FROM plane_sync_answer WHERE task = t.id) AS answers,
    ${launchList(sql)} AS launches, ${usageOfItem(sql, sql.literal("t.plane_id"), sql.literal("t.key"))}
      AS "usedByEvents"`
}

/** The statements that find tasks, each by an index. */
export const taskReader = (sql: Sql, pipeline: Pipeline["Type"]) => {
  // A task whose work item is not there is active all the same, because a person may make it yet.
  const missing = problemOfKey(sql, sql.literal("t.key"))
  const why = sql`coalesce(t.why, CASE WHEN t.plane_id IS NULL AND t.status <> 'done' THEN ${missing} END) AS why`
  const select = (rest: Fragment) =>
    Effect.zipWith(
      sql<Row>`SELECT ${columns(sql)}, ${why}, ${projectOfTask(sql)} AS project
        FROM plane_sync_task t WHERE ${rest}`,
      epochMillis,
      (rows, now) => rows.map(toTask(pipeline, now))
    )
  const first = (rest: Fragment): Effect.Effect<TaskRow | undefined, SqlError> =>
    Effect.map(select(rest), ([row]) => row)

  /** The task with this item id, or else one whose key was found to be that work item. */
  const byItemId = (itemId: ItemId) =>
    first(sql`t.id = coalesce((SELECT id FROM plane_sync_task WHERE plane_id = ${itemId}),
      (SELECT known.id FROM ${keysOfItem(sql, itemId)} found
        JOIN plane_sync_task known ON known.key = found.key AND known.plane_id IS NULL
        ORDER BY known.id DESC LIMIT 1))`)

  /** The task of this spelling, or else of another one; but none that is known to be another work item. */
  const bySpelling = (
    { canonical, normalized, zeros }: WorkItemKey,
    { given, itemId }: { readonly given: ItemId | undefined; readonly itemId: ItemId | undefined }
  ) => {
    const isUnknown = sql`coalesce(t.plane_id, ${itemOfKey(sql, sql.literal("t.key"))}) IS NULL`
    const isSame = given === undefined ? sql`t.key = ${normalized}` : sql`false`
    // Until it is looked up, "ET-002" is taken for ET-2, because few work items have such a key in their name.
    const mayBe = itemId === undefined && zeros ? sql`true` : isUnknown
    return first(sql`t.canonical = ${canonical} AND (${isSame} OR ${mayBe})
      ORDER BY t.key = ${normalized} DESC, t.id DESC LIMIT 1`)
  }

  return {
    byId: (id: TaskId) => first(sql`t.id = ${id}`),
    /**
     * The task of the work item `given`, or of the one that the key was found to be; or else the one of its spelling.
     */
    byKey: (key: WorkItemKey, given: ItemId | undefined) =>
      Effect.gen(function*() {
        const [row] = yield* sql<{ itemId: ItemId | null }>`SELECT ${itemOfKey(sql, key.normalized)} AS "itemId"`
        const itemId = given ?? row?.itemId ?? undefined
        const task = itemId === undefined ? undefined : yield* byItemId(itemId)
        return task ?? (yield* bySpelling(key, { given, itemId }))
      }),
    byItemId,
    byIds: (ids: ReadonlyArray<TaskId>) => select(sql`t.id IN ${sql.numbers(ids)} ORDER BY t.id`),
    /** The active tasks, the oldest first. `after`: the last one of the page before. */
    active: ({ after, limit }: { readonly after: number; readonly limit: number }) =>
      select(sql`t.status = 'active' AND t.id > ${after} ORDER BY t.id LIMIT ${limit}`),
    /** `since`: those that have changed since. Their index has the ids, so that no other task is read. */
    list: ({ before, limit, since, status }: {
      readonly status: TaskStatus | undefined
      readonly since: EpochMillis | undefined
      readonly before: number
      readonly limit: number
    }) =>
      select(
        sql`${
          sql.join(" AND ", [
            sql`t.id < ${before}`,
            ...(status === undefined ? [] : [sql`t.status = ${status}`]),
            ...(since === undefined
              ? []
              : [sql`t.id IN (SELECT changed.id FROM plane_sync_task changed WHERE changed.updated_at >= ${since})`])
          ])
        } ORDER BY t.id DESC LIMIT ${limit}`
      )
  }
}

export type TaskReader = ReturnType<typeof taskReader>
