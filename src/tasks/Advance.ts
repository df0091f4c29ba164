import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis } from "../base/Time.js"
import { uuidV7 } from "../base/UuidV7.js"
import type { Projects } from "../domain/Projects.js"
import type { Noted } from "../domain/StageEvent.js"
import { StageEvent } from "../domain/StageEvent.js"
import type { StageEvents } from "../events/StageEvents.js"
import type { Fragment } from "../storage/Sql.js"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { Entry } from "./Entering.js"
import { askedApproval, completion, enterStage } from "./Entering.js"
import { resumeLaunches } from "./Launches.js"
import type { Pipeline } from "./Pipeline.js"
import type { QualityGates } from "./QualityGate.js"
import type { Round } from "./Round.js"
import { dueAgain, makeRound } from "./Round.js"
import { countFailures } from "./StageTimes.js"
import { tell, verdictLine, wellLine } from "./Story.js"
import type { TaskId } from "./Task.js"
import { linkCheck } from "./TaskLinks.js"
import type { TaskRow } from "./TaskRows.js"
import { taskReader, toldAgentOf } from "./TaskRows.js"
import type { KnownVerdict, VerdictNews } from "./VerdictNews.js"
import { verdictNews } from "./VerdictNews.js"

type Work = Effect.Effect<{ readonly value: boolean; readonly events: ReadonlyArray<StageEvent | Noted> }, SqlError>

/** Its agent waits until the gates were asked, and for nothing else. */
const isHeld = ({ task: { launch, paused, status } }: TaskRow) =>
  status === "active" && Option.isNone(paused) &&
  Option.exists(launch, ({ position, state }) => state === "waiting" && Option.isNone(position))

/**
 * Takes a task on, as far as its gates hold, in one commit. The gates are asked outside of any transaction. Their
 * verdicts count only if the task's revision is still the one that they were asked about. So when two advance a task at
 * the same time, here or in another process, one of them does it; and a fact that comes in between has the gates asked
 * again.
 */
