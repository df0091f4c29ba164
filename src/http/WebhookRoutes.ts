import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Duration, Effect, Either } from "effect"
import { boundedBody } from "../base/BoundedBody.js"
import { Health } from "../health/Health.js"
import type { ReserveMemory } from "../webhooks/Receiver.js"
import { Overloaded, Receiver, Refused } from "../webhooks/Receiver.js"
import type { Source } from "../webhooks/WebhookConfig.js"

const paths = { plane: "/webhooks/plane", gitea: "/webhooks/gitea" } as const satisfies Record<Source, string>

/** The paths that take webhooks. */
export const webhookPaths: ReadonlyArray<string> = Object.values(paths)

/** The largest webhook that is taken, in bytes. Plane itself takes no larger work item. */
const maxBytes = 5 * 1024 * 1024

/** The longest time that a body may take. Gitea gives up after five seconds. */
const bodyTime = Duration.seconds(10)

const tooLarge = new Refused({ status: 413, why: `its body is larger than ${maxBytes} bytes` })
const brokenOff = new Refused({ status: 400, why: "its body broke off" })
const tooSlow = new Refused({ status: 408, why: `its body took longer than ${Duration.format(bodyTime)}` })

const bodyOf = (request: HttpServerRequest.HttpServerRequest) => (reserve: ReserveMemory) => {
  const message = NodeHttpServerRequest.toIncomingMessage(request)
  // The request's own stream closes the connection when it is not read to its end. Here the sender is told why.
  return boundedBody(
    NodeStream.fromReadable<Refused>(() => message, () => brokenOff, { closeOnDone: false }),
    {
      limit: maxBytes,
      overLimit: "discard",
      reserve: (bytes) => reserve(bytes) ? Effect.void : new Overloaded()
    }
  ).pipe(
    // What was not read flows past: the sender reads our answer only after it has sent all.
    Effect.ensuring(Effect.sync(() => message.resume())),
    Effect.catchTag("BodyTooLarge", () => tooLarge),
    Effect.timeoutFail({ duration: bodyTime, onTimeout: () => tooSlow })
  )
}

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
          body: bodyOf(request)
        }).pipe(
          Effect.zipRight(noteWrite(Either.void)),
          Effect.as(accepted),
          Effect.catchTags({
            Refused: (error) => Effect.succeed(refused(error)),
            Overloaded: ({ why }) => notNow(source, request, refused({ status: 503, why })),
            StorageError: (error) =>
              Effect.zipRight(
                noteWrite(Either.left(error)),
                notNow(source, request, answer(500, error.message))
              )
          })
        ))
    yield* router.post(paths.plane, handler("plane"))
    yield* router.post(paths.gitea, handler("gitea"))
  })
)
