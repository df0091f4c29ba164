import { Effect } from "effect"
import { textLimit, visibleLine } from "../base/Text.js"
import { plainText } from "../domain/Comment.js"
import { StateId } from "../domain/StageStates.js"
import type { SendJob } from "../outbox/Job.js"
import { givenUpAs } from "../outbox/Living.js"
import type { Settlement } from "../outbox/Outcome.js"
import type { SendContext } from "./SendContext.js"

/** Names a state: by its name in Plane, or else by the first stage that has it. */
export const stateNamer = ({ place }: Pick<SendContext, "place">) => (state: StateId): string => {
  const stage = () => Array.from(place.states()).find(([, id]) => id === state)?.[0]
  return visibleLine(
    place.current()?.listed?.find(({ id }) => id === state)?.name ??
      `the state of ${stage() ?? "a stage that is no more"}`,
    textLimit
  )
}

const whatOf = ({ job }: Settlement) => {
  switch (job._tag) {
    case "Look":
      return job.key
    case "Send":
      return `${job.lane.key}: its ${job.delivery.kind}`
    case "Check":
      return `${job.lane.key}: who has moved it`
    case "Twins":
      return `${job.lane.key}: comments that may be there twice`
    case "Assign":
      return `${job.lane.key}: its assignees`
    case "LookBack":
      return `${job.lane.key}: who has changed its assignees`
    case "Link":
      return `${job.lane.key}: its link "${job.link.kind}" to ${visibleLine(job.link.url, textLimit)}`
  }
}

/** A comment that was told, and the state that was set for what it tells. */
const toldWords = (
  { delivery: { body, firstEvent, lastEvent }, lane }: SendJob,
  nameOf: (state: StateId) => string
) => {
  const { placed, placedFor } = lane
  const isSet = placed !== null && placedFor !== null && placedFor >= firstEvent && placedFor <= lastEvent
  return `told "${visibleLine(plainText(body), textLimit)}"${isSet ? ` and set ${nameOf(placed)}` : ""}`
}

/** Says that Plane has a comment. A state is told with the comment of its stage. */
const logDelivered = (job: SendJob, nameOf: (state: StateId) => string) =>
  job.delivery.kind === "state"
    ? Effect.logDebug(`${job.lane.key}: set ${nameOf(StateId(job.delivery.body))}`)
    : Effect.logInfo(`${job.lane.key}: ${toldWords(job, nameOf)}`)

const makeOnce = () => {
  let isSaid = false
  return (warning: string) =>
    Effect.suspend(() => {
      if (isSaid) return Effect.logDebug(warning)
      isSaid = true
      return Effect.logWarning(warning)
    })
}

/** Makes what logs what a person should know of how jobs ended. */
export const makeOutcomeLog = (nameOf: (state: StateId) => string) => logOutcome(nameOf, makeOnce())

const logOutcome = (
  nameOf: (state: StateId) => string,
  warnOnce: (warning: string) => Effect.Effect<void>
) =>
(settlement: Settlement): Effect.Effect<void> => {
  const { job, outcome } = settlement
  const what = whatOf(settlement)
  switch (outcome._tag) {
    case "LaneDead":
      if (job._tag === "Look" && !job.owes) return Effect.logWarning(`${outcome.reason}. ${job.key} has a task`)
      return Effect.logWarning(`Dead letter: ${what}: ${outcome.reason}`)
    case "Dead": {
      const isLetter = job._tag !== "Send" || givenUpAs(job.delivery) === "dead"
      return Effect.logWarning(`${isLetter ? "Dead letter" : "Given up"}: ${what}: ${outcome.reason}`)
    }
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
        ? Effect.logInfo(`${job.lane.key}: its state was undone by another change of the work item: it is set again`)
        : Effect.logInfo(`${job.lane.key}: a person's move was undone by ours: it is set again`)
    case "LinkGivenUp":
      return Effect.logWarning(`Given up: ${what}: ${outcome.reason}`)
    case "LinkUnreachable":
      return warnOnce(`${what} is not shown in Plane: ${outcome.reason}. So are others, which are not said`)
    case "AssignGivenUp":
      return job._tag === "LookBack"
        ? Effect.logDebug(`Given up: ${what}: ${outcome.reason}`)
        : Effect.logWarning(`Given up: ${what}: ${outcome.reason}`)
    case "LookedBack":
      return outcome.restore.length === 0
        ? Effect.void
        : Effect.logInfo(`${job.lane.key}: a person has changed its assignees at the same moment: that is put back`)
    case "ItemGone":
      return Effect.logInfo(`${what}: ${outcome.reason}`)
    case "Linked":
    case "Unlinked":
      return Effect.logDebug(`${what} is ${outcome._tag === "Linked" ? "there" : "gone"}`)
    case "Stands":
      return Effect.logDebug(`${what}: nothing is set again: ${outcome.reason}`)
    case "Delivered":
      return job._tag === "Send" ? logDelivered(job, nameOf) : Effect.void
    // Whether the comment that Plane has is this one is found, and said, when it is settled.
    case "Taken":
    case "CommentGone":
    case "Compared":
    case "Assigned":
    case "Found":
      return Effect.void
  }
}
