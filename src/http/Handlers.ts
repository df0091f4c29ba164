import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import { Effect, Either, Layer } from "effect"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import { Outbox } from "../outbox/Outbox.js"
import { StorageError } from "../outbox/StorageError.js"
import { Signal } from "../sync/Signal.js"
import { StageEvents } from "../sync/StageEvents.js"
import { Api, OfCode } from "./Api.js"
import type { NeverTold, NoDeadLetter } from "./DeadLetterActions.js"
import { deadLetter, discardAll, discardOne, retryAll, retryOne } from "./DeadLetterActions.js"
import { deadLetterView } from "./DeadLetterView.js"
import { Health } from "./Health.js"
import { Conflict, NotFound, Unavailable } from "./Problem.js"
import { bodyOfRequest, decodeEvent, decoderOf } from "./RequestBody.js"
import { eventView, workItemView } from "./Views.js"

// The request was decoded, so it is one.
const keyOf = (text: string) => Effect.orDieWith(WorkItemKey.parse(text), (why) => new Error(why))

const unavailable = (error: StorageError) => new Unavailable({ error: error.message })

// One row more than asked for tells whether there is a next page.
const pageOf = <A>(rows: ReadonlyArray<A>, limit: number) => {
  const page = rows.slice(0, limit)
  return { page, next: rows.length > limit ? page.at(-1) : undefined }
}

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
        Effect.flatMap(bodyOfRequest(request, "an event", decodeEvent), stageEvents.publishOrFail).pipe(
          Effect.tap((receipt) =>
            noteWrite(Either.right(receipt))
          ),
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
          const rows = yield* outbox.events({ status, workItem: key?.normalized, limit: limit + 1, cursor })
          const { next, page } = pageOf(rows, limit)
          return { events: page.map(eventView), nextCursor: next?.sequence ?? null }
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

const decodeOfCode = decoderOf(OfCode)

const deliveries = HttpApiBuilder.group(Api, "deliveries", (handlers) =>
  Effect.gen(function*() {
    const outbox = yield* Outbox
    const signal = yield* Signal
    const { noteWrite } = yield* Health

    const noted = <E>(effect: Effect.Effect<number, E, Outbox>) =>
      effect.pipe(
        Effect.provideService(Outbox, outbox),
        Effect.tapError((error) => error instanceof StorageError ? noteWrite(Either.left(error)) : Effect.void)
      )
    const retrying = <E>(effect: Effect.Effect<number, E, Outbox>) =>
      noted(effect).pipe(Effect.zipLeft(signal.notify), Effect.map((retried) => ({ retried })))
    const discarding = <E>(effect: Effect.Effect<number, E, Outbox>) =>
      Effect.map(noted(effect), (discarded) => ({ discarded }))

    const notFound = (error: NoDeadLetter) => new NotFound({ error: error.message })
    const neverTold = (error: NeverTold) => new Conflict({ error: error.message })
    const codeIn = (request: HttpServerRequest) =>
      Effect.map(bodyOfRequest(request, "a code of dead letters", decodeOfCode), ({ code }) => code)

    return handlers
      .handle("list", ({ urlParams: { code, cursor, limit } }) =>
        Effect.gen(function*() {
          const { next, page } = pageOf(yield* outbox.deadLetters({ code, cursor, limit: limit + 1 }), limit)
          return { deliveries: page.map(deadLetterView), nextCursor: next?.id ?? null }
        }).pipe(Effect.mapError(unavailable)))
      .handle("get", ({ path: { id } }) =>
        deadLetter(id).pipe(
          Effect.provideService(Outbox, outbox),
          Effect.map(deadLetterView),
          Effect.catchTags({ StorageError: unavailable, NoDeadLetter: notFound })
        ))
      .handle("retry", ({ path: { id } }) =>
        retrying(retryOne(id)).pipe(
          Effect.catchTags({ StorageError: unavailable, NoDeadLetter: notFound, NeverTold: neverTold })
        ))
      .handle("discard", ({ path: { id } }) =>
        discarding(discardOne(id)).pipe(Effect.catchTags({ StorageError: unavailable, NoDeadLetter: notFound })))
      // Raw, because the body is bounded, and its field named when it is wrong.
      .handleRaw("retryAll", ({ request }) =>
        Effect.flatMap(codeIn(request), (code) =>
          retrying(retryAll(code))).pipe(
            Effect.catchTags({ StorageError: unavailable, NeverTold: neverTold })
          ))
      .handleRaw("discardAll", ({ request }) =>
        Effect.flatMap(codeIn(request), (code) =>
          discarding(discardAll(code))).pipe(
            Effect.catchTags({ StorageError: unavailable })
          ))
  }))

/** What answers the requests of `Api`. */
export const handlersLayer = Layer.mergeAll(health, events, workItems, deliveries)
