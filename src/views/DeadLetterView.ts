import { Schema } from "effect"
import { DeadCode } from "../outbox/DeadCode.js"
import type { DeadLetter } from "../outbox/DeadLetters.js"
import { DeliveryKind } from "../outbox/DeliveryKind.js"
import { Instant, instant } from "./Instant.js"

/** A dead letter: a delivery that is not tried again by itself. */
export const DeadLetterView = Schema.Struct({
  id: Schema.Number,
  kind: DeliveryKind,
  code: DeadCode,
  reason: Schema.String.annotations({ description: "why, for people" }),
  workItem: Schema.String.annotations({ description: "the key of its first event, as it was published" }),
  firstEvent: Schema.Number.annotations({ description: "the sequence of the first event it tells" }),
  lastEvent: Schema.Number,
  body: Schema.String.annotations({
    description: "the comment's HTML, or the state's id; empty when it became a dead letter before it was composed"
  }),
  externalId: Schema.NullOr(Schema.String),
  occurredAt: Instant,
  settledAt: Instant.annotations({ description: "when it became a dead letter" }),
  attempts: Schema.Number,
  answer: Schema.NullOr(Schema.Number).annotations({ description: "the HTTP status of Plane's last answer" })
}).annotations({ identifier: "DeadLetter" })
export type DeadLetterView = typeof DeadLetterView.Type

export const deadLetterView = (letter: DeadLetter): DeadLetterView => ({
  ...letter,
  occurredAt: instant(letter.occurredAt),
  settledAt: instant(letter.settledAt)
})
