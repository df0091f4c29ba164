import type { Scope } from "effect"
import { Duration, Effect, Option } from "effect"
import { counted } from "../base/Text.js"
import { epochMillis } from "../base/Time.js"
import type { EpochMillis } from "../base/Time.js"
import type { Outbox } from "../outbox/Outbox.js"
import type { StorageTrouble } from "../storage/StorageTrouble.js"
import type { WakeUps } from "../storage/WakeUps.js"
import type { Destination } from "./Destination.js"

/** An event that has waited for longer than this was held up. */
const heldUpAfter = Duration.toMillis("1 minute")

/** How often it is looked, at most. */
const lookEvery = "1 second"

interface Behind {
  readonly since: EpochMillis
  /** How many events were delivered, and were dead letters, then. */
  readonly delivered: number
  readonly dead: number
}

/**
 * Says, once, that nothing is owed to Plane any more, after events were held up: Plane was closed, they were there at
 * the start, or the budget was short. Until the scope closes.
 */
export const sayAllTold = (
  { destination, outbox, trouble, wakeUps }: {
    readonly destination: Destination["Type"]
    readonly outbox: Outbox["Type"]
    readonly trouble: StorageTrouble
    readonly wakeUps: WakeUps["Type"]
  }
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    let behind = Option.none<Behind>()

    const look = Effect.gen(function*() {
      const { dead, delivered, oldestAt, pending } = yield* trouble.retry(outbox.status)
      const now = yield* epochMillis
      const { open } = yield* destination.status
      const isHeldUp = pending > 0 && (!open || (oldestAt !== null && now - oldestAt >= heldUpAfter))
      if (isHeldUp && Option.isNone(behind)) behind = Option.some({ since: oldestAt ?? now, delivered, dead })
      if (pending > 0 || Option.isNone(behind)) return
      const before = behind.value
      behind = Option.none()
      const told = counted(delivered - before.delivered, "event was told", "events were told")
      const became = dead > before.dead
        ? `, ${counted(dead - before.dead, "event became a dead letter", "events became dead letters")}`
        : ""
      const took = Duration.format(Duration.millis(Math.max(0, now - before.since)))
      yield* Effect.logInfo(`All told: nothing is owed to Plane any more. In ${took} ${told}${became}`)
    })

    const turn = Effect.gen(function*() {
      const mark = yield* wakeUps.mark
      yield* look
      yield* wakeUps.since(mark)
      yield* Effect.sleep(lookEvery)
    })
    yield* Effect.forkScoped(Effect.forever(turn))
  })
