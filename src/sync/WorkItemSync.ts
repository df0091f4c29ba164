import { Option } from "effect"
import { commentHtml } from "../domain/Comment.js"
import { stageOf } from "../domain/StageEvent.js"
import type { StageStates } from "../domain/StageStates.js"
import { eventOfBody } from "../outbox/Event.js"
import type { Owed, OwedEvent, Step } from "../outbox/Lane.js"

/**
 * What one work item still needs, and in which order: first to be found, then the state of its latest stage, then its
 * comments one by one. So a state may overtake older comments, and no comment its state. A state that holds already is
 * not sent.
 */
export const nextStep = (states: StageStates) => ({ comment, lane, state }: Owed): Step => {
  if (lane.workItem === null || lane.gone) return { _tag: "Look" }
  if (state !== undefined) return stateStep(states, state, lane.state)
  if (comment !== undefined) return commentStep(comment, lane.workItem)
  return { _tag: "Look" }
}

const unreadable = (event: OwedEvent): Step => ({
  _tag: "Unfit",
  event,
  reason: "what was stored of this event cannot be read by this version"
})

const stateStep = (states: StageStates, event: OwedEvent, held: string | null): Step =>
  Option.match(eventOfBody(event.body), {
    onNone: () => unreadable(event),
    onSome: (told) => {
      const stage = stageOf(told)
      const wanted = stage === undefined ? undefined : states.get(stage)
      // A table that was changed since the event was published may have no state for its stage any more.
      return wanted === undefined || wanted === held
        ? { _tag: "StateHolds", event }
        : { _tag: "Send", plan: { _tag: "State", event, state: wanted } }
    }
  })

const commentStep = (event: OwedEvent, workItem: string): Step =>
  Option.match(eventOfBody(event.body), {
    onNone: () => unreadable(event),
    onSome: (told) => ({
      _tag: "Send",
      plan: {
        _tag: "Comment",
        event,
        html: commentHtml(told),
        // Plane's pair of source and id is unique in the whole project, so the work item is a part of it.
        externalId: `${event.id}:${workItem}`
      }
    })
  })
