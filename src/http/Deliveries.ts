import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as OpenApi from "@effect/platform/OpenApi"
import { Effect, Either, Schema } from "effect"
import { decoderOf } from "../base/Decoder.js"
import { Health } from "../health/Health.js"
import { DeadCode } from "../outbox/DeadCode.js"
import type { NeverTold, NoDeadLetter } from "../outbox/DeadLetterActions.js"
import { deadLetter, discardAll, discardOne, retryAll, retryOne } from "../outbox/DeadLetterActions.js"
import { Outbox } from "../outbox/Outbox.js"
import { StorageError } from "../storage/StorageError.js"
import { WakeUps } from "../storage/WakeUps.js"
import { DeadLetterView, deadLetterView } from "../views/DeadLetterView.js"
import type { Api } from "./Api.js"
import { Authorization, Caller, OperatorAuthorization } from "./Authorization.js"
import { jsonBody } from "./JsonBody.js"
import { cursor, limit, nextCursor, pageOf } from "./Page.js"
import { optional, queryOf, wholeNumber } from "./Parameters.js"
import {
  badRequest,
  Conflict,
  neverTold,
  NotFound,
  notFound,
  notJson,
  storageFailed,
  tooLarge,
  unavailable
} from "./Problem.js"

/** The number of what is retried or discarded. */
export const IdPath = Schema.Struct({ id: wholeNumber(1, Number.MAX_SAFE_INTEGER) })
const OfCode = Schema.Struct({ code: DeadCode }).annotations({ identifier: "DeadLettersOfCode" })

export const Retried = Schema.Struct({ retried: Schema.Number }).annotations({ identifier: "Retried" })
export const Discarded = Schema.Struct({ discarded: Schema.Number }).annotations({ identifier: "Discarded" })

const list = HttpApiEndpoint.get("list", "/deliveries")
  .setUrlParams(queryOf({ code: optional(DeadCode), limit, cursor }))
  .addSuccess(Schema.Struct({ deliveries: Schema.Array(DeadLetterView), nextCursor }))
  .addError(badRequest).addError(unavailable)
  .annotate(OpenApi.Summary, "List dead letters (deliveries that are not tried again by themselves), newest first")

const get = HttpApiEndpoint.get("get", "/deliveries/:id").setPath(IdPath).addSuccess(DeadLetterView)
  .addError(badRequest).addError(notFound).addError(unavailable)
  .annotate(OpenApi.Summary, "Show a dead letter")

const retryDescription =
  "A comment is sent after what its work item is owed now. It keeps its time and its external id, so that it cannot " +
  "double. A state becomes that of the latest stage."

const retry = HttpApiEndpoint.post("retry", "/deliveries/:id/retry").setPath(IdPath).addSuccess(Retried)
  .addError(badRequest).addError(notFound).addError(neverTold).addError(unavailable)
  .annotate(OpenApi.Summary, "Retry a dead letter")
  .annotate(OpenApi.Description, retryDescription)
  .middleware(OperatorAuthorization)

const retryEach = HttpApiEndpoint.post("retryAll", "/deliveries/retry").setPayload(OfCode).addSuccess(Retried)
  .addError(badRequest).addError(neverTold).addError(tooLarge).addError(notJson).addError(unavailable)
  .annotate(OpenApi.Summary, "Retry all dead letters of a code")
  .annotate(OpenApi.Description, retryDescription)
  .middleware(OperatorAuthorization)

const discard = HttpApiEndpoint.post("discard", "/deliveries/:id/discard").setPath(IdPath).addSuccess(Discarded)
  .addError(badRequest).addError(notFound).addError(unavailable)
  .annotate(OpenApi.Summary, "Discard a dead letter")
  .middleware(OperatorAuthorization)

const discardEach = HttpApiEndpoint.post("discardAll", "/deliveries/discard").setPayload(OfCode).addSuccess(Discarded)
  .addError(badRequest).addError(tooLarge).addError(notJson).addError(unavailable)
  .annotate(OpenApi.Summary, "Discard all dead letters of a code")
  .middleware(OperatorAuthorization)

