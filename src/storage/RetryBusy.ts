import { Effect, Schedule } from "effect"
import type { StorageError } from "./StorageError.js"
import { isBusy } from "./StorageError.js"

// Our own transactions take milliseconds. Nobody waits longer than this for one of another process.
const schedule = Schedule.exponential("5 millis").pipe(
  Schedule.union(Schedule.spaced("50 millis")),
  Schedule.jittered,
  Schedule.upTo("5 seconds")
)

/** Tries again, for up to 5 seconds, while another transaction keeps the database locked. */
export const retryBusy = <A, R>(effect: Effect.Effect<A, StorageError, R>): Effect.Effect<A, StorageError, R> =>
  // Starting a schedule takes as long as a statement, so it is started only once it is needed.
  Effect.catchIf(effect, isBusy, () => Effect.delay(Effect.retry(effect, { schedule, while: isBusy }), "5 millis"))
