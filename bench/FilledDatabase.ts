import { Array, Effect } from "effect"
import { StageEvents } from "../src/events/StageEvents.js"
import { changed } from "./Load.js"
import { publishingOn, temporaryDatabase } from "./Pipelines.js"

/** How many events each work item has. */
export const eventsOfEach = 20
// How many events one commit takes at most.
const together = 500

/** Publishes so many events on a file or a Postgres, all of keys that nobody has looked up. Nobody sends them. */
export const fillWithOwed = (database: string, events: number) =>
  Effect.flatMap(StageEvents, ({ publish }) =>
    Effect.forEach(
      Array.makeBy(events, (index) => index),
      (index) => publish(changed(index, Math.max(1, Math.ceil(events / eventsOfEach)))),
      { concurrency: together, discard: true }
    )).pipe(Effect.provide(publishingOn(database)))

/** The path of a new database where this many events are owed. It is removed with the scope. */
export const stored = (events: number) => Effect.tap(temporaryDatabase, (file) => fillWithOwed(file, events))