/** `/api/deliveries`: the dead letters. */
export const deliveriesGroup = HttpApiGroup.make("deliveries").add(list).add(get)
  // Of the endpoints above alone: those below have their own.
  .middlewareEndpoints(Authorization)
  .add(retry).add(discard).add(retryEach).add(discardEach).prefix("/api")
  .annotate(OpenApi.Description, "Dead letters: what was to be told to Plane and could not be.")

const decodeOfCode = decoderOf(OfCode)

/** What answers it. */
export const deliveriesHandlers = (api: typeof Api) =>
  HttpApiBuilder.group(api, "deliveries", (handlers) =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      const wakeUps = yield* WakeUps
      const { noteWrite } = yield* Health

      const logged = (count: number, what: string) =>
        count === 0
          ? Effect.void
          : Effect.flatMap(Caller, ({ who }) => Effect.logInfo(`Dead letters ${what} by ${who}: ${count}`))
      const noted = <E>(effect: Effect.Effect<number, E, Outbox>) =>
        effect.pipe(
          Effect.provideService(Outbox, outbox),
          Effect.tapError((error) => error instanceof StorageError ? noteWrite(Either.left(error)) : Effect.void)
        )
      const retrying = <E>(which: string, effect: Effect.Effect<number, E, Outbox>) =>
        noted(effect).pipe(
          Effect.zipLeft(wakeUps.notify),
          Effect.tap((retried) => logged(retried, `retried (${which})`)),
          Effect.map((retried) => ({ retried }))
        )
      const discarding = <E>(which: string, effect: Effect.Effect<number, E, Outbox>) =>
        noted(effect).pipe(
          Effect.tap((discarded) => logged(discarded, `discarded (${which})`)),
          Effect.map((discarded) => ({ discarded }))
        )

      const notFound = (error: NoDeadLetter) => new NotFound({ error: error.message })
      const neverTold = (error: NeverTold) => new Conflict({ error: error.message })
      const codeOf = (request: HttpServerRequest) =>
        Effect.map(jsonBody(request, "a code of dead letters", decodeOfCode), ({ code }) => code)

      return handlers
        .handle("list", ({ urlParams: { code, cursor, limit } }) =>
          Effect.gen(function*() {
            const { next, page } = pageOf(yield* outbox.deadLetters({ code, cursor, limit: limit + 1 }), limit)
            return { deliveries: page.map(deadLetterView), nextCursor: next?.id ?? null }
          }).pipe(Effect.mapError(storageFailed)))
        .handle("get", ({ path: { id } }) =>
          deadLetter(id).pipe(
            Effect.provideService(Outbox, outbox),
            Effect.map(deadLetterView),
            Effect.catchTags({ StorageError: storageFailed, NoDeadLetter: notFound })
          ))
        .handle("retry", ({ path: { id } }) =>
          retrying(`id ${id}`, retryOne(id)).pipe(
            Effect.catchTags({ StorageError: storageFailed, NoDeadLetter: notFound, NeverTold: neverTold })
          ))
        .handle("discard", ({ path: { id } }) =>
          discarding(`id ${id}`, discardOne(id)).pipe(
            Effect.catchTags({ StorageError: storageFailed, NoDeadLetter: notFound })
          ))
        .handleRaw("retryAll", ({ request }) =>
          Effect.flatMap(codeOf(request), (code) =>
            retrying(`code ${code}`, retryAll(code))).pipe(
              Effect.catchTags({ StorageError: storageFailed, NeverTold: neverTold })
            ))
        .handleRaw("discardAll", ({ request }) =>
          Effect.flatMap(codeOf(request), (code) =>
            discarding(`code ${code}`, discardAll(code))).pipe(
              Effect.catchTags({ StorageError: storageFailed })
            ))
    }))
