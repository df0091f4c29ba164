import { DateTime, Option, Schema } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { unset } from "../domain/Projects.js"
import { DeliveryKind } from "../outbox/DeliveryKind.js"
import type { Preview } from "../outbox/Preview.js"
import type { DestinationStatus } from "../sending/Destination.js"
import { Instant, instant } from "./Instant.js"
import type { StoryFacts } from "./StoryLines.js"
import { requestWords } from "./StoryLines.js"

/** What is done next for a work item, and what that waits for. */
export const NextView = Schema.Struct({
  what: Schema.Literal(
    "nothing",
    "look",
    "check",
    "state",
    "comment",
    "recount",
    "dead_letter",
    "links",
    "assignees",
    "later"
  )
    .annotations({
      description:
        "look: its key is looked up, or whether it is back; check: whether another change has undone our last one, or a " +
        "comment is there twice; state, comment, recount: such a request is sent; dead_letter: an event that cannot be " +
        "told becomes one; links: one is made or deleted; later: nothing can be sent before `at`"
    }),
  line: Schema.String.annotations({ description: "the same in words" }),
  at: Schema.NullOr(Instant).annotations({ description: "not before this moment; null when there is nothing to do" }),
  waits: Schema.Array(Schema.String).annotations({ description: "what it waits for, for people" }),
  request: Schema.NullOr(Schema.Struct({
    kind: DeliveryKind,
    body: Schema.String.annotations({ description: "the comment's HTML, or the state's id" }),
    externalId: Schema.NullOr(Schema.String),
    attempt: Schema.Number.annotations({ description: "which attempt it will be" })
  })).annotations({ description: "the request that is sent; null where something else is done" })
}).annotations({
  identifier: "Next",
  description: "what is done next, by the planner that sends: it does not disagree with what is sent"
})
export type NextView = typeof NextView.Type

type Request = NonNullable<NextView["request"]>

/** What is known of who sends. */
export interface Sending {
  /** Undefined if nobody can tell: no server answers, or none was asked. */
  readonly plane: DestinationStatus | undefined
  /** Why nothing is sent from the file, if no process does that now. */
  readonly nobody: string | undefined
}

const requestOf = ({ next }: Preview): Request | null => {
  switch (next._tag) {
    case "Again": {
      const { attempts, body, externalId, kind } = next.delivery
      return { kind, body, externalId, attempt: attempts + 1 }
    }
    case "SendAgain":
      return { kind: next.delivery.kind, body: next.body, externalId: next.externalId, attempt: 1 }
    case "Send": {
      const { body, externalId, kind } = next.plan
      return { kind, body, externalId, attempt: 1 }
    }
    default:
      return null
  }
}

const isLiving = ({ next }: Preview): boolean =>
  next._tag === "Send"
    ? next.plan.living !== undefined
    : (next._tag === "Again" || next._tag === "SendAgain") && next.delivery.living !== null

const otherWords = ({ next }: Preview): Pick<NextView, "what" | "line"> => {
  switch (next._tag) {
    case "Look":
      return { what: "look", line: `a look for ${next.key} in Plane` }
    case "Check":
      return { what: "check", line: "a look at who has moved it last, because a change of ours may have been undone" }
    case "Twins":
      return { what: "check", line: "a look whether a comment of ours is there twice" }
    case "Assign":
      return { what: "assignees", line: "its assignees, because nothing else is owed" }
    case "Link":
      return { what: "links", line: "its links, because nothing else is owed" }
    case "Unfit":
      return { what: "dead_letter", line: `event ${next.event.sequence} becomes a dead letter: ${next.reason}` }
    case "Wait":
      return { what: "later", line: "nothing can be sent yet" }
    default:
      return { what: "nothing", line: "nothing, because nothing is owed" }
  }
}

/** The last request got no answer, so Plane may still execute it. */
const isQuiet = ({ next }: Preview, { row: { deliveries } }: StoryFacts): boolean =>
  next._tag === "Again" && deliveries.find(({ id }) => id === next.delivery.id)?.tries.at(-1)?.answer === null

const toSecond = (at: DateTime.Utc) => DateTime.formatIso(at).replace(/\.\d+Z$/, "Z")

const closedWords = (plane: DestinationStatus | undefined): ReadonlyArray<string> => {
  if (plane === undefined || plane.open) return []
  const next = Option.match(plane.nextProbeAt, {
    onNone: () => "",
    onSome: (at) => `; Plane is asked again at ${toSecond(at)}`
  })
  return [`Plane is closed since ${toSecond(plane.since)}: ${plane.reason}${next}`]
}

const nothing: NextView = {
  what: "nothing",
  line: "nothing, because nothing is owed",
  at: null,
  waits: [],
  request: null
}

/** What is next for a work item of a project that no setting names. */
export const unsetView = (owed: number, project: string): NextView =>
  owed === 0 ? nothing : { ...nothing, what: "later", line: "nothing can be sent yet", waits: [unset(project)] }

/** What is done next, in words, and what it waits for. */
export const nextView = (
  preview: Preview | undefined,
  facts: StoryFacts,
  { nobody, plane }: Sending,
  now: EpochMillis
): NextView => {
  if (preview === undefined || preview.next._tag === "Nothing") {
    return nothing
  }
  const request = requestOf(preview)
  const { dueAt, isClaimed, next, problem } = preview
  const isLater = dueAt !== null && dueAt > now
  const waits = [
    ...(isLater && isQuiet(preview, facts) ? ["the quiet time, because Plane may still execute the last request"] : []),
    ...(next._tag === "Wait" && next.reason !== undefined ? [next.reason] : problem === null ? [] : [problem]),
    ...(nobody === undefined ? closedWords(plane) : [nobody]),
    ...(isClaimed && nobody === undefined && !isLater ? ["it is being done now"] : [])
  ]
  const words = request === null
    ? otherWords(preview)
    : {
      what: request.kind,
      line: requestWords(facts, { ...request, isLiving: isLiving(preview) }) +
        (request.attempt > 1 ? `, attempt ${request.attempt}` : "")
    }
  return { ...words, at: dueAt === null ? null : instant(dueAt), waits, request }
}
