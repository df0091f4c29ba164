import { DateTime, Duration, Effect, Either, identity, Predicate, Schema } from "effect"
import { describeParseError } from "../base/Issue.js"
import { cleanLine, cleanText, reasonLimit, textLimit } from "../base/Text.js"
import { EpochMillis, epochMillis } from "../base/Time.js"
import { uuidV7Of } from "../base/UuidV7.js"
import type { Projects } from "../domain/Projects.js"
import type { StageEvent, ToldEvent } from "../domain/StageEvent.js"
import { contentOf, EventId, Noted, StageEventJson, stageOf, ToldEventJson } from "../domain/StageEvent.js"
import { identifierOf, WorkItemKey } from "../domain/WorkItemKey.js"
import type { NewEvent } from "../outbox/StoredEvent.js"
import { fitLinks } from "./FitLinks.js"

const isEventId = Schema.is(EventId)
const validate = Schema.validateEither(StageEventJson, { errors: "all" })
const validateOwn = Schema.validateEither(ToldEventJson, { errors: "all" })

/**
 * How far in the future an event's moment may be. Beyond that the publisher's clock is wrong, and the moment counts as
 * now.
 */
const maxAhead = Duration.toMillis("5 minutes")

const properties = [
  "_tag",
  "workItem",
  "id",
  "occurredAt",
  "from",
  "to",
  "agent",
  "overruledBy",
  "stage",
  "check",
  "reason",
  "sameAs",
  "links",
  "usage",
  "receipt",
  "question",
  "text"
] as const

/**
 * Copies an event's properties, reading each only once, so that what was checked is what is stored. Properties of an
 * object's prototype count too, as the type allows.
 */
const copyOf = (event: unknown): unknown => {
  if (!Predicate.isRecord(event)) return event
  const copy: Record<string, unknown> = {}
  for (const name of properties) {
    const value = event[name]
    if (value !== undefined) copy[name] = value
  }
  return copy
}

const wordsOf = (thrown: unknown): string => {
  try {
    return thrown instanceof Error ? `: ${thrown.message}` : ""
  } catch {
    return ""
  }
}

/**
 * The result of `read`, or why it failed. The type says that this is a StageEvent, but a host written in JavaScript is
 * not held to it: a getter can throw, and a value that is nested too deep overflows the stack of any code that walks
 * it.
 */
const attempt = <A>(read: () => A): Either.Either<A, string> => {
  try {
    return Either.right(read())
  } catch (thrown) {
    return Either.left(`it cannot be read${wordsOf(thrown)}`)
  }
}

const textOf = (value: unknown): string => typeof value === "string" ? value : asJson(value)

const asJson = (value: unknown): string => {
  // Undefined for a function, whatever its type says.
  const json = attempt((): unknown => JSON.stringify(value))
  return Either.match(json, {
    onLeft: () => "{}",
    onRight: (text) => typeof text === "string" ? cleanText(text, reasonLimit) : "null"
  })
}

/** An event that is stored. `refusedLinks`: what is wrong with the links that were left out. */
export interface AcceptedEvent extends NewEvent {
  readonly refusedLinks?: string | undefined
}

/** A copy of an event with the links that are fit, and what is wrong with the others. */
const withFitLinks = (copy: unknown): { readonly event: unknown; readonly refusedLinks: string | undefined } => {
  if (!Predicate.hasProperty(copy, "links")) return { event: copy, refusedLinks: undefined }
  // What is nested too deep costs the links, and not the event.
  const { links, refused } = Either.getOrElse(
    attempt(() => fitLinks(copy.links)),
    (why) => ({ links: undefined, refused: [`links: ${why}`] })
  )
  return {
    event: { ...copy, links },
    refusedLinks: refused.length === 0 ? undefined : cleanText(refused.join("; "), reasonLimit)
  }
}

/**
 * Makes the event that is stored: it has an id and a moment, and its texts are cleaned. Never fails: an event that
 * cannot be told to Plane is marked unfit, with the reason, and becomes a dead letter. A link that is not fit is left
 * out of it.
 */
export const newEvent = (event: StageEvent | Noted, projects: Projects["Type"]): Effect.Effect<AcceptedEvent> =>
  Effect.flatMap(epochMillis, (now) => {
    const part = (name: "id" | "workItem") =>
      Either.getOrUndefined(attempt(() => Predicate.isRecord(event) ? event[name] : undefined))
    const given = part("id")
    return Effect.map(isEventId(given) ? Effect.succeed(given) : uuidV7Of(now), (id) => {
      const accepted = attempt(() => {
        const { event: copy, refusedLinks } = withFitLinks(copyOf(event))
        return Either.mapBoth(event instanceof Noted ? validateOwn(copy) : validate(copy), {
          onLeft: describeParseError,
          onRight: (valid): AcceptedEvent => ({ ...fit(valid, id, projects, now), refusedLinks })
        })
      })
      return Either.getOrElse(Either.flatMap(accepted, identity), (reason) => ({
        id,
        workItem: cleanLine(textOf(part("workItem")), textLimit),
        lane: undefined,
        project: "",
        body: asJson(event),
        stage: undefined,
        urgent: false,
        occurredAt: now,
        publishedAt: now,
        unfit: cleanText(reason, reasonLimit)
      }))
    })
  })

const fit = (
  event: ToldEvent,
  id: string,
  projects: Projects["Type"],
  now: EpochMillis
): NewEvent => {
  const content = contentOf(event)
  const stage = stageOf(event)
  const lane = WorkItemKey.normalize(content.workItem)
  const project = projects.named(identifierOf(lane))
  const occurredAt = event.occurredAt === undefined ? now : EpochMillis(DateTime.toEpochMillis(event.occurredAt))
  return {
    id,
    workItem: content.workItem,
    lane,
    body: JSON.stringify(content),
    project: project?.identifier ?? "",
    stage: stage !== undefined && (project ?? projects.all[0]).stages.has(stage) ? stage : undefined,
    // A person acts on a failed gate, a question or a completion, so these go before what a person only reads.
    urgent: event._tag !== "StageChanged",
    occurredAt: occurredAt <= now + maxAhead ? occurredAt : now,
    publishedAt: now,
    unfit: undefined,
    links: content.links,
    usage: content.usage
  }
}
