import { Schema } from "effect"
import { HealthReport } from "../health/HealthReport.js"
import { Instant } from "../views/Instant.js"

/** A work item as people know it. */
export const NamedItem = Schema.Struct({
  key: Schema.String,
  name: Schema.NullOr(Schema.String).annotations({ description: "as Plane last told it; null while it has not" }),
  url: Schema.NullOr(Schema.String).annotations({ description: "its page in Plane" })
}).annotations({ identifier: "NamedItem" })
export type NamedItem = typeof NamedItem.Type

/** Which dead letters: all that is given must hold. `upTo` keeps out those that came after a person has looked. */
export const DeadLetterFilter = Schema.Struct({
  code: Schema.NullOr(Schema.String),
  project: Schema.NullOr(Schema.String),
  since: Schema.NullOr(Instant),
  until: Schema.NullOr(Instant),
  upTo: Schema.NullOr(Schema.Number).annotations({ description: "the id of the newest that is meant" })
}).annotations({ identifier: "DeadLetterFilter" })
export type DeadLetterFilter = typeof DeadLetterFilter.Type

/** What a person can do at once about a need. */
export const NeedAction = Schema.Union(
  Schema.TaggedStruct("Open", { label: Schema.String, url: Schema.String }),
  Schema.TaggedStruct("Probe", { label: Schema.String }),
  Schema.TaggedStruct("RetryLetters", { label: Schema.String, filter: DeadLetterFilter, count: Schema.Number }),
  Schema.TaggedStruct("DiscardLetters", { label: Schema.String, filter: DeadLetterFilter, count: Schema.Number }),
  Schema.TaggedStruct("ShowLetters", { label: Schema.String, filter: DeadLetterFilter })
)
export type NeedAction = typeof NeedAction.Type

/** Something that needs a person, in three lines: what it is, the evidence, and what mends it. */
export const Need = Schema.Struct({
  id: Schema.String.annotations({ description: "stays the same while it is needed: a page keeps its place by it" }),
  severity: Schema.Literal("broken", "waits").annotations({
    description: "broken: something does not work; waits: a task or an agent waits for a person"
  }),
  label: Schema.String.annotations({ description: "what it is, in two or three words: Key refused, Question" }),
  since: Schema.NullOr(Instant),
  count: Schema.Number.annotations({ description: "how many of the same stand behind it" }),
  workItem: Schema.NullOr(NamedItem),
  title: Schema.String.annotations({ description: "plain text; a part between backticks is code" }),
  evidence: Schema.NullOr(Schema.Struct({
    before: Schema.String.annotations({ description: "who says it: `It says:`" }),
    words: Schema.String.annotations({ description: "in the words of the other program or person: text from outside" })
  })),
  remedy: Schema.String.annotations({ description: "what mends it; a part between backticks is code" }),
  actions: Schema.Array(NeedAction).annotations({ description: "two at most, the first is the usual one" })
}).annotations({ identifier: "Need" })
export type Need = typeof Need.Type

const Condition = Schema.Struct({
  project: Schema.String,
  state: Schema.Literal("open", "closed", "elsewhere"),
  since: Schema.NullOr(Instant),
  reason: Schema.NullOr(Schema.String),
  nextProbeAt: Schema.NullOr(Instant),
  lastToldAt: Schema.NullOr(Instant).annotations({ description: "when Plane last took something, since the start" }),
  budget: Schema.Struct({
    limit: Schema.Number,
    used: Schema.Number,
    waiting: Schema.Number,
    nextFreeAt: Schema.NullOr(Instant).annotations({ description: "null while a slot is free" })
  })
}).annotations({ identifier: "Condition" })

/** What `GET /api/overview` answers: whether anything is stuck, and what needs a person. */
export const Overview = Schema.Struct({
  at: Instant.annotations({ description: "when this was read" }),
  version: Schema.String,
  startedAt: Instant,
  headline: Schema.Array(Schema.String).annotations({
    description: "the answer in one or two sentences: All told. Nothing needs you."
  }),
  below: Schema.String.annotations({ description: "whether anything is lost, and what happens by itself" }),
  severity: Schema.Literal("fine", "waits", "broken").annotations({ description: "the worst of the needs" }),
  needsYou: Schema.Number.annotations({
    description: "how many needs there are, those that are folded into one counted"
  }),
  needs: Schema.Array(Need).annotations({
    description:
      "worst first: Plane, questions, failed gates, patience and ceilings, notices, dead letters by reason. More than " +
      "five of a kind are one"
  }),
  owed: Schema.Number.annotations({ description: "events that are not told yet" }),
  dead: Schema.Number,
  oldestSeconds: Schema.Number.annotations({ description: "how long the oldest owed event has been waiting" }),
  toldLastHour: Schema.Number.annotations({ description: "events that were told in the last 60 minutes" }),
  projects: Schema.Array(Condition),
  heard: Schema.Array(Schema.Struct({
    source: Schema.Literal("plane", "gitea"),
    lastAccepted: Schema.NullOr(Instant),
    lastRefused: Schema.NullOr(Schema.Struct({ at: Instant, why: Schema.String }))
  })).annotations({ description: "whose webhooks are taken" }),
  replicas: HealthReport.fields.replicas
}).annotations({ identifier: "Overview" })
export type Overview = typeof Overview.Type
