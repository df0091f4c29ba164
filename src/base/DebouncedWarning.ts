import { Clock, Effect } from "effect"
import type { StoredHook } from "../webhooks/Inbox.js"
import { cleanLine, reasonLimit, textLimit } from "./Text.js"

/** Whoever sends what is not taken fills no disk with log lines. In milliseconds. */
const quietFor = 60_000

/** Logs warnings of one kind, at most one a minute, which then says how many there were meanwhile. */
export const makeDebouncedWarning: Effect.Effect<(line: string) => Effect.Effect<void>> = Effect.sync(() => {
  let saidAt = -Infinity
  let unsaid = 0
  return (line) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      // A clock that was put back keeps nobody silent.
      if (now >= saidAt && now - saidAt < quietFor) {
        unsaid += 1
        return Effect.void
      }
      const more = unsaid === 0 ? "" : ` (and ${unsaid} more since this was last said)`
      saidAt = now
      unsaid = 0
      return Effect.logWarning(`${line}${more}`)
    })
})

/** Says that a delivery is skipped because it cannot be read, and why: nothing else shows it. */
export const makeUnreadable = Effect.map(
  makeDebouncedWarning,
  (warn) => ({ event, id, source }: StoredHook, why: string) =>
    warn(
      `Delivery ${id} of ${source}, ${JSON.stringify(cleanLine(event, textLimit))}, cannot be read: ` +
        cleanLine(why, reasonLimit)
    )
)
