import { Effect } from "effect"
import type { Signal } from "../base/Signal.js"
import type { Storage } from "../storage/Storage.js"

/** How often one looks who leads, because a leader that dies tells nobody. */
const lookEvery = "1 second"

/** When to look again who leads what. `since` waits for a leader that gives something up, or for a second. */
export const nextLook = (
  { elsewhere }: Pick<Storage["Type"], "elsewhere">
): Pick<Signal, "mark" | "since"> =>
  elsewhere === undefined
    ? { mark: Effect.succeed(0), since: () => Effect.sleep(lookEvery) }
    : {
      mark: elsewhere.heardFree.mark,
      since: (mark) => Effect.raceFirst(elsewhere.heardFree.since(mark), Effect.sleep(lookEvery))
    }
