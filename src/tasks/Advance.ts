import type { SqlError } from "@effect/sql/SqlError"
import { Duration, Effect } from "effect"
import { cleanText, reasonLimit } from "../base/Text.js"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis, later } from "../base/Time.js"
import { uuidV7 } from "../base/UuidV7.js"
import { StageEvent } from "../domain/StageEvent.js"
import type { StageEvents } from "../events/StageEvents.js"
import type { Fragment } from "../storage/Sql.js"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { longestWait } from "./DueTasks.js"
import { oweLaunch } from "./Launches.js"
import type { Pipeline, PipelineStage } from "./Pipeline.js"
import type { QualityGates } from "./QualityGate.js"
import { ask, Verdict } from "./QualityGate.js"
import type { GivenVerdict, TaskId } from "./Task.js"
import type { TaskRow } from "./TaskRows.js"
import { agentOf, taskReader } from "./TaskRows.js"

/** A gate that gave no verdict is asked again after this time. */
const silentAgainAfter = Duration.minutes(1)

/** A gate that wants to be asked again at once must not keep a worker busy without a pause. */
const shortestWait = Duration.seconds(1)

/** The verdict of one gate; none when it gave none. */
interface Answer {
  readonly gate: string
  readonly verdict: Verdict | undefined
}

/** After which time a gate is to be asked again although there is no new fact. */
const againAfter = ({ verdict }: Answer) => {
  if (verdict === undefined) return silentAgainAfter
  return verdict._tag === "Passed" || verdict.againAfter === undefined
    ? undefined
    : Duration.clamp(verdict.againAfter, { minimum: shortestWait, maximum: longestWait })
}

/** When the gates are due again: the first time that one of them names. Null if none does. */
const dueAgain = (answers: ReadonlyArray<Answer>, now: EpochMillis): EpochMillis | null => {
  const waits = answers.map(againAfter).filter((wait) => wait !== undefined)
  return waits.length === 0 ? null : later(now, Math.min(...waits.map(Duration.toMillis)))
}

type Work = Effect.Effect<{ readonly value: boolean; readonly events: ReadonlyArray<StageEvent> }, SqlError>

const given = (gate: string, verdict: Verdict, at: EpochMillis): GivenVerdict =>
  Verdict.$match(verdict, {
    Passed: (): GivenVerdict => ({ gate, verdict: "passed", at }),
    Failed: ({ reason }): GivenVerdict => ({ gate, verdict: "failed", reason: cleanText(reason, reasonLimit), at }),
    Pending: ({ why }): GivenVerdict => ({ gate, verdict: "pending", reason: cleanText(why, reasonLimit), at })
  })

/**
 * Takes a task from stage to stage while its gates hold. The gates are asked outside of any transaction. Their verdicts
 * count only if the task's revision is still the one that they were asked about. So when two advance a task at the same
 * time, here or in another process, one of them does it; and a fact that comes in between has the gates asked again.
 */
