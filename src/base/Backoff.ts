import { Chunk, Duration, Effect, Option, Schedule } from "effect"

/** The pauses between attempts: 1 s, 2 s, 4 s … each by up to a fifth shorter or longer, and never above `max`. */
export const backoffSchedule = (max: Duration.DurationInput): Schedule.Schedule<Duration.Duration> =>
  Schedule.exponential("1 second", 2).pipe(
    // Jitter comes before the cap: `max` is a promise.
    Schedule.jittered,
    Schedule.modifyDelay((_, delay) => Duration.min(delay, max)),
    Schedule.delays
  )

// More attempts than any `max` can matter for. The stored count can be any number.
const longest = 64

/**
 * How long to wait after the `attempts`-th failure (1 is the first). It is computed from the stored count each time, so
 * it survives a restart. The result is never less than a Retry-After, even if that is longer than `max`.
 */
export const backoff = Effect.fnUntraced(function*(
  attempts: number,
  options: { readonly max: Duration.DurationInput; readonly retryAfter?: Duration.Duration | undefined }
) {
  const failures = Chunk.range(1, Math.min(Math.max(Math.floor(attempts), 1), longest))
  const delays = yield* Schedule.run(backoffSchedule(options.max), 0, failures)
  const delay = Option.getOrElse(Chunk.last(delays), () => Duration.zero)
  return Duration.millis(Math.ceil(Duration.toMillis(Duration.max(delay, options.retryAfter ?? Duration.zero))))
})
