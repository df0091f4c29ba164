import { Duration, Effect, Option } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis } from "../base/Time.js"
import type { Outbox } from "../outbox/Outbox.js"
import type { Slot } from "../plane/RateBudget.js"
import type { PlaneProject } from "../sending/PlaneProjects.js"
import type { StorageTrouble } from "../storage/StorageTrouble.js"

/** Runs a request with a slot of the budget. */
export type WithSlot = <A, E, R>(use: (slot: Slot) => Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** How often it is looked whether there is a slot. */
const lookEvery = Duration.seconds(1)

/** The last quarter of the budget is kept for what is published meanwhile. */
const most = 0.75

/**
 * The budget's lowest priority: a slot that nobody waits for, at a moment when nothing is due to be told, and only of
 * the first three quarters of the budget. The destination must be open then.
 */
export const lowestSlot = (
  { budget, destination, project: { identifier } }: PlaneProject,
  outbox: Outbox["Type"],
  trouble: StorageTrouble
): WithSlot => {
  // Only the workers judge what was put off too far.
  const isDue = Effect.zipWith(
    trouble.retry<EpochMillis | undefined, never>(outbox.nextDue([identifier, ""], Duration.infinity)),
    epochMillis,
    (dueAt, now) => dueAt !== undefined && dueAt <= now
  )
  const atOnce = Effect.gen(function*() {
    const { limit, used } = yield* budget.status
    return used >= limit * most || (yield* isDue) ? Option.none<Slot>() : yield* budget.tryAdmit
  })
  return (use) =>
    // A slot cannot be lost where nothing can interrupt.
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function*() {
        for (;;) {
          yield* restore(destination.opened)
          const slot = yield* atOnce
          if (Option.isSome(slot)) return yield* Effect.ensuring(restore(use(slot.value)), slot.value.release)
          yield* restore(Effect.sleep(lookEvery))
        }
      })
    )
}
