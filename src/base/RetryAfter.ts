import { Duration, Option } from "effect"
import type { EpochMillis } from "./Time.js"

const leastWait = Duration.toMillis("1 second")
const mostWait = Duration.toMillis("5 minutes")

/**
 * Retry-After, which holds seconds or a date; none where it holds neither. At least a second, because a peer that keeps
 * saying "0" would be asked without pause, and at most five minutes, because none may stop us for a day.
 */
export const retryAfterOf = (header: string | undefined, now: EpochMillis): Option.Option<Duration.Duration> => {
  if (header === undefined || header.trim() === "") return Option.none()
  const seconds = Number(header)
  const millis = Number.isNaN(seconds) ? Date.parse(header) - now : seconds * 1_000
  return Number.isNaN(millis)
    ? Option.none()
    : Option.some(Duration.millis(Math.ceil(Math.min(Math.max(millis, leastWait), mostWait))))
}
