import { Option } from "effect"
import { cleanLine, counted, textLimit } from "../base/Text.js"
import type { EpochMillis } from "../base/Time.js"
import { stored } from "../base/Time.js"
import { plainText } from "../domain/Comment.js"
import { ToldEvent } from "../domain/StageEvent.js"
import type { StageStates } from "../domain/StageStates.js"
import type { PlaneState } from "../domain/StageStates.js"
import type { DeliveryKind } from "../outbox/DeliveryKind.js"
import type { DeliveryRecord, WorkItemRow } from "../outbox/Queries.js"
import type { StoredEvent } from "../outbox/StoredEvent.js"
import { eventOfBody } from "../outbox/StoredEvent.js"
import type { StoryLine } from "../tasks/Story.js"
import { isAboutGate, isVerdictLine, verdictLine } from "../tasks/Story.js"
import type { Task } from "../tasks/Task.js"
import type { HookTold } from "../webhooks/HooksAbout.js"

/** What a line of a work item's story is about. */
export const storyKinds = ["hook", "task", "report", "verdict", "event", "look", "request", "outcome"] as const

/** A line of a work item's story. */
export interface StoryEntry {
  readonly at: EpochMillis
  readonly kind: (typeof storyKinds)[number]
  readonly line: string
  /** The sequence of the event, and the id of the delivery, that it is about. */
  readonly event?: number
  readonly delivery?: number
  /** Of a request: which attempt it was, and the HTTP status of Plane's answer; null if there was none. */
  readonly attempt?: number
  readonly answer?: number | null
  /** How long Plane took, in milliseconds; null if nobody has measured it. */
  readonly took?: number | null
}

/** All that a story is made of. */
export interface StoryFacts {
  readonly row: Pick<WorkItemRow, "events" | "deliveries" | "looks">
  readonly hooks: ReadonlyArray<HookTold>
  readonly task: Task | undefined
  readonly taskStory: ReadonlyArray<StoryLine>
  readonly states: ReadonlyArray<Pick<PlaneState, "id" | "name">>
  readonly table: StageStates
}

/** Names a state: by its name in Plane, or else by the first stage that has it. */
export const stateWords = (
  { states, table }: Pick<StoryFacts, "states" | "table">,
  state: string
): string => {
  const known = states.find(({ id }) => id === state)
  if (known !== undefined) return `the state ${cleanLine(known.name, textLimit)}`
  const stage = Array.from(table).find(([, id]) => id === state)?.[0]
  return stage === undefined ? `the state ${state}` : `the state of the stage ${stage}`
}

/** A comment's text, shortened, in quotation marks. */
const quoted = (html: string) => `"${cleanLine(plainText(html), textLimit)}"`

/** What a request is to do. */
export const requestWords = (
  facts: Pick<StoryFacts, "states" | "table">,
  { body, isLiving, kind }: { readonly kind: DeliveryKind; readonly body: string; readonly isLiving: boolean }
): string => {
  switch (kind) {
    case "state":
      return body === "" ? "the state" : stateWords(facts, body)
    case "comment":
      return body === "" ? "the comment" : `the comment ${quoted(body)}`
    case "recount":
      if (!isLiving) return `the count ${quoted(body)}`
      return body === "" ? "the living comment" : `the living comment, which then says ${quoted(body)}`
  }
}

const reasoned = (reason: string | null | undefined) =>
  reason === null || reason === undefined || reason === "" ? "" : `: ${reason}`

const eventWords = ToldEvent.$match({
  StageChanged: ({ agent, from, overruledBy, to }) =>
    `stage ${from} → ${to}${agent === undefined || agent === "" ? "" : `, agent ${agent}`}` +
    (overruledBy === undefined ? "" : `, overruled by ${overruledBy}`),
  QualityGateFailed: ({ check, reason, stage }) => `gate ${check} failed at ${stage}: ${reason}`,
  TaskCompleted: () => "the task is completed",
  QuestionAsked: ({ agent = "an agent", question }) => `${agent} asks: ${question}`,
  Noted: ({ text }) => `said: ${text}`
})

const eventEntry = ({ deliveries }: StoryFacts["row"]) => (event: StoredEvent): StoryEntry => {
  const words = Option.match(eventOfBody(event.body), {
    onNone: () => "an event that cannot be read",
    onSome: eventWords
  })
  const hasState = deliveries.some(({ kind, lastEvent }) => kind === "state" && lastEvent === event.sequence)
  const isOld = event.publishedAt < (deliveries.at(-1)?.plannedAt ?? 0)
  const state = event.state === "superseded" && !hasState
    ? ". Its state was skipped, because a later one took its place, or a person's move stands"
    : event.state === "delivered" && !hasState && !isOld
    ? ". Its state was skipped: it was asked for already, or its stage has none"
    : ""
  return {
    at: event.publishedAt,
    kind: "event",
    event: event.sequence,
    line: `event ${event.sequence}: ${words}${state}`
  }
}

const answered = (answer: number | null) => answer === null ? "no answer" : `answered ${answer}`

