import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import { Effect, Either, Schema } from "effect"
import { makeCountedWarning } from "../base/CountedWarning.js"
import { counted } from "../base/Text.js"
import { StageEventJson } from "../domain/StageEvent.js"
import { WorkItemKeyText } from "../domain/WorkItemKey.js"
import { decodeEvent } from "../events/DecodeEvent.js"
import { StageEvents } from "../events/StageEvents.js"
import { Health } from "../health/Health.js"
import { Outbox } from "../outbox/Outbox.js"
import { EventStatus } from "../outbox/StoredEvent.js"
import { EventView, eventView } from "../views/EventView.js"
import type { Api } from "./Api.js"
import { Authorization } from "./Authorization.js"
import { jsonBody } from "./JsonBody.js"
import { cursor, limit, nextCursor, pageOf } from "./Page.js"
import { keyOf, oneOf, optional, queryOf } from "./Parameters.js"
import { badRequest, Conflict, conflict, notJson, storageFailed, tooLarge, unavailable } from "./Problem.js"
import { withEvent } from "./Specification.js"

const Accepted = Schema.Struct({
  id: Schema.String,
  duplicate: Schema.Boolean.annotations({ description: "it was published before, with the same content" })
}).annotations({
  identifier: "Accepted",
  ...HttpApiSchema.annotations({ status: 202, description: "The event is on disk, and Plane will be told" })
})

const publish = HttpApiEndpoint.post("publish", "/events").setPayload(StageEventJson).addSuccess(Accepted)
  .addError(badRequest).addError(conflict).addError(tooLarge).addError(notJson).addError(unavailable)
  .annotate(OpenApi.Summary, "Publish an event: what happened to a task")
  .annotate(
    OpenApi.Description,
    "Answers once the event is on disk, and never waits for Plane. With an `id`, an event is safe to send again: the " +
      "same id with the same content is a duplicate, not a second event."
  )
  .annotate(OpenApi.Transform, withEvent)

const list = HttpApiEndpoint.get("list", "/events")
  .setUrlParams(
    queryOf({ status: optional(oneOf("a status", EventStatus)), workItem: optional(WorkItemKeyText), limit, cursor })
  )
  .addSuccess(Schema.Struct({ events: Schema.Array(EventView), nextCursor }))
  .addError(badRequest).addError(unavailable)
  .annotate(OpenApi.Summary, "List published events and what became of them, newest first")

/** `/api/events`. */
export const eventsGroup = HttpApiGroup.make("events").add(publish).add(list).middleware(Authorization).prefix("/api")
  .annotate(OpenApi.Description, "What happened to tasks: published, and what became of it.")

/** What answers it. */
export const eventsHandlers = (api: typeof Api) =>
  HttpApiBuilder.group(api, "events", (handlers) =>
    Effect.gen(function*() {
      const stageEvents = yield* StageEvents
      const outbox = yield* Outbox
      const { noteWrite } = yield* Health
      // Each sender is told by its 503 that it still has its event.
      const warn = yield* makeCountedWarning((count, cause) =>
        `${cause}. ${counted(count, "event was", "events were")} refused with 503, because nothing can be stored`
      )
      return handlers
        .handleRaw("publish", ({ request }) =>
          Effect.flatMap(jsonBody(request, "an event", decodeEvent), stageEvents.publishOrFail).pipe(
            Effect.tap((receipt) =>
              noteWrite(Either.right(receipt))
            ),
            Effect.tapErrorTag("StorageError", (error) =>
              Effect.zipRight(
                noteWrite(Either.left(error)),
                warn(error.message)
              )),
            Effect.catchTags({
              IdTaken: ({ message }) => new Conflict({ error: message }),
              // What the decoder lets through is fit.
              Unfit: Effect.die,
              StorageError: storageFailed
            })
          ))
        .handle("list", ({ urlParams: { cursor, limit, status, workItem } }) =>
          Effect.gen(function*() {
            const key = workItem === undefined ? undefined : yield* keyOf(workItem)
            const rows = yield* outbox.events({ status, workItem: key?.normalized, limit: limit + 1, cursor })
            const { next, page } = pageOf(rows, limit)
            return { events: page.map(eventView), nextCursor: next?.sequence ?? null }
          }).pipe(Effect.mapError(storageFailed)))
    }))
