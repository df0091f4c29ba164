import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option } from "effect"
import { cleanText, counted, reasonLimit } from "../base/Text.js"
import type { EpochMillis } from "../base/Time.js"
import { earlier, epochMillis, stored } from "../base/Time.js"
import { uuidV7 } from "../base/UuidV7.js"
import type { CommentId, ItemId } from "../domain/Ids.js"
import { Noted } from "../domain/StageEvent.js"
import type { StageEvents } from "../events/StageEvents.js"
import type { Sql } from "../storage/Sql.js"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { Obeyed } from "../tasks/Orders.js"
import { done, refused } from "../tasks/Orders.js"
import type { Task } from "../tasks/Task.js"
import type { TaskStore } from "../tasks/TaskStore.js"
import type { Command } from "./Commands.js"
import { helpText } from "./Commands.js"
import type { People } from "./People.js"
import { waitsOfEntry } from "./Waits.js"

/** A comment that begins with a command. Who has written it was checked before. */
export interface GivenCommand {
  readonly commentId: CommentId
  readonly itemId: ItemId
  /** The identifier of the project whose hook has told it. */
  readonly project: string
  /** When the comment was made, by Plane's clock; not after now. */
  readonly at: EpochMillis
  /** Who has written it, as people read it: one line. */
  readonly by: string
  readonly command: Command
  /**
   * Its hook is signed. Without one the comment was only read, which is not to be believed: nothing is done, and
   * who may command is asked to write it again.
   */
  readonly isSigned: boolean
  /** Why this person may not command; none if they may. */
  readonly forbidden: string | undefined
}

/** What became of it, in words. `Nothing`: it is as if it had not been written. */
export interface CommandOutcome {
  readonly _tag: "Done" | "Nothing"
  readonly words: string
}

/** Replies for one task within `replyTime`: who, or what, writes more commands than this reads no more of them. */
const mostReplies = 30
const replyTime = "1 hour"

const unheard = "no signed webhook of this comment has come, so nothing was done. Please write it again"

const nothing = (words: string): CommandOutcome => ({ _tag: "Nothing", words })

/** Does not begin like a command, whatever a person is called. Who has written what was only read is not known. */
const replyOf = ({ by, command: { word }, isSigned }: GivenCommand, { isDone, words }: Obeyed) => {
  const what = isSigned ? `/${word} (${by})` : `/${word}`
  return cleanText(isDone ? `✅ ${what}: ${words}` : `⛔ ${what} was not done: ${words}`, reasonLimit)
}

interface Parts extends Pick<Storage["Type"], "sql"> {
  readonly events: Pick<StageEvents["Type"], "transact">
  readonly tasks: Pick<TaskStore["Type"], "byItemId" | "obey">
  /** None: nothing is asked in this program. */
  readonly people: Option.Option<Pick<People["Type"], "answerWithin" | "retriedWithin">>
}

/**
 * Makes what does the commands that people write. A command, what it changes and the reply are one commit, once for
 * each comment. What was read without a hook brings a reply alone. Whoever was told to write it again may have done
 * so, so the comment does nothing then, also if its hook comes later.
 */
