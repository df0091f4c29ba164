import { Duration } from "effect"
import { MonotonicMillis } from "../base/Time.js"
import type { RateLimit } from "./PlaneConfig.js"

/** So many slots come free at the same millisecond. */
interface Expiry {
  readonly at: MonotonicMillis
  readonly count: number
}

/** A request that has one of the kept slots, by its number among all that were admitted. */
interface KeptUse {
  readonly admitted: number
  /** Infinite while it is in flight. */
  readonly until: MonotonicMillis
}

/**
 * What is known of one API token's use of Plane, as a plain value: every function here takes it and gives back an
 * answer or another window. Time goes on only by `advance`. It knows nothing of those who wait.
 */
export interface SlidingWindow {
  /** How many requests Plane takes in a window. */
  readonly limit: number
  /** Plane's window. */
  readonly length: Duration.Duration
  /**
   * The moment that this value is true for. It never goes back: should the clock do so all the same, `shift` is added
   * to it from then on.
   */
  readonly now: MonotonicMillis
  readonly shift: number
  /** Requests that were admitted and have not ended. */
  readonly inFlight: number
  /**
   * When the slots of answered requests, and of other users of the API token, come free: in order, one entry a
   * millisecond.
   */
  readonly expiries: ReadonlyArray<Expiry>
  /** The sum of their counts. */
  readonly expiring: number
  /** All requests that were ever admitted. */
  readonly admitted: number
  /** Until when a 429 stops everything. */
  readonly pausedUntil: MonotonicMillis
  /** How many of the slots are kept for those that go first. They have no others. */
  readonly kept: number
  readonly keptUse: ReadonlyArray<KeptUse>
  /** Only one request may be in flight, because nobody knows what else the API token has been used for. */
  readonly alone: boolean
}

/** What a request's answer is compared with: the window as it was when the request was admitted, itself included. */
export interface Admission {
  readonly used: number
  readonly admitted: number
}

/** How a request ended. */
export interface Ending {
  /** Of Plane's answer. None when there was no answer, as after the deadline or an interruption. */
  readonly status?: number | undefined
  /** `X-RateLimit-Remaining`. */
  readonly remaining?: number | undefined
  /** Counts with a 429 only: with another answer it is about that one request. */
  readonly retryAfter?: Duration.Duration | undefined
}

/**
 * When the slot of a request that ends now is free again. It is kept longer than Plane's window, because two clocks run
 * apart a little: by 250 ms of a minute, and never less than the few milliseconds that reading a clock and firing a
 * timer can differ.
 */
const expiryOf = ({ length, now }: SlidingWindow): MonotonicMillis => {
  const millis = Duration.toMillis(length)
  return MonotonicMillis(now + millis + Math.max(10, Math.ceil(millis / 240)))
}

/** The window at the start. What the API token was used for before is not known, so the first request goes alone. */
export const make = (limit: RateLimit, kept = 0): SlidingWindow => ({
  limit: limit.requests,
  length: limit.window,
  now: MonotonicMillis(0),
  shift: 0,
  inFlight: 0,
  expiries: [],
  expiring: 0,
  admitted: 0,
  pausedUntil: MonotonicMillis(0),
  kept,
  keptUse: [],
  alone: true
})

/** The window at a later moment, without the slots that have come free by then. */
export const advance = (window: SlidingWindow, clock: MonotonicMillis): SlidingWindow => {
  const shift = Math.max(window.shift, window.now - clock)
  const now = MonotonicMillis(clock + shift)
  let freed = 0
  let entries = 0
  for (const { at, count } of window.expiries) {
    if (at > now) break
    freed += count
    entries += 1
  }
  const expiries = entries === 0 ? window.expiries : window.expiries.slice(entries)
  const keptUse = window.keptUse.filter(({ until }) => until > now)
  return { ...window, now, shift, expiries, expiring: window.expiring - freed, keptUse }
}

/** Slots in use: of requests in flight, and of those that ended within the window, others' included. */
export const used = ({ expiring, inFlight }: SlidingWindow): number => inFlight + expiring

// Nearly every request may go at once, and makes no new Duration for that.
const between = (now: MonotonicMillis, then: MonotonicMillis): Duration.Duration =>
  then <= now ? Duration.zero : Duration.millis(then - now)

