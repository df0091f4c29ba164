import type { ConfigError, Scope } from "effect"
import { Effect } from "effect"
import { pruneHourly } from "../storage/PruneHourly.js"
import type { Outbox } from "./Outbox.js"
import { retention } from "./Prune.js"

/** Deletes, every hour, what was delivered or discarded and was published longer ago than `ORCH_RETENTION`. */
export const keepRetention = (outbox: Outbox["Type"]): Effect.Effect<void, ConfigError.ConfigError, Scope.Scope> =>
  Effect.flatMap(retention, (kept) => pruneHourly(outbox.prune, kept))