export const makeCommanding = ({ events, people, sql, tasks }: Parts) => {
  const answer = (task: Task, given: { readonly text: string; readonly by: string }, entry: string) =>
    Effect.gen(function*() {
      const answered = Option.isNone(people) ? undefined : yield* people.value.answerWithin(task.id, given, entry)
      if (answered === undefined) return refused("no question is open")
      const { launches, open, wait: { stage } } = answered
      const agent = Option.getOrElse(task.agent, () => "the agent")
      const more = open === 0 ? "" : `; ${counted(open, "more question is", "more questions are")} open`
      const words = launches ? `${agent} is launched again for ${stage}, and gets the answer` : "the answer is kept"
      return done(words + more)
    })

  /** Who has the agent launched again has seen to what the task waited for. */
  const withAnswered = (task: Task, { by }: GivenCommand, obeyed: Obeyed, entry: string) =>
    Effect.gen(function*() {
      if (Option.isNone(obeyed.from) || Option.isNone(people)) return obeyed
      const closed = yield* people.value.retriedWithin(task, { by, from: obeyed.from.value, to: entry })
      const words = `${obeyed.words}; ${counted(closed, "wait is", "waits are")} answered by that`
      return closed === 0 ? obeyed : { ...obeyed, words }
    })

  /** What the task waits for somebody for, below its status. */
  const withWaits = (task: Task, obeyed: Obeyed) =>
    Effect.map(waitsOfEntry(sql, task.id, task.entry), (waits): Obeyed => ({
      ...obeyed,
      words: [
        obeyed.words,
        ...waits.filter(({ state }) => state === "open").map(({ question }) => `waits for somebody: ${question}`)
      ].join("\n")
    }))

  const decide = (given: GivenCommand, task: Task, entry: string, now: EpochMillis) =>
    Effect.gen(function*() {
      const { at, by, command: { text, word, wrong }, forbidden, isSigned, itemId } = given
      if (forbidden !== undefined) return refused(forbidden)
      if (!isSigned) return refused(unheard)
      if (wrong !== undefined) return refused(wrong)
      if (word === "help") return done(helpText)
      if (word === "answer") return yield* answer(task, { text, by }, entry)
      const order = word === "reject" ? { _tag: word, words: text } : { _tag: word }
      const obeyed = yield* tasks.obey({ id: task.id, itemId }, { order, by, at, entry, now })
      if (Option.isNone(obeyed)) return refused("there is no task any more")
      if (word === "retry") return yield* withAnswered(task, given, obeyed.value, entry)
      return word === "status" ? yield* withWaits(task, obeyed.value) : obeyed.value
    })

  return (given: GivenCommand): Effect.Effect<CommandOutcome, StorageError> =>
    Effect.gen(function*() {
      const { at, commentId, forbidden, isSigned, itemId, project } = given
      const { word } = given.command
      const task = Option.getOrUndefined(yield* tasks.byItemId(itemId))
      if (task === undefined) return nothing(`the comment says /${word}, but its work item has no task`)
      if (task.project !== project) return nothing(`the comment says /${word}, but its task is of ${task.project}`)
      if (at < stored(task.startedAt)) return nothing(`the comment says /${word}, and was made before its task began`)
      const entry = yield* uuidV7
      const now = yield* epochMillis
      const { isNew, words } = yield* events.transact(Effect.gen(function*() {
        const [begun] = yield* sql`INSERT INTO plane_sync_command (comment, task, word, at, unheard)
          VALUES (${commentId}, ${task.id}, ${word}, ${now}, ${isSigned ? 0 : 1})
          ON CONFLICT (comment) DO UPDATE SET word = excluded.word, at = excluded.at, unheard = 0
            WHERE plane_sync_command.unheard = 1 AND plane_sync_command.replied = 0 AND excluded.unheard = 0 RETURNING 1`
        if (begun === undefined) {
          const [before] = yield* sql<{ words: string }>`SELECT words FROM plane_sync_command
            WHERE comment = ${commentId}`
          return { value: { isNew: false, words: before?.words ?? "" }, events: [] }
        }
        const [replies] = yield* sql<{ n: number }>`SELECT count(*) AS n FROM plane_sync_command
          WHERE task = ${task.id} AND at > ${earlier(now, replyTime)} AND replied = 1`
        const obeyed = yield* decide(given, task, entry, now)
        // Anybody with an API token can have made what was only read.
        const mayReply = isSigned || forbidden === undefined
        const isReplied = mayReply && (replies?.n ?? 0) < mostReplies
        const words = replyOf(given, obeyed)
        yield* sql`UPDATE plane_sync_command SET words = ${words}, replied = ${isReplied ? 1 : 0}
          WHERE comment = ${commentId}`
        const id = isSigned ? `command:${commentId}` : `command:${commentId}:unheard`
        const reply = new Noted({ workItem: task.workItem, text: words, id })
        return { value: { isNew: true, words }, events: isReplied ? [reply] : [] }
      }))
      if (!isNew) return { _tag: "Done", words: `it was worked on before: ${words}` }
      yield* Effect.logInfo(`${task.workItem}: ${words.split("\n", 1).join()}`)
      return { _tag: "Done", words }
    })
}

export type Commanding = ReturnType<typeof makeCommanding>

/** Of these comments, those that were decided on, or answered, before. */
export const knownComments = (
  sql: Sql,
  ids: ReadonlyArray<CommentId>
): Effect.Effect<ReadonlySet<CommentId>, SqlError> =>
  Effect.map(
    sql<{ comment: CommentId }>`SELECT comment FROM plane_sync_command WHERE comment IN ${sql.texts(ids)}`,
    (rows) => new Set(rows.map(({ comment }) => comment))
  )
