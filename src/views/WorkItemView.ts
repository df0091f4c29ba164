import { Schema } from "effect"
import type { WorkItemRow } from "../outbox/Queries.js"
import { TaskStatus } from "../tasks/Task.js"
import { DeliveryView, deliveryView } from "./DeliveryView.js"
import { EventView, eventView } from "./EventView.js"
import { Instant, instant, instantOrNull } from "./Instant.js"
import { NextView } from "./NextView.js"
import type { StoryEntry, StoryFacts } from "./StoryLines.js"
import { storyKinds } from "./StoryLines.js"

const StoryLine = Schema.Struct({
  at: Instant,
  kind: Schema.Literal(...storyKinds).annotations({
    description:
      "hook: a webhook, and what it meant; task, report, verdict: of its task; event: what was published; look: its key " +
      "was looked up and not found; request: one that was sent to Plane; outcome: a dead letter, or what was not sent"
  }),
  line: Schema.String.annotations({ description: "in words" }),
  event: Schema.NullOr(Schema.Number).annotations({ description: "the sequence of the event it is about" }),
  delivery: Schema.NullOr(Schema.Number).annotations({ description: "the id of the delivery it is about" }),
  attempt: Schema.NullOr(Schema.Number).annotations({ description: "of a request: which attempt it was" }),
  answer: Schema.NullOr(Schema.Number).annotations({
    description: "the HTTP status of Plane's answer; null where none came, or where it was not kept: Plane accepted it"
  }),
  took: Schema.NullOr(Schema.Number).annotations({
    description: "of a request: how long Plane took, in milliseconds; null where that was not measured"
  })
}).annotations({ identifier: "StoryLine" })

/** What a work item is owed, what was done for it, and what went wrong. */
export const WorkItemView = Schema.Struct({
  key: Schema.String,
  workItem: Schema.NullOr(Schema.String).annotations({ description: "Plane's uuid; null while the key is not found" }),
  owed: Schema.Number.annotations({ description: "events that are not delivered yet" }),
  dueAt: Schema.NullOr(Instant),
  state: Schema.NullOr(Schema.String).annotations({ description: "the id of its Plane state, as last read or set" }),
  stateName: Schema.NullOr(Schema.String).annotations({
    description: "that state's name; null if Plane has not told it"
  }),
  gone: Schema.Boolean.annotations({ description: "deleted or archived in Plane when last seen" }),
  problem: Schema.NullOr(Schema.String).annotations({ description: "why it waits" }),
  task: Schema.NullOr(Schema.Struct({ stage: Schema.String, status: TaskStatus })).annotations({
    description: "its task, if it has one"
  }),
  events: Schema.Array(EventView).annotations({ description: "the latest first" }),
  deliveries: Schema.Array(DeliveryView).annotations({ description: "the latest first" }),
  story: Schema.Array(StoryLine).annotations({
    description: "all that is known of it in one order, the oldest first: the newest `limit` lines"
  }),
  next: NextView
}).annotations({ identifier: "WorkItem" })
export type WorkItemView = typeof WorkItemView.Type

const storyLine = ({ answer, at, attempt, delivery, event, kind, line, took }: StoryEntry): typeof StoryLine.Type => ({
  at: instant(at),
  kind,
  line,
  event: event ?? null,
  delivery: delivery ?? null,
  attempt: attempt ?? null,
  answer: answer ?? null,
  took: took ?? null
})

export const workItemView = (
  key: string,
  row: WorkItemRow,
  { states, task }: Pick<StoryFacts, "states" | "task">,
  story: ReadonlyArray<StoryEntry>,
  next: NextView
): WorkItemView => ({
  key,
  workItem: row.itemId,
  owed: row.owed,
  dueAt: instantOrNull(row.dueAt),
  state: row.state,
  stateName: states.find(({ id }) => id === row.state)?.name ?? null,
  gone: row.gone,
  problem: row.problem,
  task: task === undefined ? null : { stage: task.stage, status: task.status },
  events: row.events.map(eventView),
  deliveries: row.deliveries.map(deliveryView),
  story: story.map(storyLine),
  next
})
