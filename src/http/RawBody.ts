import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import { Data, Effect } from "effect"

/** The body cannot be had: it is larger than the limit, the connection ended before it did, or there is no room for it. */
export class NoBody extends Data.TaggedError("NoBody")<{ readonly reason: "TooLarge" | "BrokenOff" | "NoRoom" }> {}

/**
 * The bytes of a request's body, at most `limit` of them, for each of which `room` is asked as it comes. What is over the
 * limit is read and thrown away: a client reads its answer only after it has sent all. Interrupted, or without room, the
 * connection stays open, so that the client can be told why.
 */
export const rawBody = (
  request: HttpServerRequest.HttpServerRequest,
  limit: number,
  room: (bytes: number) => boolean
): Effect.Effect<Buffer, NoBody> =>
  Effect.async((resume) => {
    const message = NodeHttpServerRequest.toIncomingMessage(request)
    const chunks: Array<Buffer> = []
    let size = 0
    const onData = (chunk: Buffer) => {
      size += chunk.length
      if (size > limit) return
      if (room(chunk.length)) chunks.push(chunk)
      else {
        forget()
        resume(new NoBody({ reason: "NoRoom" }))
      }
    }
    const forget = () => {
      message.off("data", onData).off("end", onEnd).off("close", onClose)
    }
    const onEnd = () => {
      forget()
      resume(size > limit ? new NoBody({ reason: "TooLarge" }) : Effect.succeed(Buffer.concat(chunks)))
    }
    const onClose = () => resume(new NoBody({ reason: "BrokenOff" }))
    // What an error says, the close after it says too.
    message.on("data", onData).on("end", onEnd).on("error", () => undefined).on("close", onClose)
    return Effect.sync(forget)
  })
