import { Context, Data, Deferred, Duration, Effect, Exit, FiberId, Layer } from "effect"
import type { MonotonicMillis } from "./Time.js"
import { monotonicMillis } from "./Time.js"

const mebibyte = 1024 * 1024

/** Up to so many bytes a body is small: room is kept for it. Nearly all events and hooks are. */
export const smallBody = 64 * 1024

/** There is no room in memory for a body beside those in flight. It may be sent again. */
export class NoRoom extends Data.TaggedError("NoRoom") {}

/** Who sends a body. */
export interface Sender {
  /** Its network address. Those whose address is not known count as one. */
  readonly address: string
  /** It has shown a right token, or what has the form of a signature. */
  readonly isSigned: boolean
}

/** The room of one body. */
export interface Place {
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
 * The room in memory that all bodies in flight share, those of the API and those of webhooks: 64 MiB. Room is taken for
 * bytes that have come and not for bytes that are announced, because anybody can announce much and send nothing.
 *
 * Who has shown nothing has a room of its own, so that it never takes any from those who sign. But a signature can be
 * made up, and is checked only when all of a body is there. Hence three more rules. A part of the room is for small
 * bodies, and a part for other addresses than the one that has most. When somebody waits for room, the slowest senders
 * lose theirs: who holds many bodies open cannot keep out those who send. And one body, the first of those that wait, may
 * be as large as bodies may be, so that some body always goes on.
 */
export class BodyRoom extends Context.Tag("plane-sync/BodyRoom")<BodyRoom, {
  /** Gives a body its place until its use has ended, in whatever way. */
  readonly withPlace: <A, E, R>(
    sender: Sender,
    use: (place: Place) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, R>
}>() {
  static readonly layer: Layer.Layer<BodyRoom> = Layer.sync(BodyRoom, () => make())
}

interface PoolLimits {
  /** Bytes of all bodies but the first of those that wait. */
  readonly shared: number
  /** How much of it only small bodies get. */
  readonly keptForSmall: number
  /** How much of it the bodies of one address get. */
  readonly ofOneAddress: number
  /** How long a body waits for room. */
  readonly longestWait: { readonly small: Duration.Duration; readonly large: Duration.Duration }
}

// With what the first one may take, which is 32 MiB of a signed body and 5 of others, all is 64 MiB. Plane gives up after
// 30 seconds, Gitea after five.
const signed: PoolLimits = {
  shared: 24 * mebibyte,
  keptForSmall: 8 * mebibyte,
  ofOneAddress: 18 * mebibyte,
  longestWait: { small: Duration.seconds(20), large: Duration.seconds(20) }
}
const unsigned: PoolLimits = {
  shared: 3 * mebibyte,
  keptForSmall: mebibyte,
  ofOneAddress: 2.5 * mebibyte,
  longestWait: { small: Duration.seconds(20), large: Duration.seconds(1) }
}

/** Who is slower than this loses its room to those who wait. At first there is no hurry. */
const slowest = { grace: 200, bytesPerMilli: 256 } as const

/** How often those who wait look for slow senders. */
const lookEvery = Duration.millis(100)

/** What is known of a body that has a place. */
class Held {
  size = 0
  isReading = true
  private waited = 0
  private since: MonotonicMillis | undefined

  constructor(readonly address: string, readonly lose: () => void) {}

  beginWaiting(now: MonotonicMillis) {
    this.since = now
  }

  endWaiting(now: MonotonicMillis) {
    this.waited = this.senderTime(now)
    this.since = undefined
  }

  senderTime(now: MonotonicMillis): number {
    return this.waited + (this.since === undefined ? 0 : now - this.since)
  }

  isSlow(now: MonotonicMillis): boolean {
    const time = this.senderTime(now)
    return this.isReading && time >= slowest.grace && this.size < time * slowest.bytesPerMilli
  }

  rate(now: MonotonicMillis): number {
    return this.size / this.senderTime(now)
  }
}

interface Waiter {
  readonly held: Held
  readonly bytes: number
  readonly grant: () => void
}

/** Who has room, and who gets it next. */
class Pool {
  private taken = 0
  private first: Held | undefined
  private readonly ofAddress = new Map<string, number>()
  private readonly all = new Set<Held>()
  private readonly waiters = new Set<Waiter>()

  constructor(readonly limits: PoolLimits) {}

  open(held: Held) {
    this.all.add(held)
  }

