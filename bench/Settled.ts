import type { Job, Settlement } from "../src/outbox/Lane.js"

/** A job done as a healthy Plane does it, looked at at `now` (monotonic): its work item found, or its delivery taken. */
export const settled = (job: Job, now: number): Settlement =>
  job._tag === "Look"
    ? {
      _tag: "Looked",
      job,
      outcome: {
        _tag: "Found",
        itemId: `item-${job.lane.id}`,
        key: job.key,
        seen: { state: null, cancelled: false, readAt: now, updatedAt: null }
      }
    }
    : {
      _tag: "Sent",
      job,
      outcome: {
        _tag: "Delivered",
        commentId: "comment",
        seen: job.delivery.kind === "state"
          ? { state: job.delivery.body, cancelled: false, readAt: now, updatedAt: null }
          : undefined
      }
    }
