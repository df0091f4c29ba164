import type { MonotonicMillis } from "../src/base/Time.js"
import { CommentId, ItemId } from "../src/domain/Ids.js"
import { StateId } from "../src/domain/StageStates.js"
import { CanonicalKey } from "../src/domain/WorkItemKey.js"
import type { Job } from "../src/outbox/Job.js"
import type { Settlement } from "../src/outbox/Outcome.js"

/**
 * Settles a job as a healthy Plane would let it end, at the monotonic moment `now`: its work item is found, or its
 * delivery taken.
 */
export const settled = (job: Job, now: MonotonicMillis): Settlement => {
  if (job._tag === "Check" || job._tag === "Twins") throw new Error("nothing here is in doubt")
  if (job._tag === "Assign" || job._tag === "LookBack") throw new Error("nobody here is asked")
  if (job._tag === "Link") throw new Error("nothing here has links")
  return job._tag === "Look"
    ? {
      _tag: "Looked",
      job,
      outcome: {
        _tag: "Found",
        itemId: ItemId(`item-${job.lane.id}`),
        key: CanonicalKey(job.key),
        seen: { state: null, cancelled: false, completed: false, readAt: now, updatedAt: null }
      }
    }
    : {
      _tag: "Sent",
      job,
      outcome: {
        _tag: "Delivered",
        commentId: CommentId("comment"),
        seen: job.delivery.kind === "state"
          ? { state: StateId(job.delivery.body), cancelled: false, completed: false, readAt: now, updatedAt: null }
          : undefined
      }
    }
}