/** For how long a 429 still stops everything. */
export const pause = ({ now, pausedUntil }: SlidingWindow): Duration.Duration => between(now, pausedUntil)

/** Whose slots a request may have: those of all, or the kept ones. */
export type Share = "all" | "kept"

const isFree = (window: SlidingWindow, share: Share) => {
  const { kept, keptUse: { length }, limit } = window
  return used(window) < limit && (share === "kept" ? length < kept : used(window) - length < limit - kept)
}

/** When one more slot of a share can come free; undefined or infinite if only the end of a request can tell. */
const nextFree = ({ expiries, kept, keptUse }: SlidingWindow, share: Share): number | undefined =>
  share === "kept" && keptUse.length >= kept ? Math.min(...keptUse.map(({ until }) => until)) : expiries[0]?.at

/**
 * For how long the next request has to wait, as far as time alone decides it. Zero: it may go now. Infinite: only the
 * end of a request that is in flight can tell.
 */
export const wait = (window: SlidingWindow, share: Share = "all"): Duration.Duration => {
  if (window.alone && window.inFlight > 0) return Duration.infinity
  const freeAt = isFree(window, share) ? window.now : nextFree(window, share)
  return freeAt === undefined
    ? Duration.infinity
    : between(window.now, MonotonicMillis(Math.max(window.pausedUntil, freeAt)))
}

/** Takes a slot for a request. Only to be called when `wait` is zero. */
export const admit = (window: SlidingWindow, share: Share = "all"): readonly [SlidingWindow, Admission] => {
  const admitted = window.admitted + 1
  const use = share === "kept" ? [{ admitted, until: MonotonicMillis(Infinity) }] : []
  const after = { ...window, inFlight: window.inFlight + 1, admitted, keptUse: [...window.keptUse, ...use] }
  return [after, { used: used(after), admitted: after.admitted }]
}

/** Gives a slot back whose request was not sent. */
export const release = (window: SlidingWindow, { admitted }: Admission): SlidingWindow => ({
  ...window,
  inFlight: window.inFlight - 1,
  keptUse: window.keptUse.filter((use) => use.admitted !== admitted)
})

/** Plane does not count requests that it answers so. */
const uncounted = [401, 403, 429]

/**
 * Gives a slot back whose request has ended. It is free again a window and a margin later: Plane counts from the moment
 * a request arrives, and that is no later than its answer.
 */
export const end = (
  window: SlidingWindow,
  admission: Admission,
  { remaining, retryAfter, status }: Ending
): SlidingWindow => {
  const freed = release(window, admission)
  if (status === 429) {
    const pausedUntil = Math.max(freed.pausedUntil, freed.now + Duration.toMillis(retryAfter ?? freed.length))
    return { ...freed, alone: true, pausedUntil: MonotonicMillis(pausedUntil) }
  }
  if (status !== undefined && uncounted.includes(status)) return freed
  const isKept = window.keptUse.length > freed.keptUse.length
  const ended = { admitted: admission.admitted, until: expiryOf(freed) }
  const counted = { ...keep(freed, 1), keptUse: isKept ? [...freed.keptUse, ended] : freed.keptUse }
  if (status === undefined) return counted
  // A gateway's error says nothing about the window. An answer of a Plane that does not tell what remains must be
  // enough.
  if (remaining === undefined) return status < 500 ? { ...counted, alone: false } : counted
  // Plane counted when the request arrived: some that it saw then have come free here since, and some of those in
  // flight it had not seen yet. What no request of ours can explain was somebody else's.
  const ours = Math.max(admission.used + counted.admitted - admission.admitted, used(counted))
  const others = Math.min(counted.limit - remaining - ours, counted.limit - used(counted))
  return { ...(others > 0 ? keep(counted, others) : counted), alone: false }
}

/** The window with `count` slots more that come free a window and a margin from now. */
const keep = (window: SlidingWindow, count: number): SlidingWindow => {
  const at = expiryOf(window)
  const last = window.expiries.at(-1)
  const expiries = last?.at === at
    ? [...window.expiries.slice(0, -1), { at, count: last.count + count }]
    : [...window.expiries, { at, count }]
  return { ...window, expiries, expiring: window.expiring + count }
}
