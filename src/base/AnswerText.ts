import type { ResponseError } from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { Effect } from "effect"
import type { BodyTooLarge } from "./BoundedBody.js"
import { boundedBody } from "./BoundedBody.js"

const lengthOf = (header: string | undefined) =>
  header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : Infinity

/**
 * The whole text that a server answered, never more than `limit` bytes of it in memory. The platform's clients hang up
 * when the reading ends early.
 */
export const answerText = (
  response: HttpClientResponse.HttpClientResponse,
  limit: number
): Effect.Effect<string, BodyTooLarge | ResponseError> =>
  Effect.suspend(() => {
    // The client reads no more than the announced length, and reading it at once takes half the time.
    if (lengthOf(response.headers["content-length"]) <= limit) return response.text
    return boundedBody(response.stream, { limit, overLimit: "stop" }).pipe(
      Effect.map((bytes) => new TextDecoder().decode(bytes)),
      // In-memory clients fail in this way when an answer has no body.
      Effect.catchIf(
        (error) => error._tag === "ResponseError" && error.reason === "EmptyBody",
        () => Effect.succeed("")
      )
    )
  })
