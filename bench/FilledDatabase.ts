import { Array, Effect } from "effect"
import { StageEvents } from "../src/events/StageEvents.js"
import { changed } from "./Load.js"
import { publishingOn, temporaryDatabase } from "./Pipelines.js"

/** How many events each work item has. */
export const eventsOfEach = 20
// How many events one commit takes at most.
const together = 500

/**
 * The path of a new database where this many events are owed, all of keys that nobody has looked up. It is removed with
 * the scope.
 */
export const stored = (events: number) =>
  Effect.gen(function*() {
    const file = yield* temporaryDatabase
    const workItems = Math.max(1, Math.ceil(events / eventsOfEach))
    const fill = Effect.flatMap(StageEvents, ({ publish }) =>
      Effect.forEach(
        Array.makeBy(events, (index) => index),
        (index) => publish(changed(index, workItems)),
        { concurrency: together, discard: true }
      ))
    yield* Effect.provide(fill, publishingOn(file))
    return file
  })
