import { Duration, Option } from "effect"

const looks = [Duration.zero, Duration.seconds(5), Duration.seconds(30), Duration.minutes(2), Duration.minutes(5)]
const lookEvery = Duration.minutes(10)

/** How long after the first answered miss (which is look 0) the `index`-th look is due. */
const lookAt = (index: number) => looks[index] ?? Duration.times(lookEvery, index - looks.length + 1)

/**
 * How long after the last of so many answered misses (at least 1) a key that nobody has yet is looked for again. The
 * looks come 5 s, 30 s, 2, 5 and 10 minutes after the *first* miss and then every 10 minutes; the last one when
 * `patience` ends. None: it has ended. It counts from look to look, so a clock that is set cuts no more than one pause
 * short.
 */
export const nextLookUp = (misses: number, patience: Duration.DurationInput): Option.Option<Duration.Duration> => {
  const last = lookAt(misses - 1)
  return Duration.greaterThanOrEqualTo(last, patience)
    ? Option.none()
    : Option.some(Duration.subtract(Duration.min(lookAt(misses), patience), last))
}
