import type { Scope } from "effect"
import { Effect } from "effect"

// What comes together is counted before it is said. After that the log must not fill the disk.
const gatheringTime = "1 second"
const quietTime = "1 minute"

/**
 * Logs a warning of what happens often, at most once a minute, each time with the number of times since the last one.
 * `line` makes it of that number and of the latest cause. What is not said yet is said when the scope closes.
 */
export const makeCountedWarning = (
  line: (count: number, cause: string) => string
): Effect.Effect<(cause: string) => Effect.Effect<void>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    let count = 0
    let latest = ""
    let isCounting = false

    const say = Effect.suspend(() => {
      if (count === 0) return Effect.void
      const said = line(count, latest)
      count = 0
      return Effect.logWarning(said)
    })

    const counting = Effect.gen(function*() {
      yield* Effect.sleep(gatheringTime)
      while (count > 0) {
        yield* say
        yield* Effect.sleep(quietTime)
      }
      isCounting = false
    })

    yield* Effect.addFinalizer(() => say)

    return (cause) =>
      Effect.suspend(() => {
        count += 1
        latest = cause
        if (isCounting) return Effect.void
        isCounting = true
        // Within a transaction it would be made uninterruptible, and the scope's end would wait for its sleep.
        return Effect.asVoid(Effect.forkIn(Effect.interruptible(counting), scope))
      })
  })
