import { Data, DateTime, Schema } from "effect"
import { echoed } from "../base/Issue.js"
import { cleanLine, cleanText, reasonLimit, textLimit } from "../base/Text.js"
import { cleanLink, Links } from "./Link.js"
import type { Stage } from "./Stage.js"
import { doneStage } from "./Stage.js"
import { cleanReceipt, TaskReceipt } from "./TaskReceipt.js"
import { cleanUsage, Usage } from "./Usage.js"
import { WorkItemKeyText } from "./WorkItemKey.js"

/** An event's id, an idempotency key: 1 to 128 letters, digits, `.`, `_`, `:` and `-`. */
export const EventId = Schema.String.pipe(
  Schema.pattern(/^[A-Za-z0-9._:-]{1,128}$/, {
    identifier: "EventId",
    description: "1 to 128 letters, digits, dots, underscores, colons and dashes",
    message: ({ actual }) =>
      `${JSON.stringify(String(actual).slice(0, 140))} is not an event id: expected 1 to 128 of [A-Za-z0-9._:-]`
  })
)

const isoInstant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$/

/** Whether the calendar has the day: JavaScript takes the 31st of February for the 3rd of March. */
const hasItsDay = (instant: string) => {
  const day = instant.slice(0, 10)
  const midnight = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day)
}

const firstMillis = Date.parse("0000-01-01T00:00:00Z")
const lastMillis = Date.parse("9999-12-31T23:59:59.999Z")

/** An instant as a text of ISO 8601 with its offset. */
export const OffsetInstant = Schema.compose(
  Schema.String.pipe(
    Schema.pattern(isoInstant, {
      identifier: "Instant",
      description: "an instant by ISO 8601, with its offset",
      message: ({ actual }) =>
        `${echoed(actual)} is not an instant: expected ISO 8601 with an offset, like "2026-11-24T08:30:00Z"`
    }),
    Schema.filter(hasItsDay, {
      identifier: "Instant",
      message: ({ actual }) => `${echoed(actual)} is not an instant: the calendar has no such day`
    })
  ),
  Schema.DateTimeUtc.pipe(
    // The text of an earlier or later year has a sign, which the pattern does not accept: it could not be read again.
    Schema.filter(({ epochMillis }) => epochMillis >= firstMillis && epochMillis <= lastMillis, {
      message: ({ actual }) => `${String(actual)} is not an instant of the years 0 to 9999`
    })
  )
)

const common = {
  workItem: WorkItemKeyText,
  id: Schema.optional(EventId),
  occurredAt: Schema.optional(OffsetInstant),
  usage: Schema.optional(Usage),
  links: Schema.optional(Links)
}

const tag = <Json extends string, Tag extends string>(json: Json, tag: Tag) =>
  Schema.propertySignature(Schema.transformLiteral(json, tag)).pipe(Schema.fromKey("type"))

const StageChanged = Schema.Struct({
  _tag: tag("stage_changed", "StageChanged"),
  ...common,
  from: Schema.String,
  to: Schema.String,
  agent: Schema.optional(Schema.String),
  overruledBy: Schema.optional(
    Schema.String.annotations({
      description: "who took the task out of its stage whatever its gates said, and why: \"lea: merged by hand\""
    })
  )
}).annotations({ identifier: "StageChanged" })

const QualityGateFailed = Schema.Struct({
  _tag: tag("quality_gate_failed", "QualityGateFailed"),
  ...common,
  stage: Schema.String,
  check: Schema.String,
  reason: Schema.String,
  sameAs: Schema.optional(Schema.String.annotations({
    description: "failures of a check with the same value are one failure, whatever their reasons say"
  }))
}).annotations({ identifier: "QualityGateFailed" })

const TaskCompleted = Schema.Struct({
  _tag: tag("task_completed", "TaskCompleted"),
  ...common,
  receipt: Schema.optional(TaskReceipt)
}).annotations({ identifier: "TaskCompleted" })

const QuestionAsked = Schema.Struct({
  _tag: tag("question_asked", "QuestionAsked"),
  ...common,
  question: Schema.String.pipe(Schema.filter((text) => cleanText(text, reasonLimit).trim() !== "", {
    identifier: "Question",
    description: "a question with at least one visible character",
    message: () => "a question needs words"
  })),
  agent: Schema.optional(Schema.String.annotations({ description: "who asks" }))
}).annotations({ identifier: "QuestionAsked" })

