import { Data, Effect, Stream } from "effect"

/** A body is larger than its limit. */
export class BodyTooLarge extends Data.TaggedError("BodyTooLarge") {}

/** How much of a body is read. */
export interface BodyLimits {
  /** The most bytes that are kept. */
  readonly limit: number
  /**
   * What happens to the rest of a body that is over the limit.
   *
   * `discard`: it is read and thrown away, because a client reads our answer only after it has sent its whole request.
   * `stop`: nothing more is read, because a server that answers us may never stop sending.
   */
  readonly overLimit: "discard" | "stop"
}

/**
 * The bytes of a body, never more than `limit` of them in memory. A stream that breaks off fails with its own error.
 */
export const boundedBody = <E>(
  body: Stream.Stream<Uint8Array, E>,
  { limit, overLimit }: BodyLimits
): Effect.Effect<Buffer, BodyTooLarge | E> =>
  Effect.suspend(() => {
    const kept: Array<Uint8Array> = []
    let size = 0
    const take = (chunk: Uint8Array): Effect.Effect<void, BodyTooLarge> => {
      size += chunk.byteLength
      if (size > limit) return overLimit === "stop" ? new BodyTooLarge() : Effect.void
      kept.push(chunk)
      return Effect.void
    }
    return Effect.flatMap(
      Stream.runForEach(body, take),
      (): Effect.Effect<Buffer, BodyTooLarge> =>
        size > limit ? new BodyTooLarge() : Effect.sync(() => Buffer.concat(kept))
    )
  })
