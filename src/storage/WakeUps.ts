import type { Duration } from "effect"
import { Context, Effect, Layer } from "effect"
import type { Signal } from "../base/Signal.js"
import { makeSignal } from "../base/Signal.js"
import type { Elsewhere } from "./Elsewhere.js"
import { Storage } from "./Storage.js"

/**
 * Tells those who wait for work that there may be some. What this process has committed wakes them at once. What
 * another process has committed to the same file is found by the next poll: `since` ends then, too. Over Postgres,
 * processes tell each other, and the poll is only the net under it.
 */
export class WakeUps extends Context.Tag("plane-sync/WakeUps")<WakeUps, Signal>() {
  static readonly layer: Layer.Layer<WakeUps, never, Storage> = Layer.scoped(
    WakeUps,
    Effect.suspend(() => Effect.flatMap(Storage, ({ elsewhere }) => elsewhere === undefined ? alone : among(elsewhere)))
  )

  static readonly layerPolling = (every: Duration.DurationInput): Layer.Layer<WakeUps> =>
    Layer.effect(WakeUps, polling(Effect.succeed(every)))
}

const pollEvery = "500 millis"

/** How often one looks that hears what others tell. */
const netEvery = "5 seconds"

const polling = (every: Effect.Effect<Duration.DurationInput>) =>
  Effect.map(makeSignal, ({ mark, notify, since }): Signal => ({
    mark,
    notify,
    since: (mark) => Effect.raceFirst(since(mark), Effect.flatMap(every, Effect.sleep))
  }))

const alone = polling(Effect.succeed(pollEvery))

const among = ({ heard, isHearing, tell }: Elsewhere) =>
  Effect.gen(function*() {
    const { mark, notify, since } = yield* polling(Effect.map(isHearing, (hears) => hears ? netEvery : pollEvery))
    const first = yield* heard.mark
    yield* Effect.iterate(first, {
      while: () => true,
      body: (last) => Effect.zipRight(heard.since(last), Effect.zipLeft(heard.mark, notify))
    }).pipe(Effect.forkScoped)
    return WakeUps.of({ mark, since, notify: Effect.zipRight(notify, tell) })
  })
