import type { Scope } from "effect"
import { Duration, Effect, Schedule } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis, later } from "../base/Time.js"
import type { StorageError } from "./StorageError.js"

/**
 * Deletes, every hour until the scope closes, what is older than `kept`. `prune` deletes one small batch of what is older
 * than the given moment, and says whether there is more.
 */
export const pruneHourly = (
  prune: (before: EpochMillis) => Effect.Effect<boolean, StorageError>,
  kept: Duration.Duration
): Effect.Effect<void, never, Scope.Scope> =>
  epochMillis.pipe(
    Effect.flatMap((now) => prune(later(now, -Duration.toMillis(kept)))),
    // The pause lets publishes commit between two batches.
    Effect.repeat({ while: (more) => more, schedule: Schedule.spaced("50 millis") }),
    // When storage fails, the workers meet the same failure and report it.
    Effect.ignore,
    Effect.repeat(Schedule.spaced("1 hours")),
    Effect.forkScoped,
    Effect.asVoid
  )
