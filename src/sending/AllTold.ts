import type { Scope } from "effect"
import { Duration, Effect, Option } from "effect"
import type { Signal } from "../base/Signal.js"
import { counted } from "../base/Text.js"
import { epochMillis, stored } from "../base/Time.js"
import type { EpochMillis } from "../base/Time.js"
import type { Outbox } from "../outbox/Outbox.js"
import type { StorageTrouble } from "../storage/StorageTrouble.js"
import type { ProjectStatus } from "./PlaneSync.js"

/** An event that has waited for longer than this was held up. */
const heldUpAfter = Duration.toMillis("1 minute")

/** How often it is looked, at most. */
const lookEvery = "1 second"

/**
 * Says, once, that nothing is owed to Plane any more, after events were held up: Plane was closed, they were there at
 * the start, or the budget was short. Until the scope closes.
 */
export const sayAllTold = (
  { news, outbox, projects, trouble }: {
    /** Those that this process sends for. */
    readonly projects: Effect.Effect<ReadonlyArray<ProjectStatus>>
    readonly outbox: Outbox["Type"]
    readonly trouble: StorageTrouble
    readonly news: Omit<Signal, "notify">
  }
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    // Since when the oldest of those that were held up has waited.
    let behind: EpochMillis | undefined

    const look = Effect.gen(function*() {
      const { dead, oldestAt, pending } = yield* trouble.retry(outbox.status)
      const now = yield* epochMillis
      const open = (yield* projects).every(({ destination }) => destination.open)
      const isHeldUp = pending > 0 && (!open || Option.exists(oldestAt, (at) => now - at.epochMillis >= heldUpAfter))
      if (isHeldUp) behind ??= Option.match(oldestAt, { onNone: () => now, onSome: stored })
      if (pending > 0 || behind === undefined) return
      const took = Duration.format(Duration.millis(Math.max(0, now - behind)))
      behind = undefined
      const letters = dead === 0 ? "" : `. ${counted(dead, "event is a dead letter", "events are dead letters")}`
      yield* Effect.logInfo(`All told: nothing is owed to Plane any more, after ${took}${letters}`)
    })

    const turn = Effect.gen(function*() {
      const mark = yield* news.mark
      yield* look
      yield* news.since(mark)
      yield* Effect.sleep(lookEvery)
    })
    yield* Effect.forkScoped(Effect.forever(turn))
  })
