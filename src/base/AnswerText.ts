import type { ResponseError } from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { Effect } from "effect"
import type { BodyTooLarge } from "./BoundedBody.js"
import { boundedBody } from "./BoundedBody.js"

/** How many bytes an answer has at most, as it announces. A client may unpack more than an encoded one announces. */
const announced = ({ headers }: HttpClientResponse.HttpClientResponse): number => {
  const length = headers["content-length"]
  const isCounted = length !== undefined && /^\d{1,15}$/.test(length) && headers["content-encoding"] === undefined
  return isCounted ? Number(length) : Infinity
}

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
    if (announced(response) <= limit) return response.text
    return boundedBody(response.stream, limit).pipe(
      Effect.map((bytes) => new TextDecoder().decode(bytes)),
      // In-memory clients fail in this way when an answer has no body.
      Effect.catchIf(
        (error) => error._tag === "ResponseError" && error.reason === "EmptyBody",
        () => Effect.succeed("")
      )
    )
  })
