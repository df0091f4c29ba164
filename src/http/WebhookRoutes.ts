import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Duration, Effect, Either } from "effect"
import type { StorageError } from "../outbox/StorageError.js"
import { Receiver, Refused } from "../webhooks/Receiver.js"
import type { Source } from "../webhooks/WebhookConfig.js"
import { Health } from "./Health.js"
import { rawBody } from "./RawBody.js"

/** Where the senders deliver to. */
const paths = { plane: "/webhooks/plane", gitea: "/webhooks/gitea" } as const satisfies Record<Source, string>

export const webhookPaths: ReadonlyArray<string> = Object.values(paths)

/** The largest delivery that is taken, in bytes: Plane itself takes no larger work item. */
const maxBytes = 5 * 1024 * 1024

/** A body takes no longer than this: Gitea waits for five seconds in all. */
const bodyTime = Duration.seconds(10)

const bodyOf = (request: HttpServerRequest.HttpServerRequest) =>
  rawBody(request, maxBytes).pipe(
    Effect.mapError(({ reason }) =>
      reason === "TooLarge"
        ? new Refused({ status: 413, why: `its body is larger than ${maxBytes} bytes` })
        : new Refused({ status: 400, why: "its body broke off" })
    ),
    Effect.timeoutFail({
      duration: bodyTime,
      onTimeout: () => new Refused({ status: 408, why: `its body took longer than ${Duration.format(bodyTime)}` })
    })
  )

const refused = ({ status, why }: Refused) => {
  const response = HttpServerResponse.unsafeJson({ error: `The delivery was refused: ${why}` }, { status })
  // What is left of the body would be taken for the next request.
  return status === 408 ? HttpServerResponse.setHeader(response, "connection", "close") : response
}

/**
 * Plane takes any answer for a delivery, also a 500, and sends again only when the connection breaks; Gitea never sends
 * again, but shows a 500 on its page, from where a person can.
 */
const notStored = (source: Source, request: HttpServerRequest.HttpServerRequest, error: StorageError) =>
  source === "plane"
    ? Effect.zipRight(
      Effect.sync(() => NodeHttpServerRequest.toIncomingMessage(request).socket.destroy()),
      // The server interrupts what answers a connection that is gone.
      Effect.never
    )
    : Effect.succeed(HttpServerResponse.unsafeJson({ error: error.message }, { status: 500 }))

const taken = HttpServerResponse.unsafeJson({ accepted: true }, { status: 202 })

/** `POST /webhooks/plane` and `/webhooks/gitea`. They ask for no token: the signature is what says who sends. */
export const webhookRoutes = HttpApiBuilder.Router.use((router) =>
  Effect.gen(function*() {
    const receiver = yield* Receiver
    const { noteWrite } = yield* Health
    const handler = (source: Source) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
        receiver.receive(source, { headers: request.headers, body: bodyOf(request) }).pipe(
          Effect.zipRight(noteWrite(Either.void)),
          Effect.as(taken),
          Effect.catchTags({
            Refused: (error) =>
              Effect.succeed(refused(error)),
            StorageError: (error) => Effect.zipRight(noteWrite(Either.left(error)), notStored(source, request, error))
          })
        ))
    yield* router.post(paths.plane, handler("plane"))
    yield* router.post(paths.gitea, handler("gitea"))
  })
)
