import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Duration, Effect, Either } from "effect"
import { Health } from "../health/Health.js"
import type { Room } from "../webhooks/Receiver.js"
import { Overloaded, Receiver, Refused } from "../webhooks/Receiver.js"
import type { Source } from "../webhooks/WebhookConfig.js"
import { rawBody } from "./RawBody.js"

/** Where the senders deliver to. */
const paths = { plane: "/webhooks/plane", gitea: "/webhooks/gitea" } as const satisfies Record<Source, string>

export const webhookPaths: ReadonlyArray<string> = Object.values(paths)

/** The largest delivery that is taken, in bytes: Plane itself takes no larger work item. */
const maxBytes = 5 * 1024 * 1024

/** A body takes no longer than this: Gitea waits for five seconds in all. */
const bodyTime = Duration.seconds(10)

const noBody = {
  TooLarge: new Refused({ status: 413, why: `its body is larger than ${maxBytes} bytes` }),
  BrokenOff: new Refused({ status: 400, why: "its body broke off" }),
  NoRoom: new Overloaded()
}

const bodyOf = (request: HttpServerRequest.HttpServerRequest) => (room: Room) =>
  rawBody(request, maxBytes, room).pipe(
    Effect.mapError(({ reason }) => noBody[reason]),
    Effect.timeoutFail({
      duration: bodyTime,
      onTimeout: () => new Refused({ status: 408, why: `its body took longer than ${Duration.format(bodyTime)}` })
    })
  )

const answer = (status: number, error: string) => HttpServerResponse.unsafeJson({ error }, { status })

const refused = ({ status, why }: { readonly status: number; readonly why: string }) => {
  const response = answer(status, `The delivery was refused: ${why}`)
  // What is left of the body would be taken for the next request.
  return status === 408 ? HttpServerResponse.setHeader(response, "connection", "close") : response
}

/**
 * What may be taken when it is sent again. Plane takes any answer for a delivery, also a 500, and sends again only when the
 * connection breaks; Gitea never sends again, but shows the answer on its page, from where a person can.
 */
const notNow = (
  source: Source,
  request: HttpServerRequest.HttpServerRequest,
  response: HttpServerResponse.HttpServerResponse
) =>
  source === "plane"
    ? Effect.zipRight(
      Effect.sync(() => NodeHttpServerRequest.toIncomingMessage(request).socket.destroy()),
      // The server interrupts what answers a connection that is gone.
      Effect.never
    )
    : Effect.succeed(response)

const taken = HttpServerResponse.unsafeJson({ accepted: true }, { status: 202 })

/** `POST /webhooks/plane` and `/webhooks/gitea`. They ask for no token: the signature is what says who sends. */
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
          Effect.as(taken),
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