/**
 * A stage event as JSON. `POST /api/events` takes it, and the log has it when an event could not be stored:
 * `{"type":"stage_changed","workItem":"ET-002","from":"analysis","to":"architecture","agent":"architect"}`.
 */
export const StageEventJson = Schema.Union(StageChanged, QualityGateFailed, TaskCompleted, QuestionAsked).annotations({
  identifier: "StageEvent"
})

/**
 * What happened to a task. `workItem` is its key ("ET-002"), `id` the idempotency key (a UUID v7 is made where it is
 * missing) and `occurredAt` the moment (now where it is missing). The constructors are pure and never throw.
 *
 * @example
 * StageEvent.StageChanged({ workItem: "ET-002", from: "analysis", to: "architecture", agent: "architect" })
 */
export type StageEvent = typeof StageEventJson.Type

export const StageEvent = Data.taggedEnum<StageEvent>()

const NotedJson = Schema.Struct({ _tag: tag("noted", "Noted"), ...common, text: Schema.String })

/** Whatever is told in Plane, as it is stored: a stage event, or something that plane-sync itself has to say. */
export const ToldEventJson = Schema.Union(...StageEventJson.members, NotedJson)
export type ToldEvent = typeof ToldEventJson.Type
export const ToldEvent = Data.taggedEnum<ToldEvent>()

/**
 * A comment of plane-sync's own, such as a reply: `text`, told alone and in its order. It is a class so that nothing
 * that a client or a host hands over is taken for one.
 */
export class Noted extends Data.TaggedClass("Noted")<{
  readonly workItem: string
  readonly text: string
  readonly id?: string
  readonly occurredAt?: undefined
  readonly usage?: undefined
  readonly links?: undefined
}> {}

/** The stage whose state an event asks for, if it asks for one. */
export const stageOf: (event: ToldEvent) => Stage | undefined = ToldEvent.$match({
  StageChanged: (event) => event.to,
  QualityGateFailed: () => undefined,
  TaskCompleted: () => doneStage,
  QuestionAsked: () => undefined,
  Noted: () => undefined
})

/**
 * What an event says, in the form of `ToldEventJson` but without its id. Its texts are as they are stored and shown
 * (see `cleanText`). It is written out by hand, because a publish waits for it and encoding takes several times as
 * long.
 */
export const contentOf = (event: ToldEvent): typeof ToldEventJson.Encoded => {
  const { workItem } = event
  const usage = event.usage === undefined ? undefined : cleanUsage(event.usage)
  const occurredAt = event.occurredAt === undefined ? undefined : DateTime.formatIso(event.occurredAt)
  const links = event.links?.map(cleanLink)
  switch (event._tag) {
    case "StageChanged":
      return {
        type: "stage_changed",
        workItem,
        occurredAt,
        from: cleanLine(event.from, textLimit),
        to: cleanLine(event.to, textLimit),
        agent: event.agent === undefined ? undefined : cleanLine(event.agent, textLimit),
        overruledBy: event.overruledBy === undefined ? undefined : cleanLine(event.overruledBy, reasonLimit),
        usage,
        links
      }
    case "QualityGateFailed":
      return {
        type: "quality_gate_failed",
        workItem,
        occurredAt,
        stage: cleanLine(event.stage, textLimit),
        check: cleanLine(event.check, textLimit),
        reason: cleanText(event.reason, reasonLimit),
        sameAs: event.sameAs === undefined ? undefined : cleanLine(event.sameAs, reasonLimit),
        usage,
        links
      }
    case "TaskCompleted":
      return {
        type: "task_completed",
        workItem,
        occurredAt,
        usage,
        receipt: event.receipt === undefined ? undefined : cleanReceipt(event.receipt),
        links
      }
    case "QuestionAsked":
      return {
        type: "question_asked",
        workItem,
        occurredAt,
        question: cleanText(event.question, reasonLimit),
        agent: event.agent === undefined ? undefined : cleanLine(event.agent, textLimit),
        usage,
        links
      }
    case "Noted":
      return { type: "noted", workItem, occurredAt, text: cleanText(event.text, reasonLimit) }
  }
}
