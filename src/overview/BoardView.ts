import { Schema } from "effect"
import { TaskStatus } from "../tasks/Task.js"
import { Instant } from "../views/Instant.js"
import { NamedItem } from "./OverviewView.js"

/** A work item on its way. */
export const BoardCard = Schema.Struct({
  ...NamedItem.fields,
  agent: Schema.NullOr(Schema.String),
  status: TaskStatus,
  why: Schema.NullOr(Schema.String).annotations({ description: "why it is paused or stopped" }),
  since: Instant.annotations({ description: "when it entered its stage" }),
  patienceSeconds: Schema.NullOr(Schema.Number).annotations({ description: "how long its stage may take" }),
  behind: Schema.Number.annotations({ description: "its events that Plane was not told yet" }),
  failedGate: Schema.NullOr(Schema.Struct({ gate: Schema.String, times: Schema.Number })),
  waitsFor: Schema.Array(Schema.Struct({ reason: Schema.String, reached: Schema.Array(Schema.String) }))
    .annotations({ description: "what it waits for a person for, and who was asked" })
}).annotations({ identifier: "BoardCard" })
export type BoardCard = typeof BoardCard.Type

/** What `GET /api/board` answers: where everything of a project is. */
export const Board = Schema.Struct({
  project: Schema.String,
  projects: Schema.Array(Schema.String).annotations({ description: "all that there are" }),
  underWay: Schema.Number,
  doneToday: Schema.Number.annotations({ description: "in the last 24 hours" }),
  stages: Schema.Array(Schema.Struct({
    stage: Schema.String,
    count: Schema.Number.annotations({
      description: "all that match; the last stage counts those of the last 24 hours"
    }),
    cards: Schema.Array(BoardCard).annotations({ description: "50 at most, those that wait for somebody first" }),
    nextCursor: Schema.NullOr(Schema.Number).annotations({
      description: "`cursor` of the next 50; null: there are no more"
    })
  }))
}).annotations({ identifier: "Board" })
export type Board = typeof Board.Type
