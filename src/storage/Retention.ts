import type { Duration, Scope } from "effect"
import { Effect, Schedule } from "effect"
import type { Setting } from "../base/Setting.js"
import { defineSetting, duration } from "../base/Setting.js"
import type { EpochMillis } from "../base/Time.js"
import { earlier, epochMillis } from "../base/Time.js"
import { Storage } from "./Storage.js"
import type { StorageError } from "./StorageError.js"

/** `ORCH_RETENTION`: how long what was delivered, and what is known of pull requests that are closed, is kept. */
export const retention: Setting<Duration.Duration> = defineSetting({
  name: "ORCH_RETENTION",
  about: "How long delivered events and closed pull requests are kept. Dead letters stay until they are discarded.",
  accepts: duration("1 minutes", "3650 days", "30 days"),
  default: "30 days"
})

/**
 * Deletes what is older than `kept`, every hour, until the scope closes. `prune` deletes one small batch of what is
 * older than a moment, and says whether there may be more.
 */
export const pruneHourly = (
  prune: (before: EpochMillis) => Effect.Effect<boolean, StorageError>,
  kept: Duration.Duration
): Effect.Effect<void, never, Scope.Scope | Storage> =>
  Effect.flatMap(Storage, ({ trouble }) =>
    epochMillis.pipe(
      Effect.flatMap((now) => trouble.retry(prune(earlier(now, kept)))),
      // Between two batches those who publish have their turn.
      Effect.repeat({ while: (more) => more, schedule: Schedule.spaced("50 millis") }),
      Effect.repeat(Schedule.spaced("1 hours")),
      Effect.forkScoped,
      Effect.asVoid
    ))
