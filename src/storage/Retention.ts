import type { ConfigError, Scope } from "effect"
import { Clock, Duration, Effect, Schedule } from "effect"
import type { Outbox } from "../outbox/Outbox.js"
import { retention } from "../outbox/Prune.js"
import type { StorageError } from "./StorageError.js"

/** Deletes every hour, in small batches, what is older than `kept`. `prune` deletes one, and says whether there is more. */
export const pruneHourly = (
  prune: (before: number) => Effect.Effect<boolean, StorageError>,
  kept: Duration.Duration
): Effect.Effect<void, never, Scope.Scope> =>
  Clock.currentTimeMillis.pipe(
    Effect.flatMap((now) => prune(now - Duration.toMillis(kept))),
    // Between two batches those who publish have their turn.
    Effect.repeat({ while: (more) => more, schedule: Schedule.spaced("50 millis") }),
    // Storage that fails is the workers' trouble as well, and they say so.
    Effect.ignore,
    Effect.repeat(Schedule.spaced("1 hours")),
    Effect.forkScoped,
    Effect.asVoid
  )

/** Deletes what was delivered longer ago than `ORCH_RETENTION`. */
export const keepRetention = (outbox: Outbox["Type"]): Effect.Effect<void, ConfigError.ConfigError, Scope.Scope> =>
  Effect.flatMap(retention, (kept) => pruneHourly(outbox.prune, kept))
