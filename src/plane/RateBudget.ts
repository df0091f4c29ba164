import { Context, DateTime, Deferred, Duration, Effect, Layer, Option } from "effect"
import type { ConfigError } from "effect"
import { makeSignal } from "../base/Signal.js"
import { monotonicMillis } from "../base/Time.js"
import type { RateLimit } from "./PlaneConfig.js"
import { sendingSettings } from "./PlaneConfig.js"
import * as SlidingWindow from "./SlidingWindow.js"

/** The right to send one request. It has one owner, who does one of these three: whatever comes second does nothing. */
export interface Slot {
  /** The request is over, with Plane's answer or (no status) without one. */
  readonly answered: (ending: SlidingWindow.Ending) => Effect.Effect<void>
  /** Nothing was sent. */
  readonly release: Effect.Effect<void>
  /**
   * Gives it to a new owner: from then on only the slot that is returned counts. None if it has been ended or handed
   * over, or if Plane has told all to wait meanwhile: then it is released, and its owner has to queue like all others.
   */
  readonly handOver: Effect.Effect<Option.Option<Slot>>
}

/** What is in use of a budget, for people. */
export interface RateStatus {
  readonly limit: number
  /** In flight or answered within the window, those of others included as far as Plane's answers tell. */
  readonly used: number
  readonly waiting: number
  /** Until when a Retry-After stops everything. */
  readonly pausedUntil: Option.Option<DateTime.Utc>
  /** When the next slot comes free. None while one is, or while only the end of a request can tell. */
  readonly nextFreeAt: Option.Option<DateTime.Utc>
}

/**
 * Plane's rate limit, kept on this side: nothing is sent that would be answered 429, as long as nobody else uses the
 * API token. What others use shows in `X-RateLimit-Remaining`, which only ever makes the budget smaller. After a start,
 * and after a 429, one request goes alone, and what its answer shows as used counts as used now.
 *
 * The rules are `SlidingWindow`'s. Here are the clock, the queue, and who is woken when.
 */
