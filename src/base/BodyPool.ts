import type { MonotonicMillis } from "./Time.js"

/** A body that announces so many bytes at most is small. Nearly all events and hooks are. */
const smallBody = 64 * 1024

export interface PoolLimits {
  /** Bytes of all bodies but the first of those that wait. */
  readonly shared: number
  /** How much of it only small bodies get. */
  readonly keptForSmall: number
  /** How much of it the bodies of one address get. */
  readonly ofOneAddress: number
  /** How many large bodies are read at the same time. The others wait before their first byte. */
  readonly largeAtOnce: number
}

/**
 * Who is slower than this is slow. Time is counted in looks: if this program itself was held up, each body gets its
 * turn before the next look, so nobody is blamed for it.
 */
const slowest = { grace: 200, bytesPerMilli: 256 } as const

/** How long a look at all bodies is after the one before, in milliseconds. */
export const lookEvery = 50

/** A body that is read or used, and what is known of its sender. */
export class HeldBody {
  /** Of the bytes that there is room for. */
  size = 0
  isReading = true
  /** How far it is behind one that is just fast enough, in milliseconds. */
  lag = 0
  readonly isSmall: boolean
  private sizeBefore = 0
  private waited = 0
  private since: MonotonicMillis | undefined

  constructor(readonly address: string, announced: number | undefined, readonly lose: () => void) {
    this.isSmall = announced !== undefined && announced <= smallBody
  }

  beginWaiting(now: MonotonicMillis) {
    this.since = now
  }

  endWaiting(now: MonotonicMillis) {
    this.waited = this.senderTime(now)
    this.since = undefined
  }

  /** How long the sender was waited for. */
  senderTime(now: MonotonicMillis): number {
    return this.waited + (this.since === undefined ? 0 : now - this.since)
  }

  look() {
    const came = (this.size - this.sizeBefore) / slowest.bytesPerMilli
    this.sizeBefore = this.size
    // It is not to blame while it waits itself.
    this.lag = Math.max(0, this.lag + (this.since === undefined ? 0 : lookEvery) - came)
  }

  get isSlow(): boolean {
    return this.isReading && this.lag >= slowest.grace
  }
}

/** A body that waits for room for so many bytes; 0: for being read at all. */
export interface Waiter {
  readonly held: HeldBody
  readonly bytes: number
  readonly grant: () => void
}

/** Who has room, who gets it next and who loses it: the rules of `BodyRoom`. */
export class BodyPool {
  private taken = 0
  private first: HeldBody | undefined
  private readonly ofAddress = new Map<string, number>()
  private readonly all = new Set<HeldBody>()
  private readonly large = new Set<HeldBody>()
  private readonly waiters = new Set<Waiter>()

  constructor(private readonly limits: PoolLimits) {}

  get isAwaited(): boolean {
    return this.waiters.size > 0
  }

  open(held: HeldBody) {
    this.all.add(held)
  }

  /** Gives room if there is some. */
  take(held: HeldBody, bytes: number): boolean {
    if (!held.isSmall && !this.large.has(held)) {
      if (this.large.size >= this.limits.largeAtOnce) return false
      this.large.add(held)
    }
    if (held !== this.first) {
      if (!this.fits(held, bytes)) return false
      this.count(held, bytes)
    }
    held.size += bytes
    return true
  }

  endReading(held: HeldBody) {
    held.isReading = false
    if (this.large.delete(held)) this.serve()
  }

  close(held: HeldBody) {
    this.all.delete(held)
    this.large.delete(held)
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

  /**
   * For each who waits, the slowest sender loses its room: at first those of the address that has most. It is called
   * again and again while somebody waits.
   */
  makeRoom() {
    for (const held of this.all) held.look()
    const slow = Array.from(this.all)
      .filter(({ isSlow }) => isSlow)
      .sort((one, other) => this.countOf(other) - this.countOf(one) || other.lag - one.lag)
    for (const { bytes, held } of this.waiters) {
      if (slow.length === 0) return
      const isOverItsOwn = this.countOf(held) + bytes > this.limits.ofOneAddress
      const index = slow.findIndex((one) => bytes === 0 ? !one.isSmall : !isOverItsOwn || one.address === held.address)
      for (const loser of index === -1 ? [] : slow.splice(index, 1)) {
        loser.isReading = false
        loser.lose()
      }
    }
  }

  private countOf({ address }: HeldBody): number {
    return this.ofAddress.get(address) ?? 0
  }

  private count(held: HeldBody, bytes: number) {
    this.taken += bytes
    const count = this.countOf(held) + bytes
    if (count === 0) this.ofAddress.delete(held.address)
    else this.ofAddress.set(held.address, count)
  }

  private fits(held: HeldBody, bytes: number): boolean {
    const { keptForSmall, ofOneAddress, shared } = this.limits
    const most = held.isSmall ? shared : shared - keptForSmall
    return bytes === 0 || (this.taken + bytes <= most && this.countOf(held) + bytes <= ofOneAddress)
  }

  /** Those of the address that has least go first, in the order they came. */
  private serve() {
    const inOrder = Array.from(this.waiters).sort((one, other) => this.countOf(one.held) - this.countOf(other.held))
    for (const waiter of inOrder) {
      if (this.first === undefined && waiter.bytes > 0) {
        this.count(waiter.held, -waiter.held.size)
        this.first = waiter.held
      }
      if (!this.take(waiter.held, waiter.bytes)) continue
      this.waiters.delete(waiter)
      waiter.grant()
    }
  }
}