export const makeAdvance = (
  { read, sql }: Storage["Type"],
  events: StageEvents["Type"],
  pipeline: Pipeline["Type"],
  gates: QualityGates["Type"]
): (taskId: TaskId) => Effect.Effect<void, StorageError> => {
  const reader = taskReader(sql, pipeline)

  const remember = (taskId: TaskId, verdicts: ReadonlyArray<GivenVerdict>) =>
    Effect.forEach(
      verdicts,
      ({ at, gate, reason, verdict }) =>
        sql`INSERT INTO plane_sync_verdict (task, gate, verdict, reason, at)
        VALUES (${taskId}, ${gate}, ${verdict}, ${reason ?? null}, ${at})
        ON CONFLICT (task, gate) DO UPDATE SET verdict = excluded.verdict, reason = excluded.reason, at = excluded.at`,
      { discard: true }
    )

  /**
   * Makes the change if the task is still as it was read, and says whether it was. Writes first, as a transaction must.
   */
  const ifUnchanged = (
    { revision, task }: TaskRow,
    set: Fragment,
    change: Effect.Effect<ReadonlyArray<StageEvent>, SqlError>
  ): Work =>
    Effect.gen(function*() {
      const [unchanged] = yield* sql`UPDATE plane_sync_task SET ${set}
        WHERE id = ${task.id} AND revision = ${revision} RETURNING id`
      return unchanged === undefined ? { value: false, events: [] } : { value: true, events: yield* change }
    })

  const enter = (
    row: TaskRow,
    next: PipelineStage,
    passed: ReadonlyArray<GivenVerdict>,
    step: string,
    now: EpochMillis
  ) => {
    const { givenAgent, task } = row
    const isLast = pipeline.after(next.stage) === undefined
    const agent = agentOf(next, givenAgent)
    const { workItem } = task
    return ifUnchanged(
      row,
      sql`stage = ${next.stage}, status = ${isLast ? "done" : "active"}, entry = ${step}, updated_at = ${now},
        due_at = ${isLast ? null : now}, revision = revision + 1`,
      Effect.gen(function*() {
        yield* remember(task.id, passed)
        yield* oweLaunch(sql, { entry: step, taskId: task.id, stage: next.stage, agent }, now)
        const changed = StageEvent.StageChanged({ workItem, from: task.stage, to: next.stage, agent, id: step })
        return isLast ? [changed, StageEvent.TaskCompleted({ workItem, id: `${step}:done` })] : [changed]
      })
    )
  }

  const stay = (
    row: TaskRow,
    news: ReadonlyArray<GivenVerdict>,
    dueAt: EpochMillis | null,
    step: string,
    now: EpochMillis
  ) => {
    const { task } = row
    return ifUnchanged(
      row,
      news.length === 0
        ? sql`due_at = ${dueAt}`
        : sql`due_at = ${dueAt}, updated_at = ${now}, revision = revision + 1`,
      Effect.as(
        remember(task.id, news),
        news.flatMap(({ gate, reason = "", verdict }, index) =>
          verdict === "failed"
            ? [StageEvent.QualityGateFailed({
              workItem: task.workItem,
              stage: task.stage,
              check: gate,
              reason,
              id: `${step}:${index}`
            })]
            : []
        )
      )
    )
  }

  /** One step. Says whether there may be another. */
  const step = (row: TaskRow) =>
    Effect.gen(function*() {
      const { task } = row
      const here = pipeline.byName(task.stage)
      const next = pipeline.after(task.stage)
      const answers = task.status !== "active" || here === undefined || next === undefined
        ? undefined
        : yield* Effect.forEach(here.gates, (gate) => answerOf(gate, row), { concurrency: "unbounded" })
      if (task.status === "active" && answers === undefined) {
        yield* Effect.logWarning(`${task.workItem} is at ${task.stage}, which the pipeline cannot leave: it stays`)
      }
      const id = yield* uuidV7
      const now = yield* epochMillis
      const said = (answers ?? []).flatMap(({ gate, verdict }) =>
        verdict === undefined ? [] : [given(gate, verdict, now)]
      )
      if (next !== undefined && answers?.every(({ verdict }) => verdict?._tag === "Passed") === true) {
        yield* events.transact(enter(row, next, said, id, now))
        return true
      }
      const news = said.filter(({ gate, reason, verdict }) =>
        !task.verdicts.some((known) => known.gate === gate && known.verdict === verdict && known.reason === reason)
      )
      const dueAt = dueAgain(answers ?? [], now)
      if (news.length === 0 && dueAt === row.dueAt) return false
      return !(yield* events.transact(stay(row, news, dueAt, id, now)))
    })

  const answerOf = (name: string, { task }: TaskRow): Effect.Effect<Answer> => {
    const gate = gates.get(name)
    return gate === undefined
      ? Effect.dieMessage(`the gate ${name} was there when the layer was built`)
      : Effect.map(ask(gate, task), (verdict) => ({ gate: name, verdict }))
  }

  return (taskId) =>
    Effect.gen(function*() {
      for (;;) {
        const row = yield* read(reader.byId(taskId))
        if (row === undefined || !(yield* step(row))) return
      }
    })
}
