import { Option, Schema } from "effect"
import type { DeadNotice } from "../people/DeadNotices.js"
import { NoticeDocument, NoticeKind } from "../people/Notices.js"
import { Instant } from "./Instant.js"

/** A notice that was given up: it is not sent any more by itself. */
export const DeadNoticeView = Schema.Struct({
  id: Schema.Number,
  kind: NoticeKind,
  notice: Schema.NullOr(NoticeDocument).annotations({
    description: "what it says; null: another version has stored it, and this one cannot read it"
  }),
  reason: Schema.String.annotations({ description: "why the last try has failed, for people" }),
  host: Schema.NullOr(Schema.String).annotations({
    description: "where a retry sends it: the host of ORCH_NOTICE_URL, of which no more is shown; null: it is not set"
  }),
  attempts: Schema.Number,
  deadSince: Instant.annotations({ description: "since when it is not sent any more" })
}).annotations({ identifier: "DeadNotice" })
export type DeadNoticeView = typeof DeadNoticeView.Type

export const deadNoticeView = (host: Option.Option<string>) =>
(
  { attempts, deadSince, document, id, kind, reason }: DeadNotice
): DeadNoticeView => ({
  id,
  kind,
  notice: Option.getOrNull(document),
  reason,
  host: Option.getOrNull(host),
  attempts,
  deadSince
})