  /** Gives room if there is some. */
  take(held: Held, bytes: number): boolean {
    if (held !== this.first) {
      if (!this.fits(held, bytes)) return false
      this.count(held, bytes)
    }
    held.size += bytes
    return true
  }

  close(held: Held) {
    this.all.delete(held)
    if (held === this.first) this.first = undefined
    else this.count(held, -held.size)
    this.serve()
  }

  wait(waiter: Waiter) {
    this.waiters.add(waiter)
    this.serve()
  }

  endWait(waiter: Waiter) {
    this.waiters.delete(waiter)
  }

  /** For each who waits, the slowest sender loses its room: at first those of the address that has most. */
  makeRoom(now: MonotonicMillis) {
    const slow = Array.from(this.all)
      .filter((held) => held.isSlow(now))
      .sort((one, other) => this.countOf(other) - this.countOf(one) || one.rate(now) - other.rate(now))
    for (const { bytes, held } of this.waiters) {
      const isOverItsOwn = this.countOf(held) + bytes > this.limits.ofOneAddress
      const index = slow.findIndex(({ address }) => !isOverItsOwn || address === held.address)
      for (const loser of index === -1 ? [] : slow.splice(index, 1)) {
        loser.isReading = false
        loser.lose()
      }
    }
  }

  private countOf({ address }: Held): number {
    return this.ofAddress.get(address) ?? 0
  }

  private count(held: Held, bytes: number) {
    this.taken += bytes
    const count = this.countOf(held) + bytes
    if (count === 0) this.ofAddress.delete(held.address)
    else this.ofAddress.set(held.address, count)
  }

  private fits(held: Held, bytes: number): boolean {
    const { keptForSmall, ofOneAddress, shared } = this.limits
    const most = held.size + bytes <= smallBody ? shared : shared - keptForSmall
    return this.taken + bytes <= most && this.countOf(held) + bytes <= ofOneAddress
  }

  /** Those of the address that has least go first, in the order they came. */
  private serve() {
    const inOrder = Array.from(this.waiters).sort((one, other) => this.countOf(one.held) - this.countOf(other.held))
    for (const waiter of inOrder) {
      if (this.first === undefined) {
        this.count(waiter.held, -waiter.held.size)
        this.first = waiter.held
      }
      if (!this.take(waiter.held, waiter.bytes)) continue
      this.waiters.delete(waiter)
      waiter.grant()
    }
  }
}

const placeOf = (pool: Pool, held: Held, lost: Effect.Effect<never, NoRoom>): Place => {
  const makeRoom = Effect.map(monotonicMillis, (now) => pool.makeRoom(now))
  const looking = Effect.forever(Effect.zipRight(makeRoom, Effect.sleep(lookEvery)))
  const waiting = (bytes: number) =>
    Effect.suspend(() => {
      const granted = Deferred.unsafeMake<void>(FiberId.none)
      const waiter: Waiter = { held, bytes, grant: () => Deferred.unsafeDone(granted, Exit.void) }
      pool.wait(waiter)
      const { large, small } = pool.limits.longestWait
      return Effect.raceFirst(Deferred.await(granted), looking).pipe(
        Effect.timeoutFail({
          duration: held.size + bytes <= smallBody ? small : large,
          onTimeout: () => new NoRoom()
        }),
        Effect.ensuring(Effect.sync(() => pool.endWait(waiter)))
      )
    })
  return {
    take: (bytes) => Effect.suspend(() => pool.take(held, bytes) ? Effect.void : waiting(bytes)),
    receive: (pull) =>
      Effect.flatMap(monotonicMillis, (begun) => {
        held.beginWaiting(begun)
        return Effect.ensuring(pull, Effect.map(monotonicMillis, (now) => held.endWaiting(now)))
      }),
    senderTime: Effect.map(monotonicMillis, (now) => held.senderTime(now)),
    lost,
    isRead: Effect.sync(() => {
      held.isReading = false
    })
  }
}

const make = () => {
  const pools = { signed: new Pool(signed), unsigned: new Pool(unsigned) }
  return BodyRoom.of({
    withPlace: ({ address, isSigned }, use) =>
      Effect.suspend(() => {
        const pool = isSigned ? pools.signed : pools.unsigned
        const lost = Deferred.unsafeMake<never, NoRoom>(FiberId.none)
        const held = new Held(address, () => Deferred.unsafeDone(lost, Exit.fail(new NoRoom())))
        pool.open(held)
        return Effect.ensuring(
          use(placeOf(pool, held, Deferred.await(lost))),
          Effect.sync(() => pool.close(held))
        )
      })
  })
}
