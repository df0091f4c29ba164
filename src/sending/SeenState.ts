import { Duration, Effect, Option } from "effect"
import type { MonotonicMillis } from "../base/Time.js"
import { monotonicMillis } from "../base/Time.js"
import type { SeenState } from "../outbox/Outcome.js"
import type { WorkItem } from "../plane/WorkItem.js"

const freshFor = Duration.toMillis("30 seconds")

/** Whether what this process read at `readAt` is still relied on: for 30 s. */
export const isFresh = (readAt: MonotonicMillis): Effect.Effect<boolean> =>
  Effect.map(monotonicMillis, (now) => now - readAt < freshFor)

/** What a work item tells of its state, as the lane keeps it. */
export const seenAs = ({ stateGroup, stateId, updatedAt }: WorkItem, readAt: MonotonicMillis): SeenState => ({
  state: Option.getOrNull(stateId),
  cancelled: Option.contains(stateGroup, "cancelled"),
  completed: Option.contains(stateGroup, "completed"),
  readAt,
  updatedAt
})
