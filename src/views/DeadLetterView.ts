import { Schema } from "effect"
import type { DeadLetter } from "../outbox/DeadLetters.js"
import type { DeadCode } from "../outbox/DeadCode.js"
import { Instant, instant } from "./EventView.js"

/** Why a delivery was given up, in a word. */
export const deadCodes = [
  "unfit",
  "wrong_project",
  "ambiguous",
  "not_found",
  "gone",
  "refused",
  "ignored",
  "attempts"
] as const

export const DeadCodeText: Schema.Schema<DeadCode> = Schema.Literal(...deadCodes).annotations({
  description: [
    "unfit: the event can never be told",
    "wrong_project: its key is another project's",
    "ambiguous: several names carry its key",
    "not_found: nobody had its key for as long as is waited",
    "gone: its work item was deleted or archived",
    "refused: Plane refused the request",
    "ignored: Plane said yes and did something else",
    "attempts: it failed as often as is tried"
  ].join("; "),
  message: ({ actual }) => ({
    message: `${JSON.stringify(actual)} is not a code: expected one of ${deadCodes.join(", ")}`,
    override: true
  })
})

/** A request to Plane that was given up. */
export const DeadLetterView = Schema.Struct({
  id: Schema.Number,
  kind: Schema.Literal("comment", "recount", "state").annotations({
    description: "a new comment, the new count of a told gate failure, or a state"
  }),
  code: DeadCodeText,
  reason: Schema.String.annotations({ description: "why, for people" }),
  workItem: Schema.String.annotations({ description: "the key of its first event, as it was published" }),
  firstEvent: Schema.Number.annotations({ description: "the sequence of the first event it tells" }),
  lastEvent: Schema.Number,
  body: Schema.String.annotations({
    description: "the comment's HTML, or the state's id; empty when it was given up before it was composed"
  }),
  externalId: Schema.NullOr(Schema.String),
  occurredAt: Instant,
  settledAt: Instant.annotations({ description: "when it was given up" }),
  attempts: Schema.Number,
  answer: Schema.NullOr(Schema.Number).annotations({ description: "the HTTP status of Plane's last answer" })
}).annotations({ identifier: "DeadLetter" })
export type DeadLetterView = typeof DeadLetterView.Type

export const deadLetterView = (letter: DeadLetter): DeadLetterView => ({
  ...letter,
  occurredAt: instant(letter.occurredAt),
  settledAt: instant(letter.settledAt)
})
