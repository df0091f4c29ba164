import { Effect } from "effect"
import { EpochMillis, epochMillis } from "./Time.js"

// Clients whose requests are refused must not fill the disk with log lines.
const quietMillis = 60_000

/** Logs warnings of one kind, at most one a minute. The next line says how many were left out since. */
export const makeWarningThrottle: Effect.Effect<(line: string) => Effect.Effect<void>> = Effect.sync(() => {
  let saidAt = EpochMillis(-Infinity)
  let unsaid = 0
  return (line) =>
    Effect.flatMap(epochMillis, (now) => {
      // After the clock was set back the next line is logged.
      if (now >= saidAt && now - saidAt < quietMillis) {
        unsaid += 1
        return Effect.void
      }
      const more = unsaid === 0 ? "" : ` (and ${unsaid} more since this was last said)`
      saidAt = now
      unsaid = 0
      return Effect.logWarning(`${line}${more}`)
    })
})
