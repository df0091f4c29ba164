import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import { Effect, Either, Layer } from "effect"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import { Outbox } from "../outbox/Outbox.js"
import type { StorageError } from "../outbox/StorageError.js"
import { StageEvents } from "../sync/StageEvents.js"
import { Api } from "./Api.js"
import { eventOfRequest } from "./EventBody.js"
import { Health } from "./Health.js"
import { Conflict, NotFound, Unavailable } from "./Problem.js"
import { eventView, workItemView } from "./Views.js"

// The request was decoded, so it is one.
const keyOf = (text: string) => Effect.orDieWith(WorkItemKey.parse(text), (why) => new Error(why))

const unavailable = (error: StorageError) => new Unavailable({ error: error.message })

const health = HttpApiBuilder.group(
  Api,
  "health",
  (handlers) => Effect.map(Health, ({ report }) => handlers.handle("health", () => report))
)

const events = HttpApiBuilder.group(Api, "events", (handlers) =>
  Effect.gen(function*() {
    const stageEvents = yield* StageEvents
    const outbox = yield* Outbox
    const { noteWrite } = yield* Health
    return handlers
      // Raw, because the body is bounded, and each of its fields named when it is wrong.
      .handleRaw("publish", ({ request }) =>
        Effect.flatMap(eventOfRequest(request), stageEvents.publishOrFail).pipe(
          Effect.tap((receipt) => noteWrite(Either.right(receipt))),
          Effect.tapErrorTag(
            "StorageError",
            (error) =>
              Effect.zipRight(noteWrite(Either.left(error)), Effect.logError(`Event refused: ${error.message}`))
          ),
          Effect.catchTags({
            IdTaken: ({ message }) => new Conflict({ error: message }),
            StorageError: unavailable
          })
        ))
      .handle("list", ({ urlParams: { cursor, limit, status, workItem } }) =>
        Effect.gen(function*() {
          const key = workItem === undefined ? undefined : yield* keyOf(workItem)
          // One more than asked for tells whether there is a next page.
          const rows = yield* outbox.events({ status, workItem: key?.normalized, limit: limit + 1, cursor })
          const page = rows.slice(0, limit)
          return {
            events: page.map(eventView),
            nextCursor: rows.length > limit ? page.at(-1)?.sequence ?? null : null
          }
        }).pipe(Effect.mapError(unavailable)))
  }))

const workItems = HttpApiBuilder.group(
  Api,
  "workItems",
  (handlers) =>
    Effect.map(
      Outbox,
      (outbox) =>
        handlers.handle("get", ({ path: { key }, urlParams: { limit } }) =>
          Effect.gen(function*() {
            const { normalized } = yield* keyOf(key)
            const row = yield* Effect.mapError(outbox.workItem(normalized, limit), unavailable)
            if (row === undefined) return yield* new NotFound({ error: `No event was ever published for ${key}` })
            return workItemView(key, row)
          }))
    )
)

/** What answers the requests of `Api`. */
export const handlersLayer = Layer.mergeAll(health, events, workItems)
