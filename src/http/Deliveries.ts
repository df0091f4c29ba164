import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as OpenApi from "@effect/platform/OpenApi"
import { Effect, Either, Schema } from "effect"
import { decoderOf } from "../base/Decoder.js"
import { stored } from "../base/Time.js"
import { OffsetInstant } from "../domain/StageEvent.js"
import { Health } from "../health/Health.js"
import { DeadCode } from "../outbox/DeadCode.js"
import type { NeverTold, NoDeadLetter } from "../outbox/DeadLetterActions.js"
import { deadLetter, discardAll, discardOne, retryAll, retryOne } from "../outbox/DeadLetterActions.js"
import type { DeadLetterFilter } from "../outbox/DeadLetters.js"
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

const projectWords = "the identifier of their project; empty: their keys begin with none"
const sinceWords = "they became dead letters at this instant or later"
const untilWords = "they became dead letters at this instant or earlier"
const upToWords = "the id of the newest that is meant: so those are left out that came after a person has looked"

const orNull = <A, I>(schema: Schema.Schema<A, I>) => optional(Schema.NullOr(schema))
const id = Schema.Int.pipe(Schema.positive())

/** As the page asks for them: what is null is as good as left out. */
const Matching = Schema.Struct({
  code: orNull(DeadCode),
  project: orNull(Schema.String.annotations({ description: projectWords })),
  since: orNull(OffsetInstant.annotations({ description: sinceWords })),
  until: orNull(OffsetInstant.annotations({ description: untilWords })),
  upTo: orNull(id.annotations({ description: upToWords }))
}).pipe(
  Schema.filter((given) =>
    Object.values(given).some((value) => value !== null) ||
    { path: ["code"], message: "expected at least one of code, project, since, until and upTo" }
  )
).annotations({
  identifier: "MatchingDeadLetters",
  description: "which dead letters: all that is given must hold, and something must be given"
})

const filterOf = ({ code, project, since, until, upTo }: typeof Matching.Type): DeadLetterFilter => ({
  code: code ?? undefined,
  project: project ?? undefined,
  since: since ? stored(since) : undefined,
  until: until ? stored(until) : undefined,
  upTo: upTo ?? undefined
})

export const Retried = Schema.Struct({ retried: Schema.Number }).annotations({ identifier: "Retried" })
export const Discarded = Schema.Struct({ discarded: Schema.Number }).annotations({ identifier: "Discarded" })

const list = HttpApiEndpoint.get("list", "/deliveries")
  .setUrlParams(queryOf({
    code: optional(DeadCode),
    project: optional(Schema.String.annotations({ description: projectWords })),
    since: optional(OffsetInstant.annotations({ description: sinceWords })),
    until: optional(OffsetInstant.annotations({ description: untilWords })),
    upTo: optional(wholeNumber(1, Number.MAX_SAFE_INTEGER).annotations({ description: upToWords })),
    limit,
    cursor
  }))
  .addSuccess(Schema.Struct({
    deliveries: Schema.Array(DeadLetterView),
    total: Schema.Number.annotations({ description: "how many match, on all pages" }),
    nextCursor
  }))
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

const retryEach = HttpApiEndpoint.post("retryAll", "/deliveries/retry").setPayload(Matching).addSuccess(Retried)
  .addError(badRequest).addError(neverTold).addError(tooLarge).addError(notJson).addError(unavailable)
  .annotate(OpenApi.Summary, "Retry all dead letters that match")
  .annotate(OpenApi.Description, retryDescription)
  .middleware(OperatorAuthorization)

const discard = HttpApiEndpoint.post("discard", "/deliveries/:id/discard").setPath(IdPath).addSuccess(Discarded)
  .addError(badRequest).addError(notFound).addError(unavailable)
  .annotate(OpenApi.Summary, "Discard a dead letter")
  .middleware(OperatorAuthorization)

const discardEach = HttpApiEndpoint.post("discardAll", "/deliveries/discard").setPayload(Matching).addSuccess(Discarded)
  .addError(badRequest).addError(tooLarge).addError(notJson).addError(unavailable)
  .annotate(OpenApi.Summary, "Discard all dead letters that match")
  .middleware(OperatorAuthorization)

/** `/api/deliveries`: the dead letters. */
export const deliveriesGroup = HttpApiGroup.make("deliveries").add(list).add(get)
  // Of the endpoints above alone: those below have their own.
  .middlewareEndpoints(Authorization)
  .add(retry).add(discard).add(retryEach).add(discardEach).prefix("/api")
  .annotate(OpenApi.Description, "Dead letters: what was to be told to Plane and could not be.")

const decodeMatching = decoderOf(Matching)

/** Which were meant, for the log. */
const wordsOf = (filter: DeadLetterFilter) => `matching ${JSON.stringify(filter)}`

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
      const matching = (request: HttpServerRequest) =>
        Effect.map(jsonBody(request, "a choice of dead letters", decodeMatching), filterOf)

      return handlers
        .handle("list", ({ urlParams: { cursor, limit, ...given } }) =>
          Effect.gen(function*() {
            const filter = filterOf(given)
            const { next, page } = pageOf(yield* outbox.deadLetters({ ...filter, cursor, limit: limit + 1 }), limit)
            const total = yield* outbox.countDeadLetters(filter)
            return { deliveries: page.map(deadLetterView), total, nextCursor: next?.id ?? null }
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
          Effect.flatMap(matching(request), (filter) =>
            retrying(wordsOf(filter), retryAll(filter))).pipe(
              Effect.catchTags({ StorageError: storageFailed, NeverTold: neverTold })
            ))
        .handleRaw("discardAll", ({ request }) =>
          Effect.flatMap(matching(request), (filter) =>
            discarding(wordsOf(filter), discardAll(filter))).pipe(
              Effect.catchTags({ StorageError: storageFailed })
            ))
    }))
