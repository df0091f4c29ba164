import type { Duration, Scope } from "effect"
import { Effect, Schedule } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { earlier, epochMillis } from "../base/Time.js"
import type { StorageError } from "./StorageError.js"
import { makeStorageTrouble } from "./StorageTrouble.js"

/**
 * Deletes what is older than `kept`, every hour, until the scope closes. `prune` deletes one small batch of what is
 * older than a moment, and says whether there may be more.
 */
export const pruneHourly = (
  prune: (before: EpochMillis) => Effect.Effect<boolean, StorageError>,
  kept: Duration.Duration
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(makeStorageTrouble, ({ retry }) =>
    epochMillis.pipe(
      Effect.flatMap((now) => retry(prune(earlier(now, kept)))),
      // Between two batches those who publish have their turn.
      Effect.repeat({ while: (more) => more, schedule: Schedule.spaced("50 millis") }),
      Effect.repeat(Schedule.spaced("1 hours")),
      Effect.forkScoped,
      Effect.asVoid
    ))