/** The events that a comment tells, where it is more than one. */
const joined = ({ kind, tells }: DeliveryRecord) =>
  kind !== "state" && tells.length > 1
    ? `. It tells ${counted(tells.length, "event", "events")} together: ${tells.join(", ")}`
    : ""

const requestsOf = (facts: StoryFacts) => (delivery: DeliveryRecord): ReadonlyArray<StoryEntry> => {
  const { answer, attempts, id, plannedAt, reason, sentAt, settledAt, status, took } = delivery
  const what = requestWords(facts, delivery)
  const request = (
    at: EpochMillis,
    attempt: number,
    answer: number | null,
    ended: string,
    millis: number | null = took
  ): StoryEntry => ({
    at,
    kind: "request",
    delivery: id,
    attempt,
    answer,
    took: millis,
    line: `${what}, attempt ${attempt}: ${ended}`
  })
  const outcome = (line: string): StoryEntry => ({ at: settledAt ?? plannedAt, kind: "outcome", delivery: id, line })
  const tries = delivery.tries.map((one) =>
    request(one.at, one.attempt, one.answer, `${answered(one.answer)}${reasoned(one.reason)}`, one.took)
  )
  switch (status) {
    case "delivered":
      return sentAt === null
        ? [...tries, outcome(`${what} was not sent: the work item was in it already`)]
        : [...tries, request(sentAt, attempts, answer, `accepted${joined(delivery)}${reasoned(reason)}`)]
    case "pending":
      return sentAt !== null && reason === null
        ? [...tries, request(sentAt, attempts, null, "sent, and not answered yet", null)]
        : tries
    case "dead":
    case "retried": {
      const last = sentAt === null ? [] : [request(sentAt, attempts, answer, answered(answer))]
      const again = status === "retried" ? ". A person has it retried" : ""
      return [...tries, ...last, outcome(`dead letter ${id}, ${what}${reasoned(reason)}${again}`)]
    }
    case "discarded": {
      // What was retried has its last sending among its tries.
      const last = sentAt === null || reason === "retried" ? [] : [request(sentAt, attempts, answer, answered(answer))]
      const words = reason === "retried"
        ? `dead letter ${id} is retried`
        : `${what} is not sent any more${reasoned(reason)}`
      return [...tries, ...last, outcome(words)]
    }
  }
}

const taskEntries = ({ task, taskStory }: StoryFacts): ReadonlyArray<StoryEntry> => {
  if (task === undefined) return []
  return [
    { at: stored(task.startedAt), kind: "task", line: "the task starts" },
    ...taskStory.map(({ at, line }): StoryEntry => ({
      at: stored(at),
      kind: isVerdictLine(line) ? "verdict" : "task",
      line
    })),
    ...Option.toArray(task.launch).map(({ since, state }): StoryEntry => ({
      at: stored(since),
      kind: "task",
      line: `the agent ${Option.getOrElse(task.agent, () => "")} of ${task.stage}: ${state}`
    })),
    ...task.reports.map(({ at, outcome, reason, stage }): StoryEntry => ({
      at: stored(at),
      kind: "report",
      line: `reported: ${stage} ${outcome}${reasoned(Option.getOrNull(reason))}`
    })),
    // The story has each change of a verdict, but not each new reason.
    ...task.verdicts
      .filter(({ at, gate }) =>
        !taskStory.some((told) => isAboutGate(told.line, gate) && stored(told.at) === stored(at))
      )
      .map((given): StoryEntry => ({
        at: stored(given.at),
        kind: "verdict",
        line: verdictLine({ ...given, reason: Option.getOrUndefined(given.reason) })
      }))
  ]
}

const hookEntry = ({ event, reason, receivedAt, source, status }: HookTold): StoryEntry => ({
  at: receivedAt,
  kind: "hook",
  line: `webhook of ${source === "plane" ? "Plane" : "Gitea"} (${event})${
    reasoned(reason ?? (status === "pending" ? "not worked on yet" : null))
  }`
})

/** The story of a work item, the oldest line first. */
export const storyOf = (facts: StoryFacts): ReadonlyArray<StoryEntry> => {
  const { hooks, row } = facts
  const entries: ReadonlyArray<StoryEntry> = [
    ...hooks.map(hookEntry),
    ...taskEntries(facts),
    ...row.events.toReversed().map(eventEntry(row)),
    ...row.looks.map(({ answer, at, attempt, reason }): StoryEntry => ({
      at,
      kind: "look",
      attempt,
      answer,
      line: `looked for in Plane, attempt ${attempt}: ${reason}`
    })),
    ...row.deliveries.toReversed().flatMap(requestsOf(facts))
  ]
  const ranked = entries.map((entry, index) => ({ entry, index }))
  const rank = ({ kind }: StoryEntry) => storyKinds.indexOf(kind)
  return ranked.sort((one, other) =>
    one.entry.at - other.entry.at || rank(one.entry) - rank(other.entry) || one.index - other.index
  ).map(({ entry }) => entry)
}
