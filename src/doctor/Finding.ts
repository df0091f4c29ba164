import { Data } from "effect"

/**
 * What a check found. `seen` says what there is, and `mend` the command or setting that mends it. A check is skipped
 * when what it needs is not there, or has failed.
 */
export type Finding = Data.TaggedEnum<{
  Passed: { readonly seen: string }
  Warned: { readonly seen: string; readonly mend: string }
  Failed: { readonly seen: string; readonly mend: string }
  Skipped: { readonly why: string }
}>
export const { Failed, Passed, Skipped, Warned } = Data.taggedEnum<Finding>()

/** A check that was made. */
export interface Checked {
  readonly name: string
  readonly finding: Finding
}

/** What a check found, and what later checks need of it: undefined if they cannot be made. */
export interface Outcome<out A> {
  readonly findings: ReadonlyArray<Finding>
  readonly value: A | undefined
}

/** Something was found that later checks need nothing of. */
export const found = (...findings: ReadonlyArray<Finding>): Outcome<never> => ({ findings, value: undefined })

/** What was found lets later checks be made. */
export const having = <A>(value: A, ...findings: ReadonlyArray<Finding>): Outcome<A> => ({ findings, value })
