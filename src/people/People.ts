import type { SqlError } from "@effect/sql/SqlError"
import type { ConfigError } from "effect"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { createHash } from "node:crypto"
import { cleanLine, cleanText, reasonLimit, textLimit } from "../base/Text.js"
import { epochMillis } from "../base/Time.js"
import { uuidV7 } from "../base/UuidV7.js"
import { Projects } from "../domain/Projects.js"
import type { Noted, StageEvent } from "../domain/StageEvent.js"
import { StageEvents } from "../events/StageEvents.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { keepAnswer } from "../tasks/Answers.js"
import { launchAgain } from "../tasks/LaunchAgain.js"
import { lockTask } from "../tasks/Locks.js"
import { Pipeline } from "../tasks/Pipeline.js"
import type { Task, TaskId } from "../tasks/Task.js"
import { taskReader } from "../tasks/TaskRows.js"
import type { NoTask } from "../tasks/TaskStore.js"
import { TaskStore } from "../tasks/TaskStore.js"
import { noticeConfig } from "./NoticeConfig.js"
import { makeOpening } from "./Opening.js"
import { attentionAfter } from "./PeopleConfig.js"
import type { Wait } from "./Wait.js"
import { renameEntry, renameRetried, waitOf, waitsOfEntry } from "./Waits.js"

/** The question cannot be asked: `why` says what is in the way. */
export class NotAsked extends Schema.TaggedError<NotAsked>()("NotAsked", { why: Schema.String }) {
  override get message(): string {
    return this.why
  }
}

/** No agent of the task has asked anything that is not answered yet. */
export class NothingAsked extends Schema.TaggedError<NothingAsked>()("NothingAsked", { workItem: Schema.String }) {
  override get message(): string {
    return `No question of ${this.workItem} is open: there is nothing to answer`
  }
}

/** What an agent asks. Both texts are cleaned and cut. */
export interface Question {
  readonly question: string
  readonly agent?: string | undefined
}

/** What came of an answer. */
export interface Answered {
  /** The question that was answered: the oldest one that was open. */
  readonly wait: Wait
  /** How many others are open. */
  readonly open: number
  /** Whether the stage's agent is launched again. */
  readonly launches: boolean
}

/** What tasks wait for somebody for. */
export class People extends Context.Tag("plane-sync/People")<People, {
  /**
   * The agent of a task asks: the task waits for somebody, and a comment says the question. The same question again
   * within one entry of the stage is the same wait, and tells whether it was answered. `NotAsked`: the task is stopped or
   * done, the question has no words, or 20 were asked in this entry of the stage.
   */
  readonly ask: (key: string, question: Question) => Effect.Effect<Wait, StorageError | NoTask | NotAsked>
  /**
   * Somebody answers the oldest open question of a task. The answer is kept with the task, and the agent of its stage is
   * launched again with it. `events` are published in the same commit. `NothingAsked`: none is open, also because it was
   * answered already.
   */
  readonly answer: (
    key: string,
    answer: { readonly text: string; readonly by: string },
    events?: (answered: Answered) => ReadonlyArray<StageEvent | Noted>
  ) => Effect.Effect<Answered, StorageError | NoTask | NothingAsked>
  /**
   * The same within the transaction of the caller, whose texts are cleaned: `StageEvents.transact` around it. `entry` is
   * a new UUID v7. Undefined if no question is open.
   */
  readonly answerWithin: (
    taskId: TaskId,
    answer: { readonly text: string; readonly by: string },
    entry: string
  ) => Effect.Effect<Answered | undefined, SqlError>
  /**
   * Somebody (`by`) had the agent of a task's stage launched again, under the transition `to` in place of `from`: what
   * the task waited for is answered by that. Within the transaction of the caller. Returns how many waits were open.
   */
  readonly retriedWithin: (
    task: Pick<Task, "id" | "itemId">,
    retried: { readonly by: string; readonly from: string; readonly to: string }
  ) => Effect.Effect<number, SqlError>
}>() {
  static readonly layer: Layer.Layer<
    People,
    ConfigError.ConfigError,
    Pipeline | Projects | StageEvents | Storage | TaskStore
  > = Layer.effect(People, Effect.suspend(() => make))
}

/** How many questions are asked in one entry of a stage at most: an agent that goes round in circles must not flood Plane. */
const mostQuestions = 20

const sameOf = (question: string) => createHash("sha256").update(question).digest("hex")

/** What a transaction does, and what is published with it. */
type Work<A> = Effect.Effect<{ readonly value: A; readonly events: ReadonlyArray<StageEvent | Noted> }, SqlError>

