/**
 * For a host's own tests.
 *
 * @module
 */
import { Data, Duration, Effect, Fiber, Option, TestClock } from "effect"
import type { StorageError } from "../storage/StorageError.js"
import { PlaneSync } from "./PlaneSync.js"

/** Something is still owed after all the time that a test gives it. */
export class NotTold extends Data.TaggedError("NotTold")<{ readonly pending: number; readonly within: string }> {
  override get message(): string {
    return `${this.pending} of the published events are still owed to Plane after ${this.within}`
  }
}

const step = "1 second"

/**
 * Moves the `TestClock` on until Plane has been told all that was published, dead letters apart. Fails if that takes
 * longer than `within` by that clock: an hour by default. Meant for a `PlaneSync` over `PlaneSimulator.layerMemory`.
 *
 * @example
 * yield* events.publish(StageEvent.TaskCompleted({ workItem: item.key }))
 * yield* untilTold()
 * assert.lengthOf(yield* plane.comments(item.id), 1)
 */
export const untilTold = (
  within: Duration.DurationInput = "1 hour"
): Effect.Effect<void, NotTold | StorageError, PlaneSync> =>
  Effect.gen(function*() {
    const { outbox, settled } = yield* PlaneSync
    const waiting = yield* Effect.fork(settled)
    const steps = Math.ceil(Duration.toMillis(within) / Duration.toMillis(step))
    for (let taken = 0; taken < steps; taken++) {
      if (Option.isSome(yield* Fiber.poll(waiting))) return yield* Fiber.join(waiting)
      yield* TestClock.adjust(step)
    }
    yield* Fiber.interrupt(waiting)
    const { pending } = yield* outbox
    return pending === 0 ? undefined : yield* new NotTold({ pending, within: Duration.format(within) })
  })
