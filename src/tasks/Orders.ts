import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { toTheSecond } from "../base/Time.js"
import type { ItemId } from "../domain/Ids.js"
import { unset } from "../domain/Projects.js"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import { leaveStates } from "../outbox/LeftStates.js"
import type { Sql } from "../storage/Sql.js"
import { decide, forgetDecisions } from "./Decisions.js"
import { touch } from "./DueTasks.js"
import { launchAgain } from "./LaunchAgain.js"
import { pauseLaunches, resumeLaunching } from "./LaunchPause.js"
import { leaveActive } from "./Leaving.js"
import { noteWord } from "./Marks.js"
import type { Pipeline, ProjectPipeline } from "./Pipeline.js"
import { human } from "./QualityGate.js"
import type { Starting } from "./Starting.js"
import { tell } from "./Story.js"
import type { Task } from "./Task.js"
import type { TaskReader, TaskRow } from "./TaskRows.js"

/** What a person wants of a task. `words`: why it is rejected. */
export type Order =
  | { readonly _tag: "approve" | "retry" | "pause" | "resume" | "cancel" | "status" }
  | { readonly _tag: "reject"; readonly words: string }

/** An order, with who gives it and when. */
export interface GivenOrder {
  readonly order: Order
  /** Who it is, as people read it: one line. */
  readonly by: string
  /** When it was given, by Plane's clock; not after now. */
  readonly at: EpochMillis
  /** The id of the transition that the stage is entered by, if it is. */
  readonly entry: string
  readonly now: EpochMillis
}

/** What came of an order: whether it was done, and in words what was, or why it was not. */
export interface Obeyed {
  readonly isDone: boolean
  readonly words: string
  /** The transition that its agent was launched under before, if it is launched again. */
  readonly from: Option.Option<string>
}

const done = (words: string): Obeyed => ({ isDone: true, words, from: Option.none() })
const refused = (words: string): Obeyed => ({ isDone: false, words, from: Option.none() })

/** What keeps a task from moving, in words. */
const standing = ({ status, why }: Task) =>
  `its task is ${status}${
    Option.match(why, {
      onNone: () => "",
      onSome: (why) => ` (${why})`
    })
  }`

/** How a task that does not move is started again. */
const startAgain = ({ workItem }: Task) => `move it to a started state, or run \`plane-sync task start ${workItem}\``

/** Where a task is, in a few lines. */
const statusOf = ({ enteredAt, pipeline, task }: TaskRow): string => {
  const { agent, launch, paused, stage, status, verdicts, workItem } = task
  const isAgent = Option.isSome(launch) && Option.isSome(agent)
  const gates = Option.match(pipeline, { onNone: () => [], onSome: ({ byName }) => Option.toArray(byName(stage)) })
    .flatMap(({ gates }) => gates)
    .map((gate) => {
      const said = verdicts.find((verdict) => verdict.gate === gate)
      const reason = said === undefined ? Option.none() : said.reason
      return `gate ${gate}: ${said?.verdict ?? "pending"}${
        Option.match(reason, { onNone: () => "", onSome: (reason) => ` (${reason})` })
      }`
    })
  return [
    `${workItem} is at ${stage}${enteredAt === null ? "" : ` since ${toTheSecond(enteredAt)}`}; ${standing(task)}.`,
    ...(isAgent ? [`${agent.value}: ${launch.value.state}`] : []),
    ...(Option.isSome(paused) ? [`no agent is launched since ${paused.value.by} wrote /pause`] : []),
    ...(status === "done" ? [] : gates)
  ].join("\n")
}

interface Parts {
  readonly sql: Sql
  readonly reader: TaskReader
  readonly starting: Starting
  readonly pipelines: Pipeline["Type"]
}

/**
 * Makes what does the orders that people give in comments. Each runs within a transaction, which it begins by locking
 * the task; what it asks for is decided and stored there.
 */
