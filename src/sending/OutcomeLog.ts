import { Effect } from "effect"
import type { Settlement } from "../outbox/Outcome.js"

const whatOf = ({ job }: Settlement) => {
  switch (job._tag) {
    case "Look":
      return job.key
    case "Send":
      return `${job.delivery.kind} for ${job.itemId}`
    case "Check":
      return `who has moved ${job.itemId}`
    case "Twins":
      return `comments of ${job.itemId} that may be there twice`
  }
}

/** Logs what a person should know of how a job ended. */
export const logOutcome = (settlement: Settlement): Effect.Effect<void> => {
  const { job, outcome } = settlement
  const what = whatOf(settlement)
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
    case "SetAgain":
      return job._tag === "Check" && job.doubt === "lost"
        ? Effect.logInfo(`The state of ${job.itemId} was undone by another change of the work item: it is set again`)
        : Effect.logInfo(`A person's move of ${job._tag === "Check" ? job.itemId : what} was undone: it is set again`)
    case "Stands":
      return Effect.logDebug(`${what}: nothing is set again: ${outcome.reason}`)
    case "CommentGone":
    case "Compared":
    case "Taken":
    case "Delivered":
    case "Found":
      return Effect.void
  }
}
