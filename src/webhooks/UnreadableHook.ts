import { Effect } from "effect"
import { cleanLine, reasonLimit, textLimit } from "../base/Text.js"
import { makeWarningThrottle } from "../base/WarningThrottle.js"
import type { StoredHook } from "./Inbox.js"

/** Says that a hook is skipped because it cannot be read, and why. Nothing else shows it. */
export const makeUnreadable = Effect.map(
  makeWarningThrottle,
  (warn) => ({ event, id, source }: StoredHook, why: string) =>
    warn(
      `Hook ${id} of ${source}, ${JSON.stringify(cleanLine(event, textLimit))}, cannot be read: ` +
        cleanLine(why, reasonLimit)
    )
)
