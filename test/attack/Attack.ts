import { Data } from "effect"
import type { Effect, Scope } from "effect"
import type { BuildError } from "../crash/Build.js"
import type { ChildError } from "../crash/Child.js"
import type { Target } from "./Target.js"

/** The program has not withstood an attack. */
export class Broken extends Data.TaggedError("Broken")<{ readonly message: string }> {}

/** The attack cannot be made on this machine. It counts neither as passed nor as failed. */
export class Skipped extends Data.TaggedError("Skipped")<{ readonly why: string }> {}

/**
 * Something that a neighbour who means harm, or an accident, does to the program. It is run against the built program
 * in a process of its own.
 */
export interface Attack {
  /** The number of the kind, which the tests carry, too. */
  readonly row: number
  /** One or two words, without blanks: a run names it so. */
  readonly name: string
  /** What must be seen, in a sentence. */
  readonly shows: string
  /** Whether every change runs it. All of these together take at most a minute. */
  readonly inCi: boolean
  /** Fails with `Broken` if the program did not withstand. */
  readonly run: Effect.Effect<void, Broken | BuildError | ChildError | Skipped, Scope.Scope | Target>
}
