import type { ResponseError } from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { Data, Effect, Stream } from "effect"

/** An answer went on beyond the limit. */
export class AnswerTooLarge extends Data.TaggedError("AnswerTooLarge") {}

const lengthOf = (header: string | undefined) =>
  header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : Infinity

/**
 * The whole body as text; platform's clients hang up when whoever reads it gives up. It is never buffered beyond `limit`
 * bytes, whatever it keeps sending.
 */
export const answerText = (
  response: HttpClientResponse.HttpClientResponse,
  limit: number
): Effect.Effect<string, AnswerTooLarge | ResponseError> =>
  Effect.suspend(() => {
    // No more is read than what an answer says is its length, and this takes half the time.
    if (lengthOf(response.headers["content-length"]) <= limit) return response.text
    const decoder = new TextDecoder()
    let size = 0
    return response.stream.pipe(
      Stream.mapEffect((bytes) => {
        size += bytes.byteLength
        return size > limit ? new AnswerTooLarge() : Effect.succeed(decoder.decode(bytes, { stream: true }))
      }),
      Stream.runFold("", (text, part) => text + part),
      Effect.map((text) => text + decoder.decode()),
      // An answer without a body, as the in-memory clients have it.
      Effect.catchIf(
        (error) => error._tag === "ResponseError" && error.reason === "EmptyBody",
        () => Effect.succeed("")
      )
    )
  })
