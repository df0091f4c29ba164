import type { SqlError } from "@effect/sql/SqlError"
import type { Effect } from "effect"
import type { Signal } from "../base/Signal.js"

/** Other processes on the same database, which learn by it what this one has committed. */
export interface Elsewhere {
  /** Tells them, a moment later, that there may be work. What is told at the same time is told once. */
  readonly tell: Effect.Effect<void>
  /**
   * The same within a transaction of a host: they are told when it is committed, and only then. So is this process,
   * which does not learn of it otherwise.
   */
  readonly tellWithin: Effect.Effect<void, SqlError>
  /** Tells them, when a transaction is committed, that what this process has led is free. */
  readonly tellFreeWithin: Effect.Effect<void, SqlError>
  /** Another process has told that what it has led is free. */
  readonly heardFree: Pick<Signal, "mark" | "since">
  /** Another process, or a transaction of a host, has told something else. */
  readonly heard: Pick<Signal, "mark" | "since">
  /** Whether this process hears what others tell. While it does not, it must look by itself. */
  readonly isHearing: Effect.Effect<boolean>
}
