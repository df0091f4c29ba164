import type { ConfigError, Scope } from "effect"
import { Clock, Duration, Effect, Schedule } from "effect"
import type { Outbox } from "../outbox/Outbox.js"
import { retention } from "../outbox/Pruning.js"

/** Deletes every hour, in small batches, what was delivered longer ago than `ORCH_RETENTION`. */
export const keepRetention = (
  outbox: Outbox["Type"]
): Effect.Effect<void, ConfigError.ConfigError, Scope.Scope> =>
  Effect.gen(function*() {
    const kept = Duration.toMillis(yield* retention)
    yield* Clock.currentTimeMillis.pipe(
      Effect.flatMap((now) => outbox.prune(now - kept)),
      // Between two batches those who publish have their turn.
      Effect.repeat({ while: (more) => more, schedule: Schedule.spaced("50 millis") }),
      // Storage that fails is the workers' trouble as well, and they say so.
      Effect.ignore,
      Effect.repeat(Schedule.spaced("1 hours")),
      Effect.forkScoped
    )
  })
