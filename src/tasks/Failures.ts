import { Duration, Effect } from "effect"
import { backoff } from "../base/Backoff.js"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis } from "../base/Time.js"

/** The longest pause before a call of the launcher that has failed is tried again. */
export const longestPause = Duration.minutes(10)

/** Of more calls than these a failure is not told, and has the longest pause. */
const mostKept = 1_000

/** A call that has not failed for longer is not tried any more: its stage was left, which ends it without a word. */
const keptFor = Duration.toMillis("1 hour")

/** `hasJustFailed` looks back so far. */
const aMoment = Duration.toMillis("1 minute")

interface Failed {
  readonly count: number
  readonly why: string
  readonly at: EpochMillis
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
        const at = yield* epochMillis
        const before = failures.get(key)
        const [oldest] = failures
        if (before === undefined && failures.size >= mostKept && oldest !== undefined) {
          if (oldest[1].at > at - keptFor) return Duration.max(longestPause, retryAfter ?? Duration.zero)
          failures.delete(oldest[0])
        }
        const count = (before?.count ?? 0) + 1
        // Behind all others, so that the first one is the one that failed longest ago.
        failures.delete(key)
        failures.set(key, { count, why, at })
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
    hasJustFailed: (key: string): Effect.Effect<boolean> =>
      Effect.map(epochMillis, (now) => (failures.get(key)?.at ?? -Infinity) > now - aMoment),
    /** It is not tried again. */
    forget: (key: string): Effect.Effect<void> => Effect.sync(() => void failures.delete(key))
  }
}
