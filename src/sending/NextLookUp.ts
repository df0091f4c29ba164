import { Duration, Option } from "effect"

const looks = [0, 5_000, 30_000, 120_000, 300_000]
const lookEvery = 600_000

/** When a look-up is due, in milliseconds after the first one that found no work item (which has the index 0). */
const lookAt = (index: number) => looks[index] ?? lookEvery * (index - looks.length + 1)

/**
 * How long to wait before a key is looked up again, when no work item has had it so far. `misses` (at least 1) is how
 * many look-ups have found none. The others come 5 s, 30 s, 2, 5 and 10 minutes after the first one, then every 10
 * minutes, and the last one when `patience` is over. None: it is over, so there is no further look-up. Each pause is
 * counted from the look-up before it, so if the clock is set, at most one pause has the wrong length.
 */
export const nextLookUp = (misses: number, patience: Duration.DurationInput): Option.Option<Duration.Duration> => {
  const end = Duration.toMillis(patience)
  const last = lookAt(misses - 1)
  return last >= end ? Option.none() : Option.some(Duration.millis(Math.min(lookAt(misses), end) - last))
}
