import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import { Effect, Either, Schema } from "effect"
import { Health } from "../health/Health.js"
import type { NoDeadNotice, NoticeOver } from "../people/DeadNotices.js"
import { DeadNotices } from "../people/DeadNotices.js"
import { StorageError } from "../storage/StorageError.js"
import { DeadNoticeView, deadNoticeView } from "../views/DeadNoticeView.js"
import type { Api } from "./Api.js"
import { Authorization, Caller, OperatorAuthorization } from "./Authorization.js"
import { Discarded, IdPath, Retried } from "./Deliveries.js"
import { cursor, limit, nextCursor, pageOf } from "./Page.js"
import { queryOf } from "./Parameters.js"
import { badRequest, Conflict, NotFound, notFound, noticeOver, storageFailed, unavailable } from "./Problem.js"

const list = HttpApiEndpoint.get("list", "/notices")
  .setUrlParams(queryOf({ limit, cursor }))
  .addSuccess(Schema.Struct({ notices: Schema.Array(DeadNoticeView), nextCursor }))
  .addError(badRequest).addError(unavailable)
  .annotate(OpenApi.Summary, "List notices that were given up (they are not sent any more by themselves), newest first")

const retryDescription =
  "It is sent as often as a new one, in its old place. One that calls for what nobody is needed for any more is not " +
  "retried."

const retry = HttpApiEndpoint.post("retry", "/notices/:id/retry").setPath(IdPath).addSuccess(Retried)
  .addError(badRequest).addError(notFound).addError(noticeOver).addError(unavailable)
  .annotate(OpenApi.Summary, "Retry a notice that was given up")
  .annotate(OpenApi.Description, retryDescription)
  .middleware(OperatorAuthorization)

const retryEach = HttpApiEndpoint.post("retryAll", "/notices/retry").addSuccess(Retried)
  .addError(noticeOver).addError(unavailable)
  .annotate(OpenApi.Summary, "Retry all notices that were given up")
  .annotate(OpenApi.Description, retryDescription)
  .middleware(OperatorAuthorization)

const discard = HttpApiEndpoint.post("discard", "/notices/:id/discard").setPath(IdPath).addSuccess(Discarded)
  .addError(badRequest).addError(notFound).addError(unavailable)
  .annotate(OpenApi.Summary, "Discard a notice that was given up")
  .middleware(OperatorAuthorization)

const discardEach = HttpApiEndpoint.post("discardAll", "/notices/discard").addSuccess(Discarded)
  .addError(unavailable)
  .annotate(OpenApi.Summary, "Discard all notices that were given up")
  .middleware(OperatorAuthorization)

/** `/api/notices`: the notices that were given up. */
export const noticesGroup = HttpApiGroup.make("notices").add(list)
  // Of the endpoint above alone: those below have their own.
  .middlewareEndpoints(Authorization)
  .add(retry).add(discard).add(retryEach).add(discardEach).prefix("/api")
  .annotate(OpenApi.Description, "Notices that were given up: what people were to be told by ORCH_NOTICE_URL.")

/** What answers it. */
export const noticesHandlers = (api: typeof Api) =>
  HttpApiBuilder.group(api, "notices", (handlers) =>
    Effect.gen(function*() {
      const notices = yield* DeadNotices
      const { noteWrite } = yield* Health

      const logged = (what: string, which: string) => (count: number) =>
        count === 0
          ? Effect.void
          : Effect.flatMap(Caller, ({ who }) => Effect.logInfo(`Notices ${what} by ${who} (${which}): ${count}`))
      const noted = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.tapError(
          effect,
          (error) => error instanceof StorageError ? noteWrite(Either.left(error)) : Effect.void
        )
      const retried = (count: number) => ({ retried: count })
      const discarded = (count: number) => ({ discarded: count })
      const gone = (error: NoDeadNotice) => new NotFound({ error: error.message })
      const over = (error: NoticeOver) => new Conflict({ error: error.message })

      return handlers
        .handle("list", ({ urlParams: { cursor, limit } }) =>
          Effect.gen(function*() {
            const { next, page } = pageOf(yield* notices.list({ cursor, limit: limit + 1 }), limit)
            return { notices: page.map(deadNoticeView(notices.host)), nextCursor: next?.id ?? null }
          }).pipe(Effect.mapError(storageFailed)))
        .handle("retry", ({ path: { id } }) =>
          noted(Effect.as(notices.retry(id), 1)).pipe(
            Effect.tap(logged("retried", `id ${id}`)),
            Effect.map(retried),
            Effect.catchTags({ StorageError: storageFailed, NoDeadNotice: gone, NoticeOver: over })
          ))
        .handle("discard", ({ path: { id } }) =>
          noted(Effect.as(notices.discard(id), 1)).pipe(
            Effect.tap(logged("discarded", `id ${id}`)),
            Effect.map(discarded),
            Effect.catchTags({ StorageError: storageFailed, NoDeadNotice: gone })
          ))
        .handle("retryAll", () =>
          noted(notices.retryAll).pipe(
            Effect.tap(logged("retried", "all")),
            Effect.map(retried),
            Effect.catchTags({ StorageError: storageFailed, NoticeOver: over })
          ))
        .handle("discardAll", () =>
          noted(notices.discardAll).pipe(
            Effect.tap(logged("discarded", "all")),
            Effect.map(discarded),
            Effect.catchTags({ StorageError: storageFailed })
          ))
    }))