const make = Effect.gen(function*() {
  const { sql } = yield* Storage
  const events = yield* StageEvents
  const tasks = yield* TaskStore
  const pipeline = yield* Pipeline
  const reader = taskReader(sql, pipeline)
  const opening = makeOpening(sql, yield* Projects, {
    after: yield* attentionAfter,
    hasNotices: Option.isSome(yield* noticeConfig)
  })

  const asking = (
    taskId: TaskId,
    { agent, question }: { readonly question: string; readonly agent: string | null }
  ): Work<Wait | NotAsked> =>
    Effect.gen(function*() {
      const now = yield* epochMillis
      yield* lockTask(sql, taskId)
      const row = yield* reader.byId(taskId)
      if (row === undefined) return yield* Effect.dieMessage("a task that was found is there")
      const { task } = row
      const refused = (why: string) => ({ value: new NotAsked({ why }), events: [] })
      if (task.status === "stopped" || task.status === "done") {
        return refused(
          `The task of ${task.workItem} is ${task.status} at ${task.stage}: nobody works on it who could ask`
        )
      }
      const key = { taskId, entry: task.entry, reason: "asked" as const, same: sameOf(question) }
      const asked = (yield* waitsOfEntry(sql, taskId, task.entry)).filter(({ reason }) => reason === "asked")
      const known = yield* waitOf(sql, key)
      if (known !== undefined) return { value: known, events: [] }
      if (asked.length >= mostQuestions) {
        return refused(`${task.workItem} has asked ${mostQuestions} questions at ${task.stage}: it asks no more there`)
      }
      const opened = yield* opening.open(task, { ...key, question, agent, canBeTold: true }, now)
      return opened === undefined
        ? yield* Effect.dieMessage("a wait that is not there is opened")
        : { value: opened.wait, events: opened.events }
    })

  const answering = (
    taskId: TaskId,
    { by, text }: { readonly text: string; readonly by: string },
    entry: string,
    eventsOf: (answered: Answered) => ReadonlyArray<StageEvent | Noted>
  ): Work<Answered | undefined> =>
    Effect.gen(function*() {
      const now = yield* epochMillis
      yield* lockTask(sql, taskId)
      const row = yield* reader.byId(taskId)
      const nothing = { value: undefined, events: [] }
      if (row === undefined || row.task.status === "stopped" || row.task.status === "done") return nothing
      const open = (yield* waitsOfEntry(sql, taskId, row.task.entry)).filter(({ reason, state }) =>
        reason === "asked" && state === "open"
      )
      const [first] = open
      const wait = first && (yield* opening.close(first, row.task, { state: "answered", why: text, by }, now))
      if (wait === undefined) return nothing
      const { question, stage } = wait
      yield* keepAnswer(sql, taskId, { stage, question, agent: Option.getOrNull(wait.agent), answer: text, by }, now)
      const hasAgent = yield* launchAgain(sql, row, { entry, attempts: 0 }, now)
      if (hasAgent) yield* renameEntry(sql, taskId, { from: row.task.entry, to: entry })
      const answered: Answered = {
        wait,
        open: open.length - 1,
        launches: hasAgent && pipeline.launches && row.task.status === "active" && Option.isNone(row.task.paused)
      }
      return { value: answered, events: eventsOf(answered) }
    })

  return People.of({
    answerWithin: (taskId, given, entry) => Effect.map(answering(taskId, given, entry, () => []), ({ value }) => value),
    retriedWithin: (task, { by, from, to }) =>
      Effect.gen(function*() {
        const now = yield* epochMillis
        const open = (yield* waitsOfEntry(sql, task.id, from)).filter(({ reason, state }) =>
          state === "open" && reason !== "approval"
        )
        yield* Effect.forEach(
          open,
          (wait) => opening.close(wait, task, { state: "answered", why: "/retry", by }, now),
          { discard: true }
        )
        yield* renameRetried(sql, task.id, { from, to })
        return open.length
      }),
    ask: (key, { agent = "", question }) =>
      Effect.gen(function*() {
        const words = cleanText(question, reasonLimit).trim()
        const who = cleanLine(agent, textLimit).trim()
        if (words === "") return yield* new NotAsked({ why: "question: it is empty: expected words for people" })
        const { id, workItem } = yield* tasks.get(key)
        const asked = yield* events.transact(asking(id, { question: words, agent: who === "" ? null : who }))
        if (asked instanceof NotAsked) return yield* asked
        yield* Effect.logInfo(`${workItem} waits for an answer at ${asked.stage}`)
        return asked
      }),
    answer: (key, { by, text }, eventsOf = () => []) =>
      Effect.gen(function*() {
        const { id, workItem } = yield* tasks.get(key)
        const entry = yield* uuidV7
        const given = { text: cleanText(text, reasonLimit).trim(), by: cleanLine(by, textLimit).trim() }
        const answered = yield* events.transact(answering(id, given, entry, eventsOf))
        if (answered === undefined) return yield* new NothingAsked({ workItem })
        yield* Effect.logInfo(`${workItem}: a question at ${answered.wait.stage} was answered by ${given.by}`)
        return answered
      })
  })
})
