import { Option, Schema } from "effect"
import { NoticeKind, NoticeStatus } from "../people/Notices.js"
import type { Wait } from "../people/Wait.js"
import { WaitReason, WaitState } from "../people/Wait.js"
import type { OpenWait } from "../people/Waiting.js"
import { Instant } from "./Instant.js"

/** Something that a task waits for somebody for. */
export const WaitView = Schema.Struct({
  id: Schema.Number,
  stage: Schema.String,
  reason: WaitReason.annotations({
    description:
      "asked: its agent has asked; gate_failed: a gate has failed three times in a row; patience: its stage takes longer " +
      "than its patience; ceiling: it has taken more than a ceiling allows; dead_letter: something could not be told; " +
      "approval: its stage waits for a person's /approve or /reject"
  }),
  question: Schema.String.annotations({ description: "the question, or what is the matter" }),
  agent: Schema.NullOr(Schema.String).annotations({ description: "who asks, if that is known" }),
  openedAt: Instant,
  state: WaitState,
  why: Schema.NullOr(Schema.String).annotations({
    description: "the answer, or why nobody is needed any more; null while it is open"
  }),
  closedBy: Schema.NullOr(Schema.String).annotations({ description: "who has answered" }),
  closedAt: Schema.NullOr(Instant),
  reached: Schema.Array(Schema.String).annotations({
    description: "those of the attention list who were asked so far"
  }),
  escalateAt: Schema.NullOr(Instant).annotations({ description: "when the next one is asked; null: there is none" })
}).annotations({ identifier: "Wait" })
export type WaitView = typeof WaitView.Type

/** The same while it is open, with what became of its notices. */
export const OpenWaitView = Schema.Struct({
  ...WaitView.fields,
  notices: Schema.Array(Schema.Struct({
    kind: NoticeKind,
    status: NoticeStatus,
    reason: Schema.NullOr(Schema.String).annotations({
      description: "why the last try has failed; dead: it is not sent any more by itself"
    })
  })).annotations({ description: "what was sent about it by ORCH_NOTICE_URL, the oldest first" })
}).annotations({ identifier: "OpenWait" })

export const waitView = (
  { agent, closedAt, closedBy, escalateAt, id, openedAt, question, reached, reason, stage, state, why }: Wait
): WaitView => ({
  id,
  stage,
  reason,
  question,
  agent: Option.getOrNull(agent),
  openedAt,
  state,
  why: Option.getOrNull(why),
  closedBy: Option.getOrNull(closedBy),
  closedAt: Option.getOrNull(closedAt),
  reached,
  escalateAt: Option.getOrNull(escalateAt)
})

export const openWaitView = (wait: OpenWait): typeof OpenWaitView.Type => ({
  ...waitView(wait),
  notices: wait.notices.map(({ kind, reason, status }) => ({ kind, status, reason }))
})
