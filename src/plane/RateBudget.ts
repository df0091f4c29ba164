import { Context, DateTime, Deferred, Duration, Effect, FiberRef, Layer, Option } from "effect"
import type { ConfigError } from "effect"
import { monotonicMillis } from "../base/Time.js"
import type { RateLimit } from "./PlaneConfig.js"
import { sendingSettings } from "./PlaneConfig.js"

/** Leave to send one request. It must be handed back by one of its two; whatever comes second does nothing. */
export interface Slot {
  /**
   * The request is over: with Plane's answer, or (no status) without one, as after the deadline or an interruption. The
   * slot is free again a window and a margin later, for Plane counts from the moment a request *arrives*, and that is no
   * later than its answer. 401, 403 and 429 free it at once: Plane does not count them.
   */
  readonly answered: (answer: {
    readonly status?: number | undefined
    /** `X-RateLimit-Remaining`. */
    readonly remaining?: number | undefined
    /** Of a 429: another answer's is about its own request. */
    readonly retryAfterMillis?: number | undefined
  }) => Effect.Effect<void>
  /** Nothing was sent. */
  readonly release: Effect.Effect<void>
}

/** What is in use of a budget, for people. */
export interface RateStatus {
  readonly limit: number
  /** In flight or answered within the window, those of others included as far as Plane's answers tell. */
  readonly used: number
  readonly waiting: number
  /** Until when a Retry-After stops everything. */
  readonly pausedUntil: Option.Option<DateTime.Utc>
}

interface Reserved {
  readonly slot: Slot
  taken: boolean
}

const reserved = FiberRef.unsafeMake(Option.none<Reserved>())

/**
 * How much longer than Plane's window a slot is kept, for the two clocks run apart a little: 250 ms of a minute, and never
 * less than the few that clocks are read and timers fire apart. In milliseconds.
 */
const marginOf = (window: number) => Math.max(10, Math.ceil(window / 240))

/**
 * Plane's rate limit, kept on this side: nothing is sent that would be answered 429, as long as nobody else uses the key.
 * What others use shows in `X-RateLimit-Remaining`, which only ever makes the budget smaller. After a start, and after a
 * 429, one request goes alone, and what its answer shows as used counts as used now.
 */
