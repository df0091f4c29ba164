import { Clock, Effect } from "effect"

/** The clock that no setting of the computer's clock moves, in milliseconds: to be compared with itself, in one process. */
export const monotonicMillis: Effect.Effect<number> = Effect.map(
  Clock.currentTimeNanos,
  (nanos) => Number(nanos / 1_000_000n)
)
