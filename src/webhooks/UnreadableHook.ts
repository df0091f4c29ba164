import { Effect } from "effect"
import type { StoredHook } from "./Inbox.js"
import { SkippedHooks } from "./SkippedHooks.js"

/** Counts a hook that is skipped because it cannot be read, and says why of the first of its type. */
export const makeUnreadable = Effect.map(
  SkippedHooks,
  ({ note }) => ({ event, source }: Pick<StoredHook, "event" | "source">, why: string) =>
    note({ source, kind: `unreadable: ${event}`, why: `it cannot be read: ${why}`, isUnreadable: true })
)
