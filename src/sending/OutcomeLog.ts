import { Effect } from "effect"
import type { Settlement } from "../outbox/Outcome.js"

/** Logs what a person should know of how a job ended. */
export const logOutcome = ({ job, outcome }: Settlement): Effect.Effect<void> => {
  const what = job._tag === "Look" ? job.key : `${job.delivery.kind} for ${job.itemId}`
  switch (outcome._tag) {
    case "LaneDead":
      if (job._tag === "Look" && !job.owes) return Effect.logWarning(`${outcome.reason}. ${job.key} has a task`)
      return Effect.logWarning(`Dead letter: ${what}: ${outcome.reason}`)
    case "Dead":
      return Effect.logWarning(`Dead letter: ${what}: ${outcome.reason}`)
    case "Later":
      return Effect.logDebug(`Again later: ${what}: ${outcome.reason}`)
    case "Missed":
      if (job._tag === "Look" && job.lane.ofTask && job.lane.misses === 0) {
        return Effect.logWarning(
          `${outcome.reason}. ${job.key} has a task: is the key right? It will be looked for again`
        )
      }
      return Effect.logInfo(`${outcome.reason}; it will be looked for again`)
    case "Left":
      return job._tag === "Send" && job.lane.respected ? Effect.void : Effect.logInfo(`${what}: ${outcome.reason}`)
    case "Split":
      return Effect.logWarning(`${what} is split in two, to find what Plane refuses: ${outcome.reason}`)
    case "Withheld":
      return Effect.logWarning(`${what} waits: ${outcome.reason}`)
    case "CommentGone":
    case "Taken":
    case "Delivered":
    case "Found":
      return Effect.void
  }
}
