import { Duration, Option } from "effect"

const looks = [0, 5_000, 30_000, 120_000, 300_000]
const lookEvery = 600_000

/** When the `index`-th look is due, in milliseconds after the first answered miss (which is look 0). */
const lookAt = (index: number) => looks[index] ?? lookEvery * (index - looks.length + 1)

/**
 * How long after the last of so many answered misses (at least 1) a key that nobody has yet is looked for again. The
 * looks come 5 s, 30 s, 2, 5 and 10 minutes after the *first* miss and then every 10 minutes; the last one when
 * `patience` ends. None: it has ended. It counts from look to look, so a clock that is set cuts no more than one pause
 * short.
 */
export const nextLookUp = (misses: number, patience: Duration.DurationInput): Option.Option<Duration.Duration> => {
  const end = Duration.toMillis(patience)
  const last = lookAt(misses - 1)
  return last >= end ? Option.none() : Option.some(Duration.millis(Math.min(lookAt(misses), end) - last))
}
