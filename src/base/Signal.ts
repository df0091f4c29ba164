import { Effect } from "effect"

/**
 * Tells all waiting fibers that there may be something new. A call of `notify` between the mark and the waiting is not
 * missed.
 */
export interface Signal {
  readonly notify: Effect.Effect<void>
  /** A mark of this moment. Take it before you look. */
  readonly mark: Effect.Effect<number>
  /** Waits until `notify` was called after the mark. */
  readonly since: (mark: number) => Effect.Effect<void>
}

export const makeSignal: Effect.Effect<Signal> = Effect.sync(() => {
  const waiting = new Set<() => void>()
  let count = 0
  return {
    notify: Effect.sync(() => {
      count += 1
      for (const wake of waiting) wake()
      waiting.clear()
    }),
    mark: Effect.sync(() => count),
    // The check and the waiting begin in one synchronous step, so no `notify` falls between them.
    since: (mark) =>
      Effect.async<void>((resume) => {
        if (count > mark) return resume(Effect.void)
        const wake = () => resume(Effect.void)
        waiting.add(wake)
        return Effect.sync(() => waiting.delete(wake))
      })
  }
})

/** Tells of what either signal tells. Its own `notify` is that of the second. */
export const either = (first: Omit<Signal, "notify">, second: Signal): Signal => {
  const marks = Effect.zip(first.mark, second.mark)
  return {
    notify: second.notify,
    mark: Effect.map(marks, ([one, other]) => one + other),
    since: (mark) =>
      Effect.flatMap(
        marks,
        ([one, other]) => one + other > mark ? Effect.void : Effect.raceFirst(first.since(one), second.since(other))
      )
  }
}
