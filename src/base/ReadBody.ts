import { Data, Duration, Effect, Option, Stream } from "effect"
import type { NoRoom, Place } from "./BodyRoom.js"

/** A body was not read to its end. */
export class Unread extends Data.TaggedError("Unread")<{ readonly reason: "BrokenOff" | "TooLarge" | "TooSlow" }> {}

/** The longest time that the bytes of a body may take, without its wait for room. Gitea gives up after five seconds. */
export const bodyTime = Duration.seconds(10)

export interface Reading {
  /** The bytes as they come. */
  readonly body: Stream.Stream<Uint8Array, unknown>
  /** The size that the sender announces, if it does. */
  readonly announced: number | undefined
  /** The most bytes that are taken. */
  readonly limit: number
  readonly place: Place
  /** Gets the bytes as they come. */
  readonly update?: (bytes: Uint8Array) => void
}

/** Reads a body that is bounded in size and time, as there is room for it. */
export const readBody = (
  { announced = 0, body, limit, place, update }: Reading
): Effect.Effect<ReadonlyArray<Uint8Array>, NoRoom | Unread> =>
  Effect.scoped(Effect.gen(function*() {
    const tooLarge = new Unread({ reason: "TooLarge" })
    if (announced > limit) return yield* tooLarge
    const pull = place.receive(Effect.catchAll(
      yield* Stream.toPull(body),
      Option.match({
        onNone: () => Effect.succeed(undefined),
        onSome: () => new Unread({ reason: "BrokenOff" })
      })
    ))
    const read: Array<Uint8Array> = []
    let size = 0
    const reading = Effect.gen(function*() {
      yield* place.enter
      for (;;) {
        const chunk = yield* pull
        if (chunk === undefined) return read
        for (const bytes of chunk) {
          size += bytes.byteLength
          if (size > limit) return yield* tooLarge
          yield* place.take(bytes.byteLength)
          update?.(bytes)
          read.push(bytes)
        }
      }
    })
    const whenTooSlow = Effect.gen(function*() {
      for (;;) {
        const left = Duration.toMillis(bodyTime) - (yield* place.senderTime)
        if (left <= 0) return yield* new Unread({ reason: "TooSlow" })
        yield* Effect.sleep(left)
      }
    })
    return yield* Effect.zipLeft(Effect.raceFirst(reading, Effect.raceFirst(whenTooSlow, place.lost)), place.isRead)
  }))
