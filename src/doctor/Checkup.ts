import { Duration, Effect } from "effect"
import type { MonotonicMillis } from "../base/Time.js"
import { monotonicMillis } from "../base/Time.js"
import type { Checked, Finding, Outcome } from "./Finding.js"
import { Failed, Skipped } from "./Finding.js"

/** How long all checks together may take. */
export const patience = Duration.seconds(60)

/** Makes checks one after the other, and keeps what they found. */
export interface Checkup {
  /** Makes a check, and gives what later ones need of it. One that takes too long is ended. */
  readonly check: <A, R>(
    name: string,
    run: Effect.Effect<Outcome<A>, never, R>
  ) => Effect.Effect<A | undefined, never, R>
  /** Notes a check that is not made. */
  readonly skip: (name: string, why: string) => Effect.Effect<void>
  readonly checked: () => ReadonlyArray<Checked>
}

/** Checks that together end in time. */
export const makeCheckup: Effect.Effect<Checkup> = Effect.map(monotonicMillis, (start) => {
  const checked: Array<Checked> = []
  const note = (name: string, findings: ReadonlyArray<Finding>) => {
    for (const finding of findings) checked.push({ name, finding })
  }
  const left = (now: MonotonicMillis) => Duration.millis(Math.max(0, start + Duration.toMillis(patience) - now))
  const words = Duration.format(patience)
  return {
    check: (name, run) =>
      Effect.gen(function*() {
        const rest = left(yield* monotonicMillis)
        if (Duration.isZero(rest)) {
          note(name, [Skipped({ why: `all checks together take ${words} at most` })])
          return undefined
        }
        const outcome = yield* Effect.timeoutTo(run, {
          duration: rest,
          onSuccess: (outcome) => outcome,
          onTimeout: () => ({
            findings: [Failed({
              seen: `it did not end within the ${words} that all checks together take`,
              mend: "look at what stands between this machine and the other, or try again"
            })],
            value: undefined
          })
        })
        note(name, outcome.findings)
        return outcome.value
      }),
    skip: (name, why) => Effect.sync(() => note(name, [Skipped({ why })])),
    checked: () => checked
  }
})
