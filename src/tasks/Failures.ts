import { Duration, Effect } from "effect"
import { backoff } from "../base/Backoff.js"

/** The longest pause before a call of the launcher that has failed is tried again. */
export const longestPause = Duration.minutes(10)

/** Of more calls the oldest are forgotten: a stage that was left ends its launch without a word. */
const mostKept = 1_000

interface Failed {
  readonly count: number
  readonly why: string
}

/**
 * The calls of the launcher that fail, by what they are for. Each is told loudly once, and again when it fails for
 * another reason; so is its recovery. A restart forgets them, and then all are tried at once, because what was wrong may
 * have been mended.
 */
export const makeFailures = () => {
  const failures = new Map<string, Failed>()
  return {
    /** It has failed once more. `what` says so, without the reason. Returns how long to wait, at least `retryAfter`. */
    failed: (
      key: string,
      what: string,
      { retryAfter, why }: { readonly why: string; readonly retryAfter?: Duration.Duration | undefined }
    ): Effect.Effect<Duration.Duration> =>
      Effect.gen(function*() {
        const before = failures.get(key)
        const count = (before?.count ?? 0) + 1
        failures.delete(key)
        failures.set(key, { count, why })
        const [oldest] = failures.keys()
        if (failures.size > mostKept && oldest !== undefined) failures.delete(oldest)
        yield* before?.why === why
          ? Effect.logDebug(`${what}, for the ${count}th time: ${why}`)
          : Effect.logError(`${what}: ${why} (tried again after pauses of up to ${Duration.format(longestPause)})`)
        return yield* backoff(count, { max: longestPause, retryAfter })
      }),
    /** It is done. `what` says so, and is logged if it had failed before. */
    done: (key: string, what: string): Effect.Effect<void> =>
      Effect.suspend(() => {
        const before = failures.get(key)
        failures.delete(key)
        if (before === undefined) return Effect.void
        const times = before.count === 1 ? "once" : `${before.count} times`
        return Effect.logInfo(`${what}; it had failed ${times}`)
      }),
    /** It is not tried again. */
    forget: (key: string): Effect.Effect<void> => Effect.sync(() => void failures.delete(key))
  }
}