export class RateBudget extends Context.Tag("plane-sync/RateBudget")<RateBudget, {
  /**
   * Waits for its turn, first come first served. The waiting can be interrupted, even where the caller cannot, so a slot
   * is best taken in an uninterruptible region, and cannot be lost there. Within `spend`, the slot that was brought.
   */
  readonly admit: Effect.Effect<Slot>
  /** A slot at once or none; never before those who wait. */
  readonly tryAdmit: Effect.Effect<Option.Option<Slot>>
  /** The first request within `effect` uses this slot; when none was sent, the slot is released. */
  readonly spend: <A, E, R>(slot: Slot, effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  readonly status: Effect.Effect<RateStatus>
}>() {
  /** By `ORCH_PLANE_RATE_LIMIT`. */
  static readonly layer: Layer.Layer<RateBudget, ConfigError.ConfigError> = Layer.effect(
    RateBudget,
    Effect.flatMap(sendingSettings.rateLimit, (limit) => make(limit))
  )

  static readonly layerLimit = (limit: RateLimit): Layer.Layer<RateBudget> => Layer.effect(RateBudget, make(limit))
}

/** So many slots come free at the same millisecond. */
interface Expiry {
  readonly at: number
  count: number
  next: Expiry | undefined
}

interface Waiter {
  signal: Deferred.Deferred<void>
}

const make = (limit: RateLimit) =>
  Effect.sync(() => {
    const window = Duration.toMillis(limit.window)
    const kept = window + marginOf(window)

    let inFlight = 0
    // Slots of answered requests, and of others': a list in order of time, one entry a millisecond.
    let expiring = 0
    let first: Expiry | undefined
    let last: Expiry | undefined
    let admitted = 0
    let pausedUntil = 0
    let alone = true
    // In order of arrival. Each waits for its own signal: to be the first, or that something has changed.
    const waiters = new Set<Waiter>()

    // The monotonic clock, so that setting the computer's clock moves nothing. Should it go back all the same, our time
    // goes on from where it was.
    let shift = 0
    let latest = 0
    const now = Effect.map(monotonicMillis, (time) => {
      if (time + shift < latest) shift = latest - time
      latest = time + shift
      while (first !== undefined && first.at <= latest) {
        expiring -= first.count
        first = first.next
      }
      if (first === undefined) last = undefined
      return latest
    })

    const expireLater = (time: number, count: number) => {
      const at = time + kept
      expiring += count
      if (last !== undefined && last.at === at) {
        last.count += count
      } else {
        const entry: Expiry = { at, count, next: undefined }
        if (last === undefined) first = entry
        else last.next = entry
        last = entry
      }
    }

    const used = () => inFlight + expiring

    /** When, as far as time alone decides it, the next may go; Infinity while only an answer can tell. */
    const opensAt = (time: number): number => {
      if (alone && inFlight > 0) return Infinity
      const room = used() < limit.requests ? time : first?.at ?? Infinity
      return Math.max(pausedUntil, room)
    }

    const wakeFirst = Effect.suspend(() => {
      for (const waiter of waiters) return Deferred.succeed(waiter.signal, undefined)
      return Effect.void
    })

    const reserve = (): Slot => {
      inFlight += 1
      admitted += 1
      const usedThen = used()
      const admittedThen = admitted
      let open = true
      const close = (after: (time: number) => void) =>
        Effect.flatMap(now, (time) => {
          if (!open) return Effect.void
          open = false
          inFlight -= 1
          after(time)
          return wakeFirst
        })
      return {
        release: close(() => undefined),
        answered: ({ remaining, retryAfterMillis, status }) =>
          close((time) => {
            if (status === 429) {
              alone = true
              pausedUntil = Math.max(pausedUntil, time + (retryAfterMillis ?? window))
            }
            if (status === 401 || status === 403 || status === 429) return
            expireLater(time, 1)
            if (status === undefined) return
            if (remaining === undefined) {
              // A gateway's error says nothing about the window; an answer of a Plane that does not tell must be enough.
              if (status < 500) alone = false
              return
            }
            alone = false
            // Plane counted when the request arrived: some that it saw have been freed here since, and some in flight
            // it had not seen yet. What no request of ours can explain was somebody else's.
            const ours = Math.max(usedThen + admitted - admittedThen, used())
            const others = Math.min(limit.requests - remaining - ours, limit.requests - used())
            if (others > 0) expireLater(time, others)
          })
      }
    }

    const isFirst = (waiter: Waiter) => {
      for (const other of waiters) return other === waiter
      return false
    }

    const turn = Effect.fnUntraced(function*(waiter: Waiter) {
      for (;;) {
        const time = yield* now
        // Made before looking, so that no change after the look goes unheard.
        waiter.signal = yield* Deferred.make<void>()
        const opens = isFirst(waiter) ? opensAt(time) : Infinity
        if (opens <= time) {
          waiters.delete(waiter)
          const slot = reserve()
          yield* wakeFirst
          return slot
        }
        const changed = Deferred.await(waiter.signal)
        yield* Effect.interruptible(
          opens === Infinity ? changed : Effect.raceFirst(changed, Effect.sleep(Duration.millis(opens - time)))
        )
      }
    })

    const queue = Effect.flatMap(Deferred.make<void>(), (signal) => {
      const waiter: Waiter = { signal }
      waiters.add(waiter)
      return Effect.onError(turn(waiter), () => {
        waiters.delete(waiter)
        return wakeFirst
      })
    })

    const atOnce = Effect.map(now, (time) =>
      waiters.size === 0 && opensAt(time) <= time ? Option.some(reserve()) : Option.none())

    const brought = Effect.flatMap(
      FiberRef.get(reserved),
      Effect.transposeMapOption((mine) =>
        Effect.suspend(() => {
          if (mine.taken) {
            return Effect.succeedNone
          }
          mine.taken = true
          // Plane may have told all to wait since: then it queues like any other.
          return Effect.flatMap(
            now,
            (time) =>
              pausedUntil <= time ? Effect.succeedSome(mine.slot) : Effect.as(mine.slot.release, Option.none<Slot>())
          )
        })
      )
    ).pipe(Effect.map(Option.flatten))

    const orElse = <A>(effect: Effect.Effect<Option.Option<A>>, other: Effect.Effect<A>) =>
      Effect.flatMap(
        effect,
        Option.match({
          onNone: () =>
            other,
          onSome: Effect.succeed
        })
      )

    return RateBudget.of({
      admit: Effect.uninterruptible(orElse(brought, orElse(atOnce, queue))),
      tryAdmit: Effect.uninterruptible(atOnce),
      spend: (slot, effect) =>
        Effect.uninterruptibleMask((restore) => {
          const mine: Reserved = { slot, taken: false }
          return restore(effect).pipe(
            Effect.locally(reserved, Option.some(mine)),
            Effect.ensuring(Effect.suspend(() => {
              if (mine.taken) return Effect.void
              mine.taken = true
              return slot.release
            }))
          )
        }),
      status: Effect.gen(function*() {
        const time = yield* now
        const clock = yield* DateTime.now
        return {
          limit: limit.requests,
          used: used(),
          waiting: waiters.size,
          pausedUntil: pausedUntil > time
            ? Option.some(DateTime.add(clock, { millis: pausedUntil - time }))
            : Option.none()
        }
      })
    })
  })
