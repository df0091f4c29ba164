import { Data, Effect } from "effect"
import type { StageEvents } from "../src/events/StageEvents.js"
import { changed } from "./Load.js"

/** How many work items the events are spread over. */
export const workItems = 50

class NotCommitted extends Data.TaggedError("NotCommitted")<{ readonly id: string }> {
  override get message(): string {
    return `An event was not committed (${this.id}): the times of publishing mean nothing`
  }
}

/** Publishes the `index`th event of a run. Its events go through the work items and their stages in turn. */
export const publishCommitted = (events: StageEvents["Type"], index: number) =>
  Effect.filterOrFail(
    events.publish(changed(index, workItems)),
    ({ _tag }) => _tag === "Committed",
    ({ id }) => new NotCommitted({ id })
  )
