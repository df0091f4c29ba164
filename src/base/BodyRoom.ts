import { Context, Data, Deferred, Duration, Effect, Exit, FiberId, Layer } from "effect"
import type { Scope } from "effect"
import type { PoolLimits, Waiter } from "./BodyPool.js"
import { BodyPool, HeldBody, lookEvery } from "./BodyPool.js"
import { monotonicMillis } from "./Time.js"

/** There is no room in memory for a body beside those in flight. It may be sent again. */
export class NoRoom extends Data.TaggedError("NoRoom") {}

/** A body that is to be read. */
export interface Sent {
  /** The sender's network address. Those whose address is not known count as one. */
  readonly address: string
  /** The sender has shown a right token, or what has the form of a signature. */
  readonly isSigned: boolean
  /** The size that the sender announces, if it does. */
  readonly announced: number | undefined
}

/** The room of one body. */
export interface Place {
  /** Waits until its bytes may be read. */
  readonly enter: Effect.Effect<void, NoRoom>
  /** Takes room for so many more bytes, as soon as there is some. */
  readonly take: (bytes: number) => Effect.Effect<void, NoRoom>
  /** Waits for bytes of the sender. How long that takes says how slow it is. */
  readonly receive: <A, E>(pull: Effect.Effect<A, E>) => Effect.Effect<A, E>
  /** How long the sender was waited for, in milliseconds. */
  readonly senderTime: Effect.Effect<number>
  /** Fails when the room goes to others, because the sender is slow and they wait. */
  readonly lost: Effect.Effect<never, NoRoom>
  /** All of the body is read: its room is not lost any more. */
  readonly isRead: Effect.Effect<void>
}

/**
 * The room in memory that all bodies in flight share, those of the API and those of webhooks: 72 MiB. Room is taken for
 * bytes that have come and not for bytes that are announced, because anybody can announce much and send nothing.
 *
 * Who has shown nothing has a room of its own, of 8 MiB, so that it takes none from those who sign. But a signature can
 * be made up, and is checked only when all of a body is there. So a part of the room is for small bodies, a part for
 * other addresses than the one that has most, and few large ones are read at a time. When somebody waits, the slowest
 * senders lose their room: who holds many bodies open cannot keep out those who send. And one body, the first of those
 * that wait, may be as large as bodies may be, so that there is always one that goes on.
 */
export class BodyRoom extends Context.Tag("plane-sync/BodyRoom")<BodyRoom, {
  /** Gives a body its place until its use has ended, in whatever way. */
  readonly withPlace: <A, E, R>(sent: Sent, use: (place: Place) => Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}>() {
  static readonly layer: Layer.Layer<BodyRoom> = Layer.scoped(BodyRoom, Effect.suspend(() => make))
}

const mebibyte = 1024 * 1024

interface Limits extends PoolLimits {
  /** How long a body waits. */
  readonly longestWait: { readonly small: Duration.Duration; readonly large: Duration.Duration }
}

// With what the first one may take, which is 32 MiB where it is signed and 5 where not. Plane gives up after 30
// seconds, Gitea after five.
const limits: Readonly<Record<"signed" | "unsigned", Limits>> = {
  signed: {
    shared: 32 * mebibyte,
    keptForSmall: 8 * mebibyte,
    ofOneAddress: 26 * mebibyte,
    largeAtOnce: 16,
    longestWait: { small: Duration.seconds(20), large: Duration.seconds(20) }
  },
  unsigned: {
    shared: 3 * mebibyte,
    keptForSmall: mebibyte,
    ofOneAddress: 2.5 * mebibyte,
    largeAtOnce: 4,
    longestWait: { small: Duration.seconds(20), large: Duration.seconds(1) }
  }
}

type WithPlace = Context.Tag.Service<typeof BodyRoom>["withPlace"]

/** Makes the room of those who sign, or of the others. */
const makeRoom = ({ longestWait, ...rest }: Limits): Effect.Effect<WithPlace, never, Scope.Scope> =>
  Effect.gen(function*() {
    const pool = new BodyPool(rest)
    const somebodyWaits = yield* Effect.makeLatch()
    const look = Effect.gen(function*() {
      if (pool.isAwaited) pool.makeRoom()
      else yield* somebodyWaits.close
      yield* Effect.sleep(lookEvery)
    })
    yield* Effect.forkScoped(Effect.forever(Effect.zipRight(somebodyWaits.await, look)))

    const waiting = (held: HeldBody, bytes: number) =>
      Effect.suspend(() => {
        const granted = Deferred.unsafeMake<void>(FiberId.none)
        const waiter: Waiter = { held, bytes, grant: () => Deferred.unsafeDone(granted, Exit.void) }
        pool.wait(waiter)
        return Effect.zipRight(somebodyWaits.open, Deferred.await(granted)).pipe(
          Effect.timeoutFail({
            duration: held.isSmall ? longestWait.small : longestWait.large,
            onTimeout: () => new NoRoom()
          }),
          Effect.ensuring(Effect.sync(() => pool.endWait(waiter)))
        )
      })
    const placeOf = (held: HeldBody, lost: Effect.Effect<never, NoRoom>): Place => ({
      enter: Effect.suspend(() => pool.take(held, 0) ? Effect.void : waiting(held, 0)),
      take: (bytes) => Effect.suspend(() => pool.take(held, bytes) ? Effect.void : waiting(held, bytes)),
      receive: (pull) =>
        Effect.flatMap(monotonicMillis, (begun) => {
          held.beginWaiting(begun)
          return Effect.ensuring(pull, Effect.map(monotonicMillis, (now) => held.endWaiting(now)))
        }),
      senderTime: Effect.map(monotonicMillis, (now) => held.senderTime(now)),
      lost,
      isRead: Effect.sync(() => pool.endReading(held))
    })

    return ({ address, announced }, use) =>
      Effect.suspend(() => {
        const lost = Deferred.unsafeMake<never, NoRoom>(FiberId.none)
        const held = new HeldBody(address, announced, () => Deferred.unsafeDone(lost, Exit.fail(new NoRoom())))
        pool.open(held)
        return Effect.ensuring(use(placeOf(held, Deferred.await(lost))), Effect.sync(() => pool.close(held)))
      })
  })

const make = Effect.gen(function*() {
  const signed = yield* makeRoom(limits.signed)
  const unsigned = yield* makeRoom(limits.unsigned)
  return BodyRoom.of({ withPlace: (sent, use) => (sent.isSigned ? signed : unsigned)(sent, use) })
})