export const makeAdvance = (
  { read, sql }: Storage["Type"],
  events: StageEvents["Type"],
  pipeline: Pipeline["Type"],
  gates: QualityGates["Type"],
  projects: Projects["Type"]
): (taskId: TaskId) => Effect.Effect<void, StorageError> => {
  const reader = taskReader(sql, pipeline)
  const round = makeRound(pipeline, gates)

  const remember = (taskId: TaskId, verdicts: ReadonlyArray<KnownVerdict>) =>
    Effect.forEach(
      verdicts,
      ({ at, failed, gate, held, page, reason, since, stage, told, verdict }) =>
        sql`INSERT INTO plane_sync_verdict (task, gate, stage, verdict, reason, since, at, told, held, page, failed)
        VALUES (${taskId}, ${gate}, ${stage}, ${verdict}, ${reason ?? null}, ${since}, ${at}, ${told}, ${held ? 1 : 0},
          ${page ? JSON.stringify(page) : null}, ${failed})
        ON CONFLICT (task, gate) DO UPDATE SET stage = excluded.stage, verdict = excluded.verdict,
          reason = excluded.reason, since = excluded.since, at = excluded.at, told = excluded.told, held = excluded.held,
          page = excluded.page, failed = excluded.failed`,
      { discard: true }
    )

  /** Stores when the task is due, if it is still as it was read, and says whether it was. */
  const setDue = ({ revision, task }: TaskRow, set: Fragment) =>
    Effect.map(
      sql`UPDATE plane_sync_task SET ${set} WHERE id = ${task.id} AND revision = ${revision} RETURNING id`,
      ([unchanged]) => unchanged !== undefined
    )

  /** Makes the change if the task was still as it was read. That writes first, as a transaction must. */
  const ifUnchanged = (
    writing: Effect.Effect<boolean, SqlError>,
    change: Effect.Effect<ReadonlyArray<StageEvent | Noted>, SqlError>
  ): Work =>
    Effect.gen(function*() {
      const isUnchanged = yield* writing
      return { value: isUnchanged, events: isUnchanged ? yield* change : [] }
    })

  /** Stores the verdicts, and gives the failures that are to be told at a stage. */
  const say = (
    { task }: TaskRow,
    { changed, failures, shown, turned, well }: VerdictNews,
    stage: string,
    id: string,
    now: EpochMillis
  ): Effect.Effect<ReadonlyArray<StageEvent>, SqlError> =>
    Effect.gen(function*() {
      yield* remember(task.id, changed)
      if (shown !== undefined) yield* linkCheck(sql, task, Option.getOrUndefined(shown))
      yield* countFailures(sql, task.id, stage, failures.length)
      for (const verdict of turned) {
        // Of these the line below says more.
        if (!well.includes(verdict.gate)) yield* tell(sql, task.id, now, verdictLine(verdict))
      }
      yield* Effect.forEach(well, (gate) => tell(sql, task.id, now, wellLine(gate, task.stage)), {
        discard: true
      })
      return failures.map(({ gate, reason, sameAs }, index) =>
        StageEvent.QualityGateFailed({
          workItem: task.workItem,
          stage,
          check: gate,
          reason,
          ...(sameAs === undefined ? {} : { sameAs }),
          id: `${id}:${index}`
        })
      )
    })

  /** The stages that are only passed launch nobody: their gates hold already, so there is nothing to do there. */
  const enter = (
    row: TaskRow,
    passed: ReadonlyArray<Entry>,
    rest: Entry,
    news: VerdictNews,
    dueAt: EpochMillis | null,
    now: EpochMillis
  ) => {
    const { givenAgent, task } = row
    const { workItem } = task
    const agent = toldAgentOf(pipeline, rest.stage, givenAgent)
    return ifUnchanged(
      enterStage(sql, row, rest, { areGatesAsked: true, dueAt, now }),
      Effect.gen(function*() {
        const failed = yield* say(row, news, rest.stage.stage, rest.id, now)
        const changed = [...passed, rest].map((entry, index, entries) =>
          StageEvent.StageChanged({
            workItem,
            from: entries[index - 1]?.stage.stage ?? task.stage,
            to: entry.stage.stage,
            agent: entry === rest ? agent : undefined,
            id: entry.id
          })
        )
        return [...changed, ...failed, ...yield* completion(reader, row, rest), ...askedApproval(row, rest, projects)]
      })
    )
  }

  const stay = (row: TaskRow, news: VerdictNews, dueAt: EpochMillis | null, id: string, now: EpochMillis) =>
    ifUnchanged(
      setDue(
        row,
        news.isNews
          ? sql`due_at = ${dueAt}, updated_at = ${now}, revision = revision + 1`
          : sql`due_at = ${dueAt}`
      ),
      Effect.zipRight(
        isHeld(row) ? resumeLaunches(sql, row.task.id) : Effect.void,
        say(row, news, row.task.stage, id, now)
      )
    )

  const newsOf = ({ known, pipeline, task }: TaskRow, { answers, entered }: Round, now: EpochMillis) =>
    verdictNews({
      known,
      answers,
      from: task.stage,
      here: entered.at(-1)?.stage ?? task.stage,
      left: new Set(
        entered.length === 0 ?
          [] :
          [
            ...Option.toArray(Option.flatMap(pipeline, ({ byName }) => byName(task.stage))),
            ...entered.slice(0, -1)
          ].flatMap(({ gates }) => gates)
      ),
      now
    })

  /** One round. Says whether there must be another, because the task has changed meanwhile. */
  const step = (row: TaskRow) =>
    Effect.gen(function*() {
      const { task } = row
      const said = yield* round(task)
      const id = yield* uuidV7
      const entries = yield* Effect.forEach(said.entered, (stage) => Effect.map(uuidV7, (id): Entry => ({ id, stage })))
      const now = yield* epochMillis
      const news = newsOf(row, said, now)
      const dueAt = dueAgain(said, task.status === "done", now)
      const rest = entries.at(-1)
      if (rest !== undefined) {
        return !(yield* events.transact(enter(row, entries.slice(0, -1), rest, news, dueAt, now)))
      }
      if (news.changed.length === 0 && dueAt === row.dueAt && !isHeld(row)) return false
      return !(yield* events.transact(stay(row, news, dueAt, id, now)))
    })

  return (taskId) =>
    Effect.gen(function*() {
      for (;;) {
        const row = yield* read(reader.byId(taskId))
        if (row === undefined || !(yield* step(row))) return
      }
    })
}
