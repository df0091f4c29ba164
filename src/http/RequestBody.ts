import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as NodeStream from "@effect/platform-node/NodeStream"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import { Effect, Option } from "effect"

/**
 * The bytes of a request's body. The request's own stream closes the connection when it is not read to its end; here
 * the sender is told why.
 */
export const bytesOf = (request: HttpServerRequest.HttpServerRequest) =>
  NodeStream.fromReadable<unknown>(() => NodeHttpServerRequest.toIncomingMessage(request), (error) => error, {
    closeOnDone: false
  })

/** Lets what was not read of a body flow past: a sender may read our answer only after it has sent all. */
export const passRest = (request: HttpServerRequest.HttpServerRequest): Effect.Effect<void> =>
  Effect.sync(() => NodeHttpServerRequest.toIncomingMessage(request).resume())

/** How long the rest of a body that is too large may take. */
const restTime = "10 seconds"

/**
 * Waits for the end of a body that flows past: a sender whose connection ends with the answer would not see it before.
 */
export const passed = (request: HttpServerRequest.HttpServerRequest): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const message = NodeHttpServerRequest.toIncomingMessage(request)
    const end = () => resume(Effect.void)
    if (message.readableEnded || message.destroyed) return end()
    message.once("end", end).once("close", end).resume()
    return Effect.sync(() => message.off("end", end).off("close", end))
  }).pipe(Effect.timeoutOption(restTime), Effect.asVoid)

/** The sender's network address; empty if it is not known. */
export const addressOf = ({ remoteAddress }: HttpServerRequest.HttpServerRequest): string =>
  Option.getOrElse(remoteAddress, () => "")
