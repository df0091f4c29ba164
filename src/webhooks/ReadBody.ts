import { Duration, Effect, Option, Stream } from "effect"
import { monotonicMillis } from "../base/Time.js"
import type { BodyRoom } from "./BodyRoom.js"
import { smallBody } from "./BodyRoom.js"
import type { Overloaded } from "./Refused.js"
import { Refused } from "./Refused.js"

const mebibyte = 1024 * 1024

/**
 * The largest body that is taken, in bytes. Plane takes descriptions of up to 5 MiB, which become 25 in JSON. Who does
 * not sign may send less, because nothing else tells a sender from anybody else.
 */
export const largest = { signed: 32 * mebibyte, unsigned: 5 * mebibyte } as const

/**
 * The longest time that the bytes of a body may take, without its wait for others. Gitea gives up after five seconds.
 */
const bodyTime = Duration.seconds(10)

/**
 * Who has the turn of the large bodies and is slower is told to try again, so that it does not hold up the others: one
 * that needs all of `bodyTime` is faster. At first there is no hurry.
 */
const slowest = { grace: Duration.toMillis("2 seconds"), bytesPerMilli: 64, lookEvery: "500 millis" } as const

const brokenOff = new Refused({ status: 400, why: "its body broke off" })
const tooSlow = new Refused({ status: 408, why: `its body took longer than ${Duration.format(bodyTime)}` })
const tooSlowly = new Refused({ status: 408, why: "its body comes too slowly for one of its size" })
const tooLarge = (limit: number) => new Refused({ status: 413, why: `its body is larger than ${limit} bytes` })

export interface Reading {
  /** The bytes as they come. */
  readonly body: Stream.Stream<Uint8Array, unknown>
  /** The size that the sender announces, if it does. */
  readonly announced: number | undefined
  readonly limit: number
  readonly room: BodyRoom
  /** Gets the bytes as they come. */
  readonly update: (bytes: Uint8Array) => void
}

/**
 * Reads a body that is bounded in size and time. A large one is read no further than its first bytes, or than what is
 * small, before it is its turn.
 */
export const readBody = (
  { announced = 0, body, limit, room, update }: Reading
): Effect.Effect<ReadonlyArray<Uint8Array>, Overloaded | Refused> =>
  Effect.scoped(Effect.gen(function*() {
    if (announced > limit) return yield* tooLarge(limit)
    const pull = Effect.catchAll(
      yield* Stream.toPull(body),
      Option.match({ onNone: () => Effect.succeed(undefined), onSome: () => brokenOff })
    )
    const read: Array<Uint8Array> = []
    let size = 0
    /** Reads to the end, or as long as it may go on. Says whether the end was reached. */
    const readWhile = (mayGoOn: () => boolean) =>
      Effect.gen(function*() {
        while (mayGoOn()) {
          const chunk = yield* pull
          if (chunk === undefined) return true
          for (const bytes of chunk) {
            size += bytes.byteLength
            if (size > limit) return yield* tooLarge(limit)
            yield* room.reserve(bytes.byteLength)
            update(bytes)
            read.push(bytes)
          }
        }
        return false
      })
    const within = <A, E>(duration: Duration.DurationInput, reading: Effect.Effect<A, E>) =>
      Effect.timeoutFail(reading, { duration, onTimeout: () => tooSlow })

    /** Fails when what comes from now on comes too slowly. */
    const whenTooSlow = Effect.gen(function*() {
      const [from, begun] = [size, yield* monotonicMillis]
      for (;;) {
        yield* Effect.sleep(slowest.lookEvery)
        const passed = (yield* monotonicMillis) - begun
        if (size - from < (passed - slowest.grace) * slowest.bytesPerMilli) return yield* tooSlowly
      }
    })

    const before = yield* monotonicMillis
    const isRead = yield* within(bodyTime, readWhile(() => size === 0 || Math.max(size, announced) <= smallBody))
    if (isRead) return read
    const taken = (yield* monotonicMillis) - before
    yield* room.takeTurn
    yield* within(Duration.subtract(bodyTime, taken), Effect.raceFirst(readWhile(() => true), whenTooSlow))
    return read
  }))