export class RateBudget extends Context.Tag("plane-sync/RateBudget")<RateBudget, {
  /**
   * Waits for a turn, first come first served. A slot that the caller brings, and that is still good, is taken over
   * without waiting. The waiting can be interrupted, even where the caller cannot: so a slot is best taken in an
   * uninterruptible region, because it cannot be lost there.
   */
  readonly admit: (brought?: Slot) => Effect.Effect<Slot>
  /**
   * Runs `use` with a slot that is had before all others that wait: for the one look that a launch waits for. A slot
   * that `use` has neither ended nor handed over is released afterwards.
   */
  readonly withFirstSlot: <A, E, R>(use: (slot: Slot) => Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /**
   * From now on as at the start: one request goes alone, and its answer tells what was used. For when another process
   * may have used the token.
   */
  readonly startAlone: Effect.Effect<void>
  /**
   * Waits for one of the slots that are kept for those that go first. Others do not have them, so it does not wait for
   * them; and there are no more of them, so they do not take everything.
   */
  readonly admitKept: Effect.Effect<Slot>
  /** The same at once or none. */
  readonly tryAdmitKept: Effect.Effect<Option.Option<Slot>>
  /** Waits until somebody waits for a slot. */
  readonly contended: Effect.Effect<void>
  /** A slot at once or none; never before those who wait. */
  readonly tryAdmit: Effect.Effect<Option.Option<Slot>>
  /** Runs `use` with what `admit` gives. A slot that `use` has neither ended nor handed over is released afterwards. */
  readonly withSlot: <A, E, R>(
    brought: Slot | undefined,
    use: (slot: Slot) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, R>
  readonly status: Effect.Effect<RateStatus>
}>() {
  /** By `ORCH_PLANE_RATE_LIMIT`. */
  static readonly layer: Layer.Layer<RateBudget, ConfigError.ConfigError> = Layer.effect(
    RateBudget,
    Effect.flatMap(sendingSettings.rateLimit, (limit) => makeRateBudget(limit))
  )
}

interface Waiter {
  signal: Deferred.Deferred<void>
}

/** A budget of so many requests in a window, of which some are kept for those that go first. */
export const makeRateBudget = (limit: RateLimit, kept = 0): Effect.Effect<RateBudget["Type"]> =>
  Effect.map(makeSignal, (contention) => {
    let window = SlidingWindow.make(limit, kept)
    // In order of arrival; those that go first, and the others. Each waits for its own signal: that it is the first
    // now, or that something has changed.
    const ahead = new Set<Waiter>()
    const waiters = new Set<Waiter>()
    // Those that wait for a kept slot.
    const apart = new Set<Waiter>()

    const firstWaiter = (share: SlidingWindow.Share = "all") => {
      for (const queue of share === "kept" ? [apart] : [ahead, waiters]) {
        for (const waiter of queue) return waiter
      }
      return undefined
    }

    const wake = (waiter: Waiter | undefined) =>
      waiter === undefined ? Effect.void : Deferred.succeed(waiter.signal, undefined)

    const wakeFirst = Effect.suspend(() => Effect.zipRight(wake(firstWaiter("kept")), wake(firstWaiter())))

    /** The window as it is now. */
    const look = Effect.map(monotonicMillis, (time) => {
      window = SlidingWindow.advance(window, time)
      return window
    })

    const slotOf = (admission: SlidingWindow.Admission): Slot => {
      let isOwned = true
      const end = (ending: (now: SlidingWindow.SlidingWindow) => SlidingWindow.SlidingWindow) =>
        Effect.flatMap(look, (now) => {
          if (!isOwned) return Effect.void
          isOwned = false
          window = ending(now)
          return wakeFirst
        })
      const release = end((now) => SlidingWindow.release(now, admission))
      return {
        release,
        answered: (ending) => end((now) => SlidingWindow.end(now, admission, ending)),
        handOver: Effect.flatMap(look, (now) => {
          if (!isOwned) return Effect.succeedNone
          if (!Duration.isZero(SlidingWindow.pause(now))) return Effect.as(release, Option.none())
          isOwned = false
          return Effect.succeedSome(slotOf(admission))
        })
      }
    }

    const startAlone = Effect.sync(() => {
      window = { ...window, alone: true }
    })

    const reserve = (now: SlidingWindow.SlidingWindow, share: SlidingWindow.Share): Slot => {
      const [after, admission] = SlidingWindow.admit(now, share)
      window = after
      return slotOf(admission)
    }

    const turn = Effect.fnUntraced(function*(queue: Set<Waiter>, waiter: Waiter, share: SlidingWindow.Share) {
      for (;;) {
        // Made before looking, so that no change after the look goes unheard.
        waiter.signal = yield* Deferred.make<void>()
        const now = yield* look
        const wait = firstWaiter(share) === waiter ? SlidingWindow.wait(now, share) : Duration.infinity
        if (Duration.isZero(wait)) {
          queue.delete(waiter)
          const slot = reserve(now, share)
          yield* wakeFirst
          return slot
        }
        const changed = Deferred.await(waiter.signal)
        yield* Effect.interruptible(
          Duration.isFinite(wait) ? Effect.raceFirst(changed, Effect.sleep(wait)) : changed
        )
      }
    })

    const waitIn = (queue: Set<Waiter>, share: SlidingWindow.Share = "all") =>
      Effect.flatMap(Deferred.make<void>(), (signal) => {
        const waiter: Waiter = { signal }
        queue.add(waiter)
        return Effect.zipRight(contention.notify, turn(queue, waiter, share)).pipe(Effect.onError(() => {
          queue.delete(waiter)
          return wakeFirst
        }))
      })

    const atOnceOf = (share: SlidingWindow.Share) =>
      Effect.map(
        look,
        (now) =>
          firstWaiter(share) === undefined && Duration.isZero(SlidingWindow.wait(now, share))
            ? Option.some(reserve(now, share))
            : Option.none()
      )
    const atOnce = atOnceOf("all")

    const contended = Effect.gen(function*() {
      for (;;) {
        const mark = yield* contention.mark
        if (firstWaiter() !== undefined) return
        yield* contention.since(mark)
      }
    })

    const orElse = <A>(effect: Effect.Effect<Option.Option<A>>, other: Effect.Effect<A>) =>
      Effect.flatMap(effect, Option.match({ onNone: () => other, onSome: Effect.succeed }))

    const own = Effect.uninterruptible(orElse(atOnce, waitIn(waiters)))
    const atOnceKept = Effect.uninterruptible(atOnceOf("kept"))

    const admit = (brought?: Slot) =>
      brought === undefined ? own : Effect.uninterruptible(orElse(brought.handOver, own))

    const released = <A, E, R>(slot: Effect.Effect<Slot>, use: (slot: Slot) => Effect.Effect<A, E, R>) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(slot, (slot) => Effect.ensuring(restore(use(slot)), slot.release))
      )

    return RateBudget.of({
      admit,
      admitKept: Effect.uninterruptible(orElse(atOnceKept, waitIn(apart, "kept"))),
      tryAdmitKept: atOnceKept,
      contended,
      startAlone,
      tryAdmit: Effect.uninterruptible(atOnce),
      withSlot: (brought, use) => released(admit(brought), use),
      withFirstSlot: (use) => released(orElse(atOnce, waitIn(ahead)), use),
      status: Effect.zipWith(look, DateTime.now, (now, clock) => {
        const pause = SlidingWindow.pause(now)
        const wait = SlidingWindow.wait(now)
        const after = (time: Duration.Duration) =>
          Duration.isZero(time) || !Duration.isFinite(time)
            ? Option.none()
            : Option.some(DateTime.addDuration(clock, time))
        return {
          limit: limit.requests,
          used: SlidingWindow.used(now),
          waiting: ahead.size + waiters.size,
          pausedUntil: after(pause),
          nextFreeAt: after(wait)
        }
      })
    })
  })
