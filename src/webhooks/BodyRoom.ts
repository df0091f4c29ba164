import { Effect } from "effect"
import { Overloaded } from "./Refused.js"

/** Bytes of all bodies together that are read or wait for their commit. Each is bounded, but their number is not. */
const maxInFlight = 64 * 1024 * 1024

/** The largest body that is read beside any others, in bytes. Of larger ones only one is in memory at a time. */
export const smallBody = 1024 * 1024

/** How long a large body waits for those before it. Plane gives up after 30 seconds, Gitea after five. */
const longestWait = "20 seconds"

/** Room in memory for one body. */
export interface BodyRoom {
  /** Reserves memory for so many more bytes. */
  readonly reserve: (bytes: number) => Effect.Effect<void, Overloaded>
  /** Waits until no other large body is in memory. After the first time it does not wait. */
  readonly takeTurn: Effect.Effect<void, Overloaded>
}

/** Gives room for a body until its use has ended, in whatever way. */
export type WithBodyRoom = <A, E, R>(use: (room: BodyRoom) => Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/**
 * Makes the room that all bodies share. Memory is reserved for bytes that have come and not for bytes that are
 * announced, because anybody can announce a large body and send nothing. Large ones take turns, so that they leave room
 * for small ones, however many of them come.
 */
export const makeBodyRoom: Effect.Effect<WithBodyRoom> = Effect.gen(function*() {
  const turn = yield* Effect.makeSemaphore(1)
  let inFlight = 0

  return (use) =>
    Effect.suspend(() => {
      let held = 0
      let hasTurn = false
      const wait = Effect.uninterruptibleMask((restore) =>
        Effect.map(restore(turn.take(1)), () => {
          hasTurn = true
        })
      )
      return Effect.ensuring(
        use({
          reserve: (bytes) =>
            Effect.suspend(() => {
              if (inFlight + bytes > maxInFlight) return new Overloaded()
              inFlight += bytes
              held += bytes
              return Effect.void
            }),
          takeTurn: Effect.suspend(() =>
            hasTurn
              ? Effect.void
              : Effect.timeoutFail(wait, { duration: longestWait, onTimeout: () => new Overloaded() })
          )
        }),
        Effect.suspend(() => {
          inFlight -= held
          return hasTurn ? turn.release(1) : Effect.void
        })
      )
    })
})
