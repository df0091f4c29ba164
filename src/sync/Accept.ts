import { Clock, DateTime, Effect, Either, ParseResult, Predicate, Schema } from "effect"
import type { StageEvent } from "../domain/StageEvent.js"
import { cleanJson, EventId, StageEventJson, stageOf } from "../domain/StageEvent.js"
import type { StageStates } from "../domain/StageStates.js"
import { cleanLine, textLimit } from "../domain/Text.js"
import { uuidV7 } from "../domain/UuidV7.js"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import type { NewEvent } from "../outbox/Event.js"

const isEventId = Schema.is(EventId)
// Encoding checks what it is given: one pass over the event says whether it is fit, and writes its body.
const encode = Schema.encodeEither(StageEventJson, { onExcessProperty: "ignore", errors: "all" })

/** How far ahead an event's moment may be, in milliseconds: beyond it the publisher's clock is wrong, and it is now. */
const maxAhead = 5 * 60_000

const describe = (error: ParseResult.ParseError): string =>
  ParseResult.ArrayFormatter.formatErrorSync(error)
    .map(({ message, path }) => `${path.join(".")}: ${message}`)
    .join("; ")

const textOf = (value: unknown): string => typeof value === "string" ? value : asJson(value)

// The type says that this is a StageEvent; a host written in JavaScript may not have asked it.
const asJson = (event: unknown): string => {
  try {
    return JSON.stringify(event ?? null)
  } catch {
    return "{}"
  }
}

/**
 * An event as it is stored: with id and moment, its texts cleaned. Total: what cannot be told to Plane is marked unfit,
 * with its reason, and becomes a dead letter.
 */
export const accept = (event: StageEvent, states: StageStates): Effect.Effect<NewEvent> =>
  Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const given: { readonly id?: unknown; readonly workItem?: unknown } = Predicate.isRecord(event) ? event : {}
    const id = isEventId(given.id) ? given.id : yield* uuidV7
    return yield* Either.match(encode(event), {
      onLeft: (error) =>
        Effect.succeed<NewEvent>({
          id,
          workItem: cleanLine(textOf(given.workItem), textLimit),
          lane: undefined,
          body: asJson(event),
          stage: undefined,
          occurredAt: now,
          publishedAt: now,
          unfit: describe(error)
        }),
      onRight: (json) => {
        const stage = stageOf(event)
        const occurredAt = event.occurredAt === undefined ? now : DateTime.toEpochMillis(event.occurredAt)
        return Effect.map(WorkItemKey.parse(json.workItem), (key): NewEvent => ({
          id,
          workItem: key.written,
          lane: key.normalized,
          body: JSON.stringify({ ...cleanJson(json), id: undefined }),
          stage: stage !== undefined && states.has(stage) ? stage : undefined,
          occurredAt: occurredAt > now + maxAhead ? now : occurredAt,
          publishedAt: now,
          unfit: undefined
        })).pipe(Effect.orDie)
      }
    })
  })
