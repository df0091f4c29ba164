import { Duration, Option } from "effect"

const looks = [Duration.zero, Duration.seconds(5), Duration.seconds(30), Duration.minutes(2), Duration.minutes(5)]
const lookEvery = Duration.minutes(10)

/** How long after the first look-up that found no work item (which has the index 0) another one is due. */
const lookAt = (index: number) => looks[index] ?? Duration.times(lookEvery, index - looks.length + 1)

/**
 * How long to wait before a key is looked up again, when no work item has had it so far. `misses` (at least 1) is how
 * many look-ups have found none. The others come 5 s, 30 s, 2, 5 and 10 minutes after the first one, then every 10
 * minutes, and the last one when `patience` is over. None: it is over, so there is no further look-up. Each pause is
 * counted from the look-up before it, so if the clock is set, at most one pause has the wrong length.
 */
export const nextLookUp = (misses: number, patience: Duration.DurationInput): Option.Option<Duration.Duration> => {
  const last = lookAt(misses - 1)
  return Duration.greaterThanOrEqualTo(last, patience)
    ? Option.none()
    : Option.some(Duration.subtract(Duration.min(lookAt(misses), patience), last))
}
