import { Either } from "effect"
import { ToldEvent } from "./StageEvent.js"
import type { Template, Values } from "./Template.js"
import { filled, parseTemplate } from "./Template.js"

/** The comments that can have a text of their own, and the values that each may name. */
export const commentValues = {
  stageChanged: { always: ["workItem", "from", "to"], perhaps: ["agent", "overruledBy"] },
  gateFailed: { always: ["workItem", "stage", "check", "reason"], perhaps: [] },
  taskCompleted: { always: ["workItem"], perhaps: [] },
  questionAsked: { always: ["workItem", "agent", "question"], perhaps: [] }
} as const satisfies Readonly<Record<string, Values>>

/** A comment by what it tells. */
export type CommentKind = keyof typeof commentValues

/** What the comments of a project say. */
export type CommentTexts = Readonly<Record<CommentKind, Template>>

const known = (kind: CommentKind, text: string): Template =>
  Either.getOrThrowWith(parseTemplate(text, commentValues[kind]), (why) => new Error(`${kind}: ${why}`))

/** The specification's, and that of a question. */
export const defaultTexts: CommentTexts = {
  stageChanged: known(
    "stageChanged",
    "🔄 Stage: {from} → {to}[ (launching {agent})][ (overruled by {overruledBy})]"
  ),
  gateFailed: known("gateFailed", "⚠️ QG failed at {stage}: {check} — {reason}"),
  taskCompleted: known("taskCompleted", "✅ Task completed! PR merged and deployed."),
  questionAsked: known("questionAsked", "❓ {agent} asks: {question}")
}

/** What a comment says of an event, in plain text. */
export const textOf = (texts: CommentTexts, event: ToldEvent): string =>
  ToldEvent.$match(event, {
    StageChanged: ({ agent, from, overruledBy, to, workItem }) =>
      filled(texts.stageChanged, { workItem, from, to, agent, overruledBy }),
    QualityGateFailed: ({ check, reason, stage, workItem }) =>
      filled(texts.gateFailed, { workItem, stage, check, reason }),
    TaskCompleted: ({ workItem }) => filled(texts.taskCompleted, { workItem }),
    QuestionAsked: ({ agent = "", question, workItem }) =>
      filled(texts.questionAsked, { workItem, agent: agent === "" ? "An agent" : agent, question }),
    Noted: ({ text }) => text
  })
