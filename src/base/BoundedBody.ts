import { Data, Effect, Stream } from "effect"

/** A body is larger than its limit. */
export class BodyTooLarge extends Data.TaggedError("BodyTooLarge") {}

/**
 * The bytes of a body, never more than `limit` of them in memory. Of a larger one nothing more is read, because a
 * server that answers us may never stop sending. A stream that breaks off fails with its own error.
 */
export const boundedBody = <E>(
  body: Stream.Stream<Uint8Array, E>,
  limit: number
): Effect.Effect<Buffer, BodyTooLarge | E> =>
  Effect.suspend(() => {
    const kept: Array<Uint8Array> = []
    let size = 0
    const take = (chunk: Uint8Array): Effect.Effect<void, BodyTooLarge> => {
      size += chunk.byteLength
      if (size > limit) return new BodyTooLarge()
      kept.push(chunk)
      return Effect.void
    }
    return Effect.map(Stream.runForEach(body, take), () => Buffer.concat(kept))
  })
