import type { SqlError } from "@effect/sql/SqlError"
import type { Effect } from "effect"
import type { Signal } from "../base/Signal.js"

/** Other processes on the same database, which learn by it what this one has committed. */
export interface Elsewhere {
  /** Tells them, a moment later, that there may be work. What is told at the same time is told once. */
  readonly tell: Effect.Effect<void>
  /** The same within a transaction: they are told when it is committed, and only then. */
  readonly tellWithin: Effect.Effect<void, SqlError>
  /** Another process has told something. */
  readonly heard: Pick<Signal, "mark" | "since">
  /** Whether this process hears what others tell. While it does not, it must look by itself. */
  readonly isHearing: Effect.Effect<boolean>
}