export const makeOrders = ({ pipelines, reader, sql, starting }: Parts) => {
  const judge = (row: TaskRow, pipeline: ProjectPipeline, given: GivenOrder, outcome: "approved" | "rejected") =>
    Effect.gen(function*() {
      const { enteredAt, task: { id, stage, status } } = row
      const { at, by, now, order } = given
      if (status !== "active") return refused(`${standing(row.task)}: ${startAgain(row.task)}`)
      const asks = Option.exists(pipeline.byName(stage), ({ gates }) => gates.includes(human.name))
      if (Option.isNone(pipeline.after(stage)) || !asks) {
        return refused(`${stage} does not wait for anybody's approval: it has no gate \`${human.name}\``)
      }
      // What was written about the stage before, and comes late, must not let this one pass.
      if (enteredAt !== null && at < enteredAt) {
        return refused(`the comment was written before the task entered ${stage}: write it again if you mean ${stage}`)
      }
      const reason = order._tag === "reject" ? Option.some(order.words) : Option.none()
      if (!(yield* decide(sql, id, { stage, outcome, reason, by }, at))) {
        return refused(`something was said of ${stage} after this comment was written, and that counts`)
      }
      yield* touch(sql, id, now)
      yield* tell(sql, id, now, `${stage} ${outcome} by ${by}`)
      return done(outcome === "approved" ? `${stage} is approved` : `${stage} is rejected`)
    })

  const retry = (row: TaskRow, { at, by, entry, now }: GivenOrder) =>
    Effect.gen(function*() {
      const { enteredAt, task } = row
      const { id, paused, stage, status } = task
      const agent = Option.getOrUndefined(task.agent)
      if (status !== "active") return refused(`${standing(task)}: ${startAgain(task)}`)
      if (Option.isSome(paused)) {
        return refused(`no agent is launched since ${paused.value.by} wrote /pause: write /resume first`)
      }
      if (!pipelines.launches) return refused("this plane-sync launches no agents")
      if (agent === undefined) return refused(`${stage} has no agent`)
      // It may be about another stage, or about an agent that was launched again since.
      if (enteredAt !== null && at < enteredAt) {
        return refused(
          `the comment was written before ${agent} was launched for ${stage} last: write it again if you ` +
            "mean that"
        )
      }
      // What was said of the attempt before does not count, also if its comment comes late.
      yield* sql`UPDATE plane_sync_task SET entered_at = ${now} WHERE id = ${id}`
      yield* sql`DELETE FROM plane_sync_report WHERE task = ${id} AND stage = ${stage}`
      yield* sql`UPDATE plane_sync_verdict SET failed = 0 WHERE task = ${id} AND stage = ${stage}`
      yield* forgetDecisions(sql, id, stage)
      if (!(yield* launchAgain(sql, row, { entry, attempts: 1 }, now))) return refused(`${stage} has no agent`)
      yield* tell(sql, id, now, `${agent} is launched again at ${stage}, by ${by}`)
      return { ...done(`${agent} is launched again for ${stage}`), from: Option.some(task.entry) }
    })

  const pause = ({ task }: TaskRow, { by, now }: GivenOrder) =>
    Effect.gen(function*() {
      const { id, paused, status } = task
      if (status === "stopped" || status === "done") return refused(standing(task))
      if (Option.isSome(paused)) return refused(`${paused.value.by} has paused it already`)
      yield* pauseLaunches(sql, task, by, now)
      yield* tell(sql, id, now, `no more agents are launched: paused by ${by}`)
      return done("no more agents are launched for it until /resume; one that is at work goes on")
    })

  const resume = ({ task }: TaskRow, { by, now }: GivenOrder) =>
    Effect.gen(function*() {
      if (Option.isNone(task.paused)) {
        return refused(
          task.status === "paused" ? `${standing(task)}: ${startAgain(task)}` : "its agents are not paused"
        )
      }
      yield* resumeLaunching(sql, task, now)
      yield* tell(sql, task.id, now, `agents are launched again: resumed by ${by}`)
      return done("its agents are launched again")
    })

  const cancel = ({ task }: TaskRow, itemId: ItemId, { at, by, now }: GivenOrder) =>
    Effect.gen(function*() {
      const { id, stage, workItem } = task
      const left = yield* leaveActive(sql, { id, itemId: Option.some(itemId) }, "stopped", `${by} wrote /cancel`, now)
      if (left === undefined) return refused(standing(task))
      // A label that was given before does not start it again.
      yield* noteWord(sql, itemId, at)
      yield* leaveStates(sql, { key: WorkItemKey.normalize(workItem), itemId })
      return done(`the task is stopped at ${stage}, and its state in Plane is left to you`)
    })

  /**
   * Does what a person wants of the task, or says why not. None if there is no such task any more. It writes first, as
   * a transaction must.
   */
  return ({ id, itemId }: { readonly id: Task["id"]; readonly itemId: ItemId }, given: GivenOrder): Effect.Effect<
    Option.Option<Obeyed>,
    SqlError
  > =>
    Effect.gen(function*() {
      const row = yield* starting.locked(reader.byId(id))
      if (row === undefined) return Option.none()
      const { order } = given
      if (order._tag === "status") return Option.some(done(statusOf(row)))
      if (order._tag === "cancel") return Option.some(yield* cancel(row, itemId, given))
      if (Option.isNone(row.pipeline)) return Option.some(refused(unset(row.task.project)))
      const pipeline = row.pipeline.value
      switch (order._tag) {
        case "approve":
          return Option.some(yield* judge(row, pipeline, given, "approved"))
        case "reject":
          return Option.some(yield* judge(row, pipeline, given, "rejected"))
        case "retry":
          return Option.some(yield* retry(row, given))
        case "pause":
          return Option.some(yield* pause(row, given))
        case "resume":
          return Option.some(yield* resume(row, given))
      }
    })
}

export type Orders = ReturnType<typeof makeOrders>
