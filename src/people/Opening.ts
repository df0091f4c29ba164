import type { SqlError } from "@effect/sql/SqlError"
import type { Duration } from "effect"
import { Effect, Option } from "effect"
import { createHash } from "node:crypto"
import type { EpochMillis } from "../base/Time.js"
import { later } from "../base/Time.js"
import type { Projects } from "../domain/Projects.js"
import { Noted, StageEvent } from "../domain/StageEvent.js"
import { giveAssignees } from "../outbox/WantedAssignees.js"
import type { Sql } from "../storage/Sql.js"
import { tell } from "../tasks/Story.js"
import type { Task } from "../tasks/Task.js"
import { itemOf } from "../tasks/TaskLinks.js"
import type { NoticeKind } from "./Notices.js"
import { oweNotice } from "./Notices.js"
import type { WaitReason, WaitState } from "./Wait.js"
import type { WaitRow } from "./Waits.js"
import { closeWait, escalateWait, openWait, reachedNow } from "./Waits.js"

/** What is asked, or is the matter. Its texts are cleaned. */
export interface Matter {
  readonly reason: WaitReason
  readonly same: string
  readonly question: string
  readonly agent: string | null
  /** Whether a comment can say it. */
  readonly canBeTold: boolean
  /** The comment that says it, if it is not one of these. What was published with its id before is that comment. */
  readonly comment?: Noted | undefined
}

/** What is a wait also where nobody has asked for any, by a question or by a setting. */
const unasked: ReadonlySet<WaitReason> = new Set(["gate_failed", "dead_letter"])

/** What a comment says of a wait that no agent has asked for. */
const needed = (question: string) => `🙋 Somebody is needed: ${question}`

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16)

/** The id of the event that tells a wait. It has the transition's id, so that no other database makes the same. */
const eventId = (
  { entry, reason, same }: { readonly entry: string; readonly reason: WaitReason; readonly same: string }
) => `${entry}:${reason}:${hashOf(same)}`

/**
 * What is done when a wait begins, is handed on, or ends. All of it runs within the transaction that has locked the
 * task, and stores the notices with it.
 */
export const makeOpening = (
  sql: Sql,
  projects: Projects["Type"],
  { after, hasNotices }: { readonly after: Duration.Duration; readonly hasNotices: boolean }
) => {
  const attentionOf = ({ workItem }: Pick<WaitRow, "workItem">) => projects.ofKey(workItem)?.attention ?? []
  const notice = (kind: NoticeKind, wait: WaitRow, now: EpochMillis) =>
    hasNotices ? oweNotice(sql, kind, wait, now) : Effect.void

  /** Whether there is somebody to reach: a notice is sent, or somebody is named for the project of this work item. */
  const areNamed = (task: Pick<WaitRow, "workItem">) => hasNotices || attentionOf(task).length > 0

  /** When the person after the first `step` ones is asked; null if there is none. */
  const nextAt = (wait: Pick<WaitRow, "workItem">, step: number, now: EpochMillis) =>
    attentionOf(wait).length > step ? later(now, after) : null

  /** Those who were asked about what the task waits for now are assigned, and no others of ours. */
  const assign = ({ reached, taskId, workItem }: WaitRow, task: Pick<Task, "itemId"> | undefined) =>
    reached.length === 0 ? Effect.void : Effect.flatMap(
      reachedNow(sql, taskId),
      (people) => giveAssignees(sql, itemOf(workItem, task && Option.getOrUndefined(task.itemId)), people)
    )

  return {
    areNamed,

    /** Opens a wait, and gives the event that says it; undefined if it was opened before in this entry of the stage. */
    open: (
      task: Task,
      { agent, canBeTold, comment, question, reason, same }: Matter,
      now: EpochMillis
    ): Effect.Effect<
      { readonly wait: WaitRow; readonly events: ReadonlyArray<StageEvent | Noted> } | undefined,
      SqlError
    > =>
      Effect.gen(function*() {
        const { entry, id: taskId, stage, workItem } = task
        const [first] = attentionOf({ workItem })
        // Who has named nobody gets no other comments than those that are specified.
        const isWanted = !unasked.has(reason) || areNamed(task)
        const told = canBeTold && isWanted ? comment?.id ?? eventId({ entry, reason, same }) : null
        const wait = yield* openWait(sql, {
          taskId,
          entry,
          reason,
          same,
          workItem,
          stage,
          question,
          agent,
          told,
          first,
          escalateAt: nextAt({ workItem }, 1, now)
        }, now)
        if (wait === undefined) return undefined
        yield* tell(sql, taskId, now, `waits for somebody (${reason}) at ${stage}: ${question}`)
        yield* notice("opened", wait, now)
        yield* assign(wait, task)
        if (told === null) return { wait, events: [] }
        const event = reason === "asked"
          ? StageEvent.QuestionAsked({ workItem, question, id: told, ...agent === null ? {} : { agent } })
          : comment ?? new Noted({ workItem, text: needed(question), id: told })
        return { wait, events: [event] }
      }),

    /** The next of the attention list is asked. */
    escalate: (
      wait: WaitRow,
      task: Pick<Task, "itemId">,
      now: EpochMillis
    ): Effect.Effect<WaitRow | undefined, SqlError> =>
      Effect.gen(function*() {
        const person = attentionOf(wait)[wait.step]
        if (person === undefined) return undefined
        const handed = yield* escalateWait(sql, wait, person, nextAt(wait, wait.step + 1, now))
        if (handed === undefined) return undefined
        yield* tell(sql, wait.taskId, now, `nobody has answered: ${person} is asked`)
        yield* notice("escalated", handed, now)
        yield* assign(handed, task)
        return handed
      }),

    /** Closes a wait. Undefined if it was not open any more. `task`: its task, if that is still there. */
    close: (
      { id, taskId }: WaitRow,
      task: Pick<Task, "itemId"> | undefined,
      end: { readonly state: Exclude<WaitState, "open">; readonly why: string; readonly by: string | null },
      now: EpochMillis
    ): Effect.Effect<WaitRow | undefined, SqlError> =>
      Effect.gen(function*() {
        const wait = yield* closeWait(sql, id, end, now)
        if (wait === undefined) return undefined
        const { by, state, why } = end
        yield* tell(
          sql,
          taskId,
          now,
          state === "answered" ? `answered by ${by ?? "somebody"}: ${why}` : `needs nobody any more: ${why}`
        )
        yield* notice(state, wait, now)
        yield* assign(wait, task)
        return wait
      }),

    /** The comment that says of a task's waits that nobody is needed any more; none if none of them was said. */
    over: (waits: ReadonlyArray<WaitRow>): ReadonlyArray<Noted> => {
      const told = waits.filter(({ isTold, state }) => isTold && state === "withdrawn")
      const [first] = told
      if (first === undefined) return []
      const whys = Array.from(new Set(told.map(({ why }) => Option.getOrElse(why, () => ""))))
      return [
        new Noted({
          workItem: first.workItem,
          text: `↩️ Nobody is needed any more: ${whys.join("; ")}.`,
          id: `${eventId(first)}:over`
        })
      ]
    }
  }
}

export type Opening = ReturnType<typeof makeOpening>
