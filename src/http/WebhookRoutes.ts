import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Effect, Either } from "effect"
import { Health } from "../health/Health.js"
import { Receiver } from "../webhooks/Receiver.js"
import type { Source } from "../webhooks/WebhookConfig.js"
import { addressOf, bytesOf, passed, passRest } from "./RequestBody.js"
import { webhookPaths } from "./WebhookPaths.js"

const answer = (status: number, error: string) => HttpServerResponse.unsafeJson({ error }, { status })

const refused = ({ status, why }: { readonly status: number; readonly why: string }) => {
  const response = answer(status, `The webhook was refused: ${why}`)
  // Otherwise the rest of the body would be taken for the next request.
  return status === 408 ? HttpServerResponse.setHeader(response, "connection", "close") : response
}

/**
 * Refuses a webhook that may be taken when it is sent again. Plane believes that a webhook was taken after any answer,
 * even a 500, and sends it again only when the connection breaks: so its connection is broken. Gitea never sends again,
 * but shows the answer on a page where a person can.
 */
const notNow = (
  source: Source,
  request: HttpServerRequest.HttpServerRequest,
  response: HttpServerResponse.HttpServerResponse
) =>
  source === "plane"
    ? Effect.zipRight(
      Effect.sync(() => NodeHttpServerRequest.toIncomingMessage(request).socket.destroy()),
      // The server interrupts the handler of a connection that is gone.
      Effect.never
    )
    : Effect.succeed(response)

const accepted = HttpServerResponse.unsafeJson({ accepted: true }, { status: 202 })

/** `POST /webhooks/plane` and `/webhooks/gitea`. They need no token, because each webhook carries a signature. */
export const webhookRoutes = HttpApiBuilder.Router.use((router) =>
  Effect.gen(function*() {
    const receiver = yield* Receiver
    const { noteWrite } = yield* Health
    const handler = (source: Source) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
        receiver.receive(source, {
          headers: request.headers,
          address: addressOf(request),
          body: bytesOf(request)
        }).pipe(
          Effect.ensuring(passRest(request)),
          Effect.tap((taken) => taken === "stored" ? noteWrite(Either.void) : Effect.void),
          Effect.as(accepted),
          Effect.catchTags({
            Refused: (error) => Effect.as(error.status === 413 ? passed(request) : Effect.void, refused(error)),
            Overloaded: ({ why }) => notNow(source, request, refused({ status: 503, why })),
            StorageError: (error) =>
              Effect.zipRight(
                noteWrite(Either.left(error)),
                notNow(source, request, answer(500, error.message))
              )
          })
        ))
    yield* router.post(webhookPaths.plane, handler("plane"))
    yield* router.post(webhookPaths.gitea, handler("gitea"))
  })
)
